"""Every error that syncd raises on purpose, sorted by what the caller must do.

SyncdError
├── TransientError            call again after ``retry_after``; never disconnects (I11)
│   ├── UpstreamError             the provider failed at what somebody waits for
│   │   └── UpstreamTimeoutError      it did not answer; what it did shows at the next poll
│   └── ThrottledError            the provider asks for patience, and may name no time
├── RelinkRequiredError       stop polling; only the person can revive the profile
├── MisconfiguredError        alarm the operator; no user can mend it (``invalid_client``)
├── SyncTokenExpiredError     read everything once, against the kept snapshot (I8)
├── MalformedReplyError       keep what we have, count it, look again at the next poll
├── StaleStateError           drop this poll: a faster one wrote first (I5)
└── RequestError              change the request
    ├── NotFoundError             it is not there, or not the caller's
    ├── InvalidError              ``field`` names what is wrong
    │   ├── ProbeError                an endpoint did not answer as its application would
    │   ├── LimitError                there are as many as one owner may have
    │   └── RejectedError             the provider says so, in its own words
    ├── ConflictError             read again, then repeat
    ├── PreconditionError         it is not the version that the caller named (R18)
    ├── ForbiddenError            the provider or the token does not allow it
    │   ├── ProtectedError            the provider lets nobody delete it
    │   └── ReadOnlyError             the calendar takes no writes
    ├── UnprovenClientError       an application did not prove who it is
    ├── UnsupportedError          the provider lacks it
    ├── OtherPersonError          a relink with another person's login (I12)
    ├── MalformedCursorError      not a cursor of ours
    └── CursorExpiredError        ``restart`` says where to go on (I4)
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any


class SyncdError(Exception):
    """The root; never raised itself."""


class TransientError(SyncdError):
    """A failure that passes by itself: network, time-out, 5xx, throttling."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        """Say why; ``retry_after`` only if the provider named a time."""
        super().__init__(message)
        self.retry_after = retry_after


class UpstreamError(TransientError):
    """The provider failed, or did not make sense, while somebody waits for the answer."""


class UpstreamTimeoutError(UpstreamError):
    """The provider did not answer in time; whether it did what was asked, the next poll tells."""


class ThrottledError(TransientError):
    """The provider turned a request away for now."""


class RelinkRequiredError(SyncdError):
    """The provider refused the credentials; a candidate until I11 is proven."""

    def __init__(self, message: str, *, reason: str = "credentials_refused") -> None:
        """``reason`` is a word of api.md N9."""
        super().__init__(message)
        self.reason = reason


class MisconfiguredError(SyncdError):
    """The operator must act."""

    def __init__(self, why: str, *, key: str | None = None) -> None:
        """``key`` is the setting to change, dotted: who read it can tell where it was set."""
        super().__init__(f"{key}: {why}" if key else why)
        self.why = why
        self.key = key


class SyncTokenExpiredError(SyncdError):
    """The provider no longer knows our sync token."""


class MalformedReplyError(SyncdError):
    """An answer that breaks the protocol; nothing of it may be used (P1)."""


class StaleStateError(SyncdError):
    """The row that this work was based on has changed meanwhile."""


class RequestError(SyncdError):
    """What was asked cannot be done as asked."""


class NotFoundError(RequestError):
    """There is no such thing, or it belongs to someone else."""


class InvalidError(RequestError):
    """A value is wrong."""

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        code: str = "",
        fault: str = "invalid",
        members: Mapping[str, Any] | None = None,
    ) -> None:
        """``field`` is the name that the caller used.

        ``code`` is a word of api.md's own for this case, told with ``members``; ``fault`` one of
        R14b's: invalid, required, unknown, too_long, not_supported.
        """
        super().__init__(message)
        self.field = field
        self.code = code
        self.fault = fault
        self.members = members or {}


class RejectedError(InvalidError):
    """A value that the provider refused."""


class ProbeError(InvalidError):
    """An endpoint did not answer the probe as its application would (K46)."""


class LimitError(InvalidError):
    """Whoever is to own it has as many already as one owner may have."""


class ConflictError(RequestError):
    """It changed meanwhile, or the name is taken."""


class PreconditionError(RequestError):
    """It is no longer the version that the caller asked to change (R18)."""


class ForbiddenError(RequestError):
    """Not allowed; never a reason to disconnect (I11)."""


class ProtectedError(ForbiddenError):
    """The provider lets nobody delete it, whatever permission they have (K16)."""


class ReadOnlyError(ForbiddenError):
    """The calendar takes no writes of this profile."""


class UnprovenClientError(RequestError):
    """An application asks for tokens with no secret of its own (RFC 6749 §5.2)."""


class UnsupportedError(RequestError):
    """The provider does not offer this."""


class OtherPersonError(RequestError):
    """Another person signed in than the one whose profile this is."""


class MalformedCursorError(RequestError):
    """Text that is no cursor."""


class CursorExpiredError(RequestError):
    """A cursor outside of what the stream retains (I4); ``reason`` is retention or epoch."""

    def __init__(self, message: str, *, reason: str, restart: str, latest: str) -> None:
        """``restart`` and ``latest`` are the oldest and the newest cursor that are valid."""
        super().__init__(message)
        self.reason = reason
        self.restart = restart
        self.latest = latest
