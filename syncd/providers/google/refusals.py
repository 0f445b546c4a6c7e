"""What an answer of Google that is no success means (providers.md §3): reasons before statuses."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    MisconfiguredError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    SyncTokenExpiredError,
    ThrottledError,
    UnsupportedError,
)
from syncd.providers.answers import LONGEST_WAIT, PassingError
from syncd.providers.limits import SpentError

_THROTTLED = frozenset({
    *("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"),
    *("dailyLimitExceededUnreg", "RATE_LIMIT_EXCEEDED"),
})  # fmt: skip
_DAILY = frozenset({"dailyLimitExceeded", "dailyLimitExceededUnreg"})
_NAMED = re.compile(r"limit '([^']+)' of service '[^']+' for consumer 'project")
_EXPIRED = frozenset({"fullSyncRequired", "updatedMinTooLongAgo"})
_EXPIRED_PEOPLE = "EXPIRED_SYNC_TOKEN"  # with 400, whatever the status is said to be
_OPERATOR = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
_NO_PUSH = "pushNotSupportedForRequestedResource"  # calendars that Google makes up itself (G12)
_ADDRESS = "push.webhookUrl"  # begins reasons for which it does not accept where to call
_PASSING = frozenset({408, 423, 425})
_STATUSES: dict[int, type[SyncdError]] = {
    401: RelinkRequiredError,
    403: ForbiddenError,
    404: NotFoundError,
    405: MalformedReplyError,
    409: ConflictError,
    410: NotFoundError,
    412: ConflictError,
    501: MalformedReplyError,
}


class DuplicateError(ConflictError):
    """An object with our own id is there already: it was created before (G7)."""


class DisabledError(MisconfiguredError):
    """The API is not switched on in the project of the operator's client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An answer that is no success, and what was asked.

    ``wait`` is what ``Retry-After`` says and ``waits`` whether it was there; ``feed`` tells that
    the request went on from a sync token.
    """

    status: int
    body: bytes
    wait: timedelta | None = None
    waits: bool = False
    writes: bool = False
    feed: bool = False


def refusal(given: Refused) -> SyncdError:
    """Return the error of the tree that says what the caller must do."""
    told = _told(given.body)
    entries = list(_entries(told))
    reasons = {str(one.get("reason", "")) for one in entries}
    words = told.get("message")
    message = f"Google answered {given.status}" + (f": {words}" if isinstance(words, str) else "")
    if _throttles(given, entries, reasons):
        if reasons & _DAILY:
            return SpentError(message, retry_after=given.wait, lasts=LONGEST_WAIT)
        mine = not _is_everybodys(entries, str(words))
        return (ThrottledError if mine else SpentError)(message, retry_after=given.wait)
    if _expires(given, told, entries, reasons):
        return SyncTokenExpiredError(message)
    return (_named(given, reasons) or _plain(given))(message)


def _named(given: Refused, reasons: set[str]) -> type[SyncdError] | None:
    """Return what a reason says by its name alone, if one does."""
    if reasons & _OPERATOR:
        return DisabledError
    if any(one.startswith(_ADDRESS) for one in reasons):
        return MisconfiguredError
    if _NO_PUSH in reasons:
        return UnsupportedError
    if given.status == 409 and "duplicate" in reasons:  # noqa: PLR2004 - Conflict
        return DuplicateError
    return None


def _throttles(given: Refused, entries: list[dict[str, Any]], reasons: set[str]) -> bool:
    if given.status == 403:  # noqa: PLR2004 - Forbidden, which for Google is many things (G10)
        limits = any(one.get("domain") == "usageLimits" for one in entries)
        return bool(reasons & _THROTTLED) or (limits and not reasons & _OPERATOR)
    return given.status == 429 or (given.status == 503 and given.waits)  # noqa: PLR2004


def _is_everybodys(entries: list[dict[str, Any]], words: str) -> bool:
    """Tell whether a limit of the whole project is meant, as its unit or its name says (G10).

    Units are ``1/min/{project}`` and ``1/min/{project}/{user}``; older answers name the limit.
    """
    for one in entries:
        held = one.get("metadata")
        unit = held.get("quota_unit") if isinstance(held, dict) else None
        if isinstance(unit, str):
            return unit.endswith("/{project}")
    named = _NAMED.search(words)
    return named is not None and "per user" not in named[1].lower()


def _expires(
    given: Refused, told: dict[str, Any], entries: list[dict[str, Any]], reasons: set[str]
) -> bool:
    if _EXPIRED_PEOPLE in reasons:
        return True
    if given.status == 410:  # noqa: PLR2004 - Gone
        return bool(reasons & _EXPIRED) or (given.feed and "deleted" not in reasons)
    named = any(one.get("location") == "syncToken" for one in entries)
    stale = told.get("status") == "FAILED_PRECONDITION"  # of People, where no reason is named
    return given.status == 400 and given.feed and (named or stale)  # noqa: PLR2004 - Bad Request


def _plain(given: Refused) -> type[SyncdError]:
    status = given.status
    if status in _STATUSES:
        return _STATUSES[status]
    if status in _PASSING or 500 <= status <= 599:  # noqa: PLR2004 - the provider's own trouble
        return PassingError
    client = 400 <= status <= 499  # noqa: PLR2004 - the class of refusals
    return InvalidError if given.writes and client else MalformedReplyError


def _told(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)["error"]
    except (ValueError, TypeError, KeyError):
        return {}
    return told if isinstance(told, dict) else {}


def _entries(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what has a reason: ``errors`` of old, and ``details`` with an ErrorInfo."""
    for name in ("errors", "details"):
        some = told.get(name)
        yield from (one for one in some if isinstance(one, dict)) if isinstance(some, list) else ()
