"""Where messages are pushed to (design §4); a target that fails is told of, never raised."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from syncd.model.ids import ProfileId
from syncd.model.subscription import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is to be sent; ``record`` is K42's object, empty in a test. ``at`` is its time."""

    id: str
    word: str
    at: datetime
    profile_id: ProfileId | None = None
    cursor: str = ""
    object_id: str = ""
    record_id: str = ""
    record: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the target made of it; ``error`` is None if it was delivered.

    ``answer`` is the beginning of what it said. ``gone``: it wants no more, ever. ``retry_after``
    only if it named a time.
    """

    took: timedelta
    code: int | None = None
    answer: bytes = b""
    error: str | None = None
    gone: bool = False
    retry_after: timedelta | None = None


class Sink(Protocol):
    """One kind of target; signing secrets are opened only in here (I16)."""

    def body(self, subscription: Subscription, message: Message) -> bytes:
        """Return a message as it is sent, always the same bytes."""
        ...

    async def send(self, subscription: Subscription, message: Message) -> Receipt:
        """Try once, for a limited time."""
        ...
