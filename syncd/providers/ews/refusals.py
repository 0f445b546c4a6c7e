"""What Exchange's refusals mean: a status, or a code of a SOAP fault or response message (§3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    RejectedError,
    RelinkRequiredError,
    SyncdError,
    SyncTokenExpiredError,
    ThrottledError,
)
from syncd.providers.answers import (
    LONGEST_WAIT,
    Means,
    PassingError,
    error_of,
    meaning,
    meaning_of_write,
)

_SHORTEST_WAIT = timedelta(seconds=30)  # where the server says none (E3)
_BACK_OFF = re.compile(r"back[- ]?off time (\d{1,9}) milliseconds", re.IGNORECASE)

THROTTLES = frozenset({
    *("ErrorServerBusy", "ErrorExceededConnectionCount", "ErrorTooManyObjectsOpened"),
    "ErrorTimeoutExpired",
})  # fmt: skip
GONE = frozenset({
    *("ErrorItemNotFound", "ErrorFolderNotFound", "ErrorSyncFolderNotFound"),
    *("ErrorParentFolderNotFound", "ErrorCalendarOccurrenceIsDeletedFromRecurrence"),
})  # fmt: skip
_PASSING = frozenset({
    *("ErrorInternalServerTransientError", "ErrorMailboxMoveInProgress", "ErrorMailboxFailover"),
    "ErrorMailboxStoreUnavailable",
})  # fmt: skip
_ERRORS: Mapping[str, type[SyncdError]] = {
    **dict.fromkeys(GONE, NotFoundError),
    "ErrorNameResolutionNoResults": NotFoundError,
    "ErrorInvalidSyncStateData": SyncTokenExpiredError,
    "ErrorAccessDenied": ForbiddenError,
    "ErrorImpersonateUserDenied": ForbiddenError,
    "ErrorNonExistentMailbox": ForbiddenError,
    "ErrorAccountDisabled": RelinkRequiredError,
    "ErrorPasswordExpired": RelinkRequiredError,
    "ErrorPasswordChangeRequired": RelinkRequiredError,
    "ErrorIrresolvableConflict": ConflictError,
    "ErrorChangeKeyRequired": ConflictError,
    "ErrorStaleObject": ConflictError,
    "ErrorFolderExists": ConflictError,
    "ErrorSchemaValidation": MalformedReplyError,
    "ErrorInvalidRequest": MalformedReplyError,
    "ErrorInvalidServerVersion": MalformedReplyError,
    "ErrorIncorrectSchemaVersion": MalformedReplyError,
    "ErrorInvalidSchemaVersionForMailboxVersion": MalformedReplyError,
}
_CONTENT = (  # of codes: what a write sent is refused, and always will be
    *("ErrorCalendar", "ErrorInvalid", "ErrorProperty", "ErrorCannot", "ErrorUnsupported"),
    *("ErrorDeleteDistinguishedFolder", "ErrorQuotaExceeded", "ErrorMessageSizeExceeded"),
    *("ErrorMissing", "ErrorRecurrence", "ErrorRequiredPropertyMissing"),
)


class StrangeError(PassingError):
    """A code that no rule names: of a whole answer it may pass, of one item it may stay (I10)."""


OF_ONE_ITEM = (NotFoundError, InvalidError, StrangeError)  # what one item of several can have


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refusal with a code; ``back_off`` are the milliseconds that its XML names, if any."""

    code: str
    message: str = ""
    back_off: int | None = None
    writes: bool = False


def refusal(given: Refused) -> SyncdError:
    """Return the error of a code, whether it came in a SOAP fault or in a response message."""
    message = f"Exchange says {given.code}: {given.message or 'no more'}"
    if given.code in THROTTLES:
        return ThrottledError(message, retry_after=wait_of(given))
    known = _ERRORS.get(given.code)
    if known is not None:
        return known(message)
    if given.writes and given.code.startswith(_CONTENT):
        return RejectedError(message)
    return (PassingError if given.code in _PASSING else StrangeError)(message)


def wait_of(given: Refused) -> timedelta | None:
    """Return how long to wait: ``BackOffMilliseconds``, else what the text says (E3)."""
    told = _BACK_OFF.search(given.message)
    found = given.back_off if given.back_off is not None else int(told[1]) if told else None
    if found is None:
        return None
    return min(timedelta(milliseconds=found) or _SHORTEST_WAIT, LONGEST_WAIT)


def status_refusal(
    status: int, *, wait: timedelta | None, waits: bool, writes: bool
) -> SyncdError | None:
    """Return the error of an HTTP status that no SOAP fault explains, None for 200.

    ``waits`` tells that there is a ``Retry-After``, ``wait`` what it says. All of Exchange is one
    address, so that a 404 of it is nothing that could be gone.
    """
    if status == 200:  # noqa: PLR2004 - OK
        return None
    means = (meaning_of_write if writes else meaning)(status, wait_named=waits)
    message = f"the Exchange server answered {status}"
    if status == 501:  # noqa: PLR2004 - Not Implemented: nothing could be spoken there
        means = Means.MALFORMED
    elif 500 <= status <= 599:  # noqa: PLR2004 - server errors
        means = Means.THROTTLED if means is Means.THROTTLED else Means.TRANSIENT
    elif status in (400, 404, 405) or means is Means.GOOD:
        means = Means.MALFORMED
    elif status in (409, 410, 412, 413):
        means = Means.REJECTED if writes else Means.MALFORMED
    found = error_of(means, message, retry_after=wait)
    return RejectedError(message) if isinstance(found, InvalidError) else found
