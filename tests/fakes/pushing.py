"""Channels of the fake provider: it keeps whom it promised to call, and a test makes the calls."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Protocol

from syncd.model.errors import NotFoundError, SyncdError
from syncd.model.ids import CalendarKey
from syncd.ports.pushing import Granted, Pushing, Wish
from tests.fakes.calendars import FakeCalendar
from tests.fakes.clock import FakeClock

_numbers = count(1)


@dataclass(frozen=True, kw_only=True)
class Promise:
    """A channel at the provider; ``told`` is how much of the calendar's log it has called for."""

    wish: Wish
    calendar: CalendarKey
    until: datetime
    told: int


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as it arrives at us."""

    channel: str
    secret: str


class Callers:
    """The provider's side: ``promises`` by its own ids, the wishes it got, what goes wrong."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.promises = dict[str, Promise]()
        self.wishes = list[Wish]()
        self.closed = list[str]()
        self.lifetime = timedelta(hours=5)
        self.renewed_at = 0.8  # of the lifetime
        self.extends = False  # as one does that needs no new channel
        self.takes = timedelta()  # until a channel is open
        self.reaches = False  # before it answers, as one with a handshake does
        self.refusing = dict[CalendarKey, SyncdError]()
        self.failing: SyncdError | None = None  # of everything that is asked about channels

    def granted(self, remote: str) -> Granted:
        now = self.clock.now()
        renew_at, until = now + self.lifetime * self.renewed_at, now + self.lifetime
        return Granted(remote=remote, renew_at=renew_at, expires_at=until, reached=self.reaches)

    def calls(self, calendars: dict[CalendarKey, FakeCalendar]) -> Iterator[Call]:
        """Yield a call for each change since the last calls, through every living channel."""
        for remote, one in list(self.promises.items()):
            if one.until <= self.clock.now() or one.calendar not in calendars:
                continue
            length = len(calendars[one.calendar].log)
            self.promises[remote] = replace(one, told=length)
            call = Call(channel=one.wish.id, secret=one.wish.secret.reveal())
            yield from [call] * (length - one.told)

    def first_calls(self) -> Iterator[Call]:
        """Yield what says of each channel that it works."""
        for one in self.promises.values():
            yield Call(channel=one.wish.id, secret=one.wish.secret.reveal())


class Side(Protocol):
    """What channels touch of the server."""

    calendars: dict[CalendarKey, FakeCalendar]
    callers: Callers


class FakePushing(Pushing):
    """Keeps every promise of ``Pushing`` unless a fault says else."""

    def __init__(self, side: Side) -> None:
        self._there = side

    async def open_channel(self, calendar: CalendarKey, wish: Wish) -> Granted:
        callers = self._check()
        callers.wishes.append(wish)
        callers.clock.advance(callers.takes)
        if calendar in callers.refusing:
            raise callers.refusing[calendar]
        if calendar not in self._there.calendars:
            raise NotFoundError("no such calendar")
        remote = f"remote-{next(_numbers)}"
        granted = callers.granted(remote)
        callers.promises[remote] = Promise(
            wish=wish,
            calendar=calendar,
            until=granted.expires_at,
            told=len(self._there.calendars[calendar].log),
        )
        return granted

    async def extend_channel(self, channel: str, remote: str) -> Granted | None:
        callers = self._check()
        if not callers.extends:
            return None
        found = callers.promises.get(remote)
        if found is None:
            raise NotFoundError("no such subscription")
        assert found.wish.id == channel
        granted = callers.granted(remote)
        callers.promises[remote] = replace(found, until=granted.expires_at)
        return granted

    async def close_channel(self, channel: str, remote: str) -> None:
        callers = self._check()
        found = callers.promises.pop(remote, None)
        assert found is None or found.wish.id == channel
        callers.closed.append(remote)

    def _check(self) -> Callers:
        if self._there.callers.failing:
            raise self._there.callers.failing
        return self._there.callers
