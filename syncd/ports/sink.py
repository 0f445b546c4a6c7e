"""Where messages are pushed to (design §4); a target that fails is told of, never raised."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

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
    only if it named a time. ``at`` is when it answered, None for just now.
    """

    took: timedelta
    code: int | None = None
    answer: bytes = b""
    error: str | None = None
    gone: bool = False
    retry_after: timedelta | None = None
    at: datetime | None = None


class Sink(Protocol):
    """One kind of target; signing secrets are opened only in here (I16)."""

    def body(self, subscription: Subscription, message: Message) -> bytes:
        """Return a message as it is sent, always the same bytes."""
        ...

    async def send(self, subscription: Subscription, message: Message) -> Receipt:
        """Try once, for a limited time."""
        ...


Attempt = Callable[[], Awaitable[Receipt]]


@runtime_checkable
class BurstSink(Sink, Protocol):
    """A further power: to write and sign messages ahead of their turns."""

    def prepare(self, subscription: Subscription, messages: Sequence[Message]) -> Sequence[Attempt]:
        """Return an attempt at each, as ``send`` makes it; they carry the time of now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReceipt:
    """What became of a page: the first ``arrived`` messages are there, and none behind them.

    ``rest`` is the receipt of the one that comes next; None if all arrived, or if the target only
    took fewer at once, at least one of them.
    """

    arrived: Sequence[Receipt]
    rest: Receipt | None = None


@runtime_checkable
class PageSink(Sink, Protocol):
    """A further power: to take many messages at once, and keep their order."""

    async def send_page(
        self, subscription: Subscription, messages: Sequence[Message]
    ) -> PageReceipt:
        """Try once, for a limited time; what comes behind one that failed must not arrive."""
        ...
