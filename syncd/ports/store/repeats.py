"""First answers of creating requests, for those who ask again with the same key (api.md R17)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncd.model.ids import TokenId


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request is remembered by; ``digest`` is that of its path and body."""

    token: TokenId
    route: str
    key: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The request may run. ``name`` is the one that its first attempt was given."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The request was answered; ``sealed`` is its answer."""

    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The same request runs, or its process died less than the time of a mark ago."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """The key stands for another request."""


class Repeats(Protocol):
    """Remembers requests by token, route and key."""

    async def begin_request(
        self, asked: Asked, *, name: str, now: datetime, until: datetime, kept_since: datetime
    ) -> Begun | Kept | Running | Differs:
        """Mark a request as running until it is answered, ended, or ``until`` has passed.

        Of two that come at once one is ``Begun``. What began before ``kept_since`` is forgotten;
        an attempt that was ended without an answer keeps its name and its digest.
        """
        ...

    async def keep_answer(self, asked: Asked, sealed: bytes) -> None:
        """Keep the answer."""
        ...

    async def end_request(self, asked: Asked) -> None:
        """Take the mark off: the same request may run again at once, under the same name."""
        ...

    async def forget_requests(self, *, before: datetime, limit: int = 500) -> int:
        """Remove at most ``limit`` requests that began before a time; return how many."""
        ...
