"""What an answer of Microsoft Graph that is no success means (providers.md §3): codes first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    RejectedError,
    RelinkRequiredError,
    SyncdError,
    SyncTokenExpiredError,
    ThrottledError,
)
from syncd.providers.answers import PassingError

_EXPIRED = frozenset({"syncstatenotfound", "resyncrequired"})
_DEAD = "invalidauthenticationtoken"
_PASSING = frozenset({408, 423, 425})
_STATUSES: Mapping[int, type[SyncdError]] = {
    401: RelinkRequiredError,
    403: ForbiddenError,
    404: NotFoundError,
    405: MalformedReplyError,
    409: ConflictError,
    410: SyncTokenExpiredError,
    412: ConflictError,
    501: MalformedReplyError,
}


class UnknownHereError(MalformedReplyError):
    """A read that was answered 400, as mailboxes of no tenant do to what only tenants have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An answer that is no success, and what was asked.

    ``wait`` is what ``Retry-After`` says and ``waits`` whether it was there.
    """

    status: int
    body: bytes
    wait: timedelta | None = None
    waits: bool = False
    writes: bool = False


def refusal(given: Refused) -> SyncdError:
    """Return the error of the tree that says what the caller must do."""
    told = _told(given.body)
    codes = {code.lower() for code in _codes(told)}
    words = told.get("message")
    message = f"Microsoft Graph answered {given.status}"
    message += f": {words}" if isinstance(words, str) and words else ""
    if given.status == 429 or (given.status == 503 and given.waits):  # noqa: PLR2004
        return ThrottledError(message, retry_after=given.wait)
    if 400 <= given.status <= 409 and codes & _EXPIRED:  # noqa: PLR2004 - any 40x (MG9)
        return SyncTokenExpiredError(message)
    if given.status == 403 and _DEAD in codes:  # noqa: PLR2004 - Forbidden
        return RelinkRequiredError(message)
    return _plain(given)(message)


def _plain(given: Refused) -> type[SyncdError]:
    status = given.status
    if status == 410 and given.writes:  # noqa: PLR2004 - Gone: what is deleted, is (P5)
        return NotFoundError
    if status in _STATUSES:
        return _STATUSES[status]
    if status in _PASSING or 500 <= status <= 599:  # noqa: PLR2004 - the provider's own trouble
        return PassingError
    if status == 400 and not given.writes:  # noqa: PLR2004 - Bad Request
        return UnknownHereError
    refused = 400 <= status <= 499  # noqa: PLR2004 - the class of refusals
    return RejectedError if given.writes and refused else MalformedReplyError


def _told(body: bytes) -> Mapping[str, Any]:
    try:
        told = orjson.loads(body)["error"]
    except (ValueError, TypeError, KeyError):
        return {}
    return told if isinstance(told, dict) else {}


def _codes(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield the code of an error and of those inside it, outermost first."""
    inner: object = told
    while isinstance(inner, dict):
        if isinstance(inner.get("code"), str):
            yield inner["code"]
        inner = inner.get("innerError") or inner.get("innererror")
