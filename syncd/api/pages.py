"""Page tokens, and pages spliced from stored bytes without decoding them (api.md R11, K10, K35)."""

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from syncd.model.errors import InvalidError
from syncd.model.ids import Cursor, short
from syncd.model.merged import MergedCursor

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page of a list begins: its number, what it follows, the first page's cursor."""

    number: int = 1
    behind: tuple[Any, ...] | None = None
    cursor: str | None = None


def read_page(text: str | None, *, of: str) -> Place:
    """Read the token of a list named ``of``; raises InvalidError for another list's."""
    if text is None or text == "1":
        return Place()
    try:
        check, number, behind, cursor = orjson.loads(
            base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        )
    except (binascii.Error, ValueError, TypeError):
        raise _foreign() from None
    if check != _check(of, number, behind, cursor):
        raise _foreign()
    return Place(number=number, behind=tuple(behind), cursor=cursor)


def page_token(*, of: str, number: int, behind: Sequence[Any], cursor: str | None) -> str:
    """Return the token of the page ``number`` that begins behind a sort key."""
    told = [_check(of, number, list(behind), cursor), number, list(behind), cursor]
    return base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")


def cut(
    found: Sequence[T],
    size: int,
    *,
    of: str,
    place: Place,
    key: Callable[[T], Sequence[Any]] = lambda one: [one.id],  # type: ignore[attr-defined]  # most have
) -> tuple[Sequence[T], dict[str, Any]]:
    """Return the objects of a page, and what stands around them in its answer.

    Of ``found`` there is one more than ``size`` if a page follows; ``key`` returns what the list
    is sorted by.
    """
    shown, following = found[:size], None
    if len(found) > size:
        behind = key(shown[-1])
        following = page_token(of=of, number=place.number + 1, behind=behind, cursor=None)
    return shown, {"count": len(shown), "page": place.number, "next_page": following}


def spliced(head: bytes, *members: tuple[str, Any]) -> bytes:
    """Return a stored JSON object with further members at its end."""
    told = orjson.dumps(dict(members))
    return told if head == b"{}" else head[:-1] + b"," + told[1:]


def joined(objects: Iterable[bytes], **members: Any) -> bytes:  # noqa: ANN401 - JSON
    """Return an object whose ``objects`` are stored bytes, with further members behind them."""
    told = orjson.dumps(members)
    return b'{"objects":[' + b",".join(objects) + b"]," + told[1:]


def spliced_page(
    bodies: Sequence[bytes], cursors: Iterable[Cursor | MergedCursor], end: str
) -> bytes:
    """Return a page of activities (K35): stored records, each with the cursor behind it.

    Nothing is decoded and each record is copied once: a view leaves its closing brace out.
    """
    pieces: list[bytes | memoryview] = []
    for body, cursor in zip(bodies, cursors, strict=True):
        pieces += (memoryview(body)[:-1], b',"cursor":"', str(cursor).encode(), b'"},')
    if pieces:
        pieces[-1] = b'"}'
    told = orjson.dumps(
        {"count": len(bodies), "cursor": end, "type": "object_list", "api": "events"}
    )
    return b"".join((b'{"objects":[', *pieces, b"],", memoryview(told)[1:]))


def _check(of: str, number: object, behind: object, cursor: object) -> str:
    return short(of, orjson.dumps([number, behind, cursor]).decode(), length=8)


def _foreign() -> InvalidError:
    return InvalidError("this is no page of this list; begin without page", field="page")
