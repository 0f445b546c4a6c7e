"""Many reads in one request: each part of the answer has a status of its own (MG10): pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from syncd.formats.outlook import Json
from syncd.model.errors import ForbiddenError, MalformedReplyError, NotFoundError, SyncdError
from syncd.providers.answers import PassingError, wait_of
from syncd.providers.graph.refusals import Refused, refusal

BATCH = ("$batch",)
MOST_PARTS = 20


def batch_body(targets: Sequence[str], prefer: str) -> Json:
    """Return a batch of GETs, numbered; every part says for itself what it prefers (MG3)."""
    return {
        "requests": [
            {"id": str(number), "method": "GET", "url": target, "headers": {"Prefer": prefer}}
            for number, target in enumerate(targets)
        ]
    }


Part = Json | SyncdError | None  # None for a 404; errors that may be of this one object alone
OF_ONE_PART = (ForbiddenError, MalformedReplyError, PassingError)


class PartsError(PassingError):
    """Some parts met what may pass; ``parts`` are all answers."""

    def __init__(self, parts: Sequence[Part]) -> None:
        """Say what the first of them met."""
        super().__init__(next(str(one) for one in parts if isinstance(one, PassingError)))
        self.parts = parts


def answers_of(told: Json, count: int, now: datetime) -> list[Part]:
    """Return what the parts answered, in the order in which they were asked.

    Raises what a part is refused for that concerns all of them, such as a throttle, and
    MalformedReplyError if one has no answer.
    """
    parts = told.get("responses")
    if not isinstance(parts, list):
        raise MalformedReplyError("Microsoft Graph answered a batch without responses")
    found = {one.get("id"): one for one in parts if isinstance(one, dict)}
    return [_answer(found.get(str(number)), now) for number in range(count)]


def _answer(part: dict[str, Any] | None, now: datetime) -> Part:
    if part is None or not isinstance(part.get("status"), int):
        raise MalformedReplyError("Microsoft Graph left a part of a batch without an answer")
    status, body = part["status"], part.get("body")
    if status == 200 and isinstance(body, dict):  # noqa: PLR2004 - OK
        return body
    headers = part.get("headers")
    named = (
        {name.lower(): one for name, one in headers.items()} if isinstance(headers, dict) else {}
    )
    header = named.get("retry-after")
    error = refusal(
        Refused(
            status=status,
            body=orjson.dumps(body),
            wait=wait_of(None if header is None else str(header), now),
            waits=header is not None,
        )
    )
    if isinstance(error, NotFoundError):
        return None
    if status >= 400 and isinstance(error, OF_ONE_PART):  # noqa: PLR2004 - what it says itself
        return error
    raise error
