"""A poller on a real store with a fake provider, and an independent reader of the stream."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from syncd.engine.hints import Hints
from syncd.engine.hub import Hub
from syncd.engine.plan import Plan
from syncd.engine.poll import Polled, Poller
from syncd.engine.records import account_record
from syncd.engine.written import Written
from syncd.model.access import User
from syncd.model.activity import Activity, Filter, Kind, Type
from syncd.model.event import Event
from syncd.model.ids import Position, ProfileId, UserId
from syncd.model.profile import Profile
from syncd.store.open import SqlStore
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter
from tests.fakes.provider import FakeCalendar, FakeServer
from tests.store.opening import opened

USER = UserId("acc_ada")
INTERVAL = timedelta(seconds=60)
BASE = "https://syncd.example/v1/push"
PLAN = Plan(default_interval=INTERVAL)
EVERYTHING = Filter(kinds=frozenset(Kind))


@dataclass
class Ground:
    """Everything that a poll touches."""

    store: SqlStore
    server: FakeServer
    clock: FakeClock
    hub: Hub
    meter: FakeMeter
    poller: Poller
    profile_id: ProfileId
    written: Written
    hints: Hints

    async def profile(self) -> Profile:
        return await self.store.profile(self.profile_id)

    async def poll(self, *, listing: bool = False, after: timedelta = INTERVAL) -> Polled:
        """Poll as the schedule would, ``after`` the last time."""
        self.clock.advance(after)
        return await self.poller.poll(await self.profile(), listing=listing)

    async def activities(self, after: int = 0) -> tuple[Activity, ...]:
        found, at = list[Activity](), Position(after)
        while True:
            stream, some, at = await self.store.read(
                self.profile_id, after=at, limit=1000, wanted=EVERYTHING
            )
            found += some
            if at >= stream.head:
                return tuple(found)

    async def told(self, after: int = 0) -> list[str]:
        """Return the records as short words: ``add event Review``."""
        return [word(one) for one in await self.activities(after)]

    async def head(self) -> int:
        return (await self.store.stream(self.profile_id)).head


def word(activity: Activity) -> str:
    record = orjson.loads(activity.body)
    name = record["metadata"].get("name") or record["metadata"].get("state") or ""
    return f"{record['type']} {activity.kind} {name}".strip()


@asynccontextmanager
async def ground(
    where: Path, *, plan: Plan = PLAN, page_size: int = 100, draw: Callable[[], float] = lambda: 0.5
) -> AsyncIterator[Ground]:
    """Open a store in ``where`` with one profile, connected and not yet polled."""
    clock = FakeClock()
    async with opened(where, clock=clock) as store:
        await store.add_user(User(id=USER, name="ada", created=clock.now()))
        yield await on_store(store, clock, plan=plan, page_size=page_size, draw=draw)


async def on_store(
    store: SqlStore,
    clock: FakeClock,
    *,
    plan: Plan = PLAN,
    page_size: int = 100,
    draw: Callable[[], float] = lambda: 0.5,
) -> Ground:
    """Add one more profile, of a server of its own."""
    server, hub, meter = FakeServer(page_size=page_size), Hub(), FakeMeter()
    now, profile_id = clock.now(), await store.reserve_profile()
    profile = Profile(
        id=profile_id,
        user_id=USER,
        provider="caldav",
        login="ada@example.org",
        identity=f"https://dav.example/{profile_id}",
        created=now,
        modified=now,
        state_since=now,
        next_poll_at=now,
    )
    await store.add_profile(profile, sealed={}, records=[account_record(Type.ADD, profile, now)])
    server.callers.clock = clock
    written = Written(clock)
    hints = Hints(store, server, clock, meter, base=BASE, interval=plan.pushed_interval)
    poller = Poller(store, server, hub, clock, meter, plan, draw=draw, written=written, hints=hints)
    return Ground(store, server, clock, hub, meter, poller, profile_id, written, hints)


def event(name: str, day: int = 1, **fields: Any) -> Event:  # noqa: ANN401 - any field
    """Return a timed event of one hour in November 2026."""
    start = datetime(2026, 11, day, 9, tzinfo=UTC)
    plain = {"uid": name, "name": name, "start": start, "end": start + timedelta(hours=1)}
    return Event(**{**plain, **fields})


def series(name: str, day: int = 1, *, rule: str = "RRULE:FREQ=DAILY", **fields: Any) -> Event:  # noqa: ANN401 - any field
    """Return a series that begins on a day of November 2026."""
    return event(name, day, recurrence=(rule,), **fields)


def exception(name: str, day: int, *, uid: str, **fields: Any) -> Event:  # noqa: ANN401 - any field
    """Return an exception to the series ``uid``, at the day's usual start unless told."""
    plain = event(name, day)
    return event(name, day, **{"uid": uid, "original_start": plain.start, **fields})


def all_day(name: str, day: int, days: int = 1, **fields: Any) -> Event:  # noqa: ANN401 - any field
    """Return an all-day event."""
    first = date(2026, 11, day)
    return event(name, start=first, end=first + timedelta(days=days), **fields)


def filled(here: Ground, count: int, key: str = "/work/", name: str = "Work") -> FakeCalendar:
    calendar = here.server.add(key, name)
    for number in range(count):
        calendar.put(f"{number:03}.ics", event(f"Event {number}"))
    return calendar
