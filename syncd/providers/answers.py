"""What an HTTP answer means (providers.md §3), and when to ask again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum, auto

from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    ThrottledError,
    TransientError,
    UnsupportedError,
)
from syncd.model.retry import retry_after

LONGEST_WAIT = timedelta(hours=1)


class PassingError(TransientError):
    """A failure that the same request may not meet again at once.

    ``smaller`` tells that a smaller request may be answered.
    """

    def __init__(self, message: str, *, smaller: bool = False) -> None:
        """Say why."""
        super().__init__(message)
        self.smaller = smaller


class UnansweredError(PassingError):
    """A write went out and no answer came: it may have been done."""


class LockedError(PassingError):
    """Somebody else is writing there: this write was not done (RFC 4918 §11.3)."""


class OversizeError(MalformedReplyError):
    """More than we take, or more than they give, in one answer; a smaller request may work."""


class IllegibleError(OversizeError):
    """A text holds what the answer's format cannot; a smaller request may leave that one out."""


class AbsentError(MalformedReplyError):
    """The server lacks the method or the report."""


class Means(Enum):
    """What a status says, before its body is looked at."""

    GOOD = auto()
    REFUSED = auto()
    FORBIDDEN = auto()
    GONE = auto()
    ABSENT = auto()
    OVERSIZE = auto()
    THROTTLED = auto()
    TRANSIENT = auto()
    LOCKED = auto()
    MALFORMED = auto()
    CONFLICT = auto()
    REJECTED = auto()
    UNSUPPORTED = auto()


READS: Mapping[int, Means] = {
    401: Means.REFUSED,
    403: Means.FORBIDDEN,
    404: Means.GONE,
    405: Means.ABSENT,
    408: Means.TRANSIENT,
    410: Means.GONE,
    413: Means.OVERSIZE,
    423: Means.TRANSIENT,
    425: Means.TRANSIENT,
    429: Means.THROTTLED,
    501: Means.ABSENT,
    507: Means.OVERSIZE,
}

WRITES: Mapping[int, Means] = {
    **{status: READS[status] for status in (401, 403, 404, 408, 410, 425, 429)},
    405: Means.UNSUPPORTED,
    409: Means.CONFLICT,
    412: Means.CONFLICT,
    423: Means.LOCKED,
    501: Means.UNSUPPORTED,
}

_ERRORS: Mapping[Means, type[SyncdError]] = {
    Means.REFUSED: RelinkRequiredError,
    Means.LOCKED: LockedError,
    Means.FORBIDDEN: ForbiddenError,
    Means.GONE: NotFoundError,
    Means.ABSENT: AbsentError,
    Means.OVERSIZE: OversizeError,
    Means.CONFLICT: ConflictError,
    Means.REJECTED: InvalidError,
    Means.UNSUPPORTED: UnsupportedError,
}


def meaning(status: int, *, wait_named: bool) -> Means:
    """Return what a status means to a request that only reads.

    ``wait_named`` tells that the answer has a ``Retry-After``, which makes a 503 a throttle. What
    is not in the table is Transient from 500 on, and else no answer at all.
    """
    if status == 503 and wait_named:  # noqa: PLR2004 - Service Unavailable
        return Means.THROTTLED
    if 200 <= status <= 299:  # noqa: PLR2004 - the success class
        return Means.GOOD
    unlisted = Means.TRANSIENT if 500 <= status <= 599 else Means.MALFORMED  # noqa: PLR2004
    return READS.get(status, unlisted)


def meaning_of_write(status: int, *, wait_named: bool) -> Means:
    """Return what a status means to a request that changes something.

    An unknown 4xx is the provider's refusal of what was sent.
    """
    if status == 503 and wait_named:  # noqa: PLR2004 - Service Unavailable
        return Means.THROTTLED
    if 200 <= status <= 299:  # noqa: PLR2004 - the success class
        return Means.GOOD
    unlisted = Means.TRANSIENT if 500 <= status <= 599 else Means.MALFORMED  # noqa: PLR2004
    refused = Means.REJECTED if 400 <= status <= 499 else unlisted  # noqa: PLR2004
    return WRITES.get(status, refused)


def error_of(means: Means, message: str, *, retry_after: timedelta | None = None) -> SyncdError:
    """Return the error of the tree that says what the caller must do."""
    if means is Means.THROTTLED:
        return ThrottledError(message, retry_after=retry_after)
    if means is Means.TRANSIENT:
        return PassingError(message, smaller=True)
    return _ERRORS.get(means, MalformedReplyError)(message)


def wait_of(text: str | None, now: datetime) -> timedelta | None:
    """Read a ``Retry-After``: seconds or a date, at most an hour; None for anything else."""
    return retry_after(text, now, LONGEST_WAIT)
