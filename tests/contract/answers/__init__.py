"""Answers as providers word them, and what each means (providers.md “Errors”).

Graph's and EWS's tables are their adapters' own, beside their tests in ``tests/providers/``.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

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
    TransientError,
    UnsupportedError,
)
from syncd.providers.answers import PassingError


class Means(StrEnum):
    """The classes of providers.md's table."""

    TRANSIENT = "transient"
    THROTTLED = "throttled"
    FULL_READ = "need a full read"
    DEAD = "candidate for a dead sign-in"
    FORBIDDEN = "forbidden"
    GONE = "gone"
    MALFORMED = "malformed"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    LACKING = "the provider lacks it"
    OPERATOR = "operator alarm"


_CLASSES: tuple[tuple[type[SyncdError], Means], ...] = (
    (PassingError, Means.TRANSIENT),
    (TransientError, Means.THROTTLED),
    (SyncTokenExpiredError, Means.FULL_READ),
    (RelinkRequiredError, Means.DEAD),
    (ForbiddenError, Means.FORBIDDEN),
    (NotFoundError, Means.GONE),
    (MalformedReplyError, Means.MALFORMED),
    (ConflictError, Means.CONFLICT),
    (InvalidError, Means.REJECTED),
    (UnsupportedError, Means.LACKING),
    (MisconfiguredError, Means.OPERATOR),
)


def class_of(error: SyncdError) -> Means:
    """Return what an error says that its caller must do."""
    return next(means for kind, means in _CLASSES if isinstance(error, kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An answer, what was asked, and what it means; ``wait`` is the patience it asks for."""

    asked: str
    status: int
    body: bytes = b""
    kind: str = ""
    headers: tuple[str, ...] = ()
    means: Means
    wait: int | None = None  # seconds
    flavour: str = ""

    @property
    def name(self) -> str:
        """What tells it apart, as the name of its test."""
        found = re.search(rb'(?:"reason": "|<x:)([\w-]+)', self.body)
        end = b" ".join(self.body.split())[-50:]
        words = (found[1] if found else end).decode("latin-1") or "empty"
        parts = (self.flavour, self.asked, str(self.status), *self.headers, words)
        return " ".join(filter(None, parts))
