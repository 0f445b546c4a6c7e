"""Which profiles are polled when, and together with which (F39, N13)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.engine.control import Control
from syncd.engine.plan import Plan
from syncd.engine.poll import Keep, Polled
from syncd.engine.prune import Pruner
from syncd.engine.tick import Ticker
from syncd.model.errors import ConflictError, NotFoundError, RelinkRequiredError, TransientError
from syncd.model.ids import ProfileId
from syncd.model.profile import Profile, Reason, changed
from syncd.ports.store import Store
from syncd.ports.store.profiles import PollNote
from tests.engine.ground import PLAN, Ground, event, ground, on_store
from tests.store.opening import counted

SECOND = timedelta(seconds=1)


@dataclass
class SlowPoller:
    """Polls as long as it is told to; a poll counts one activity."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[ProfileId] = field(default_factory=list)
    most: int = 0
    running: int = 0
    fault: Exception | None = None

    async def poll(
        self, profile: Profile, *, listing: bool = False, keep: Keep | None = None
    ) -> Polled:
        assert listing in {True, False}
        assert keep is not None
        self.begun.append(profile.id)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.gate.wait()
            if self.fault:
                raise self.fault
        finally:
            self.running -= 1
        return Polled(activities=1)


@dataclass
class Shop:
    here: Ground
    poller: SlowPoller
    ticker: Ticker


@asynccontextmanager
async def shop(where: Path, plan: Plan = PLAN, *, profiles: int = 1) -> AsyncIterator[Shop]:
    async with ground(where) as here:
        for _ in range(profiles - 1):
            await on_store(here.store, here.clock)
        poller = SlowPoller()
        ticker = Ticker(here.store, poller, here.clock, here.meter, plan)  # type: ignore[arg-type]
        async with ticker:
            yield Shop(here, poller, ticker)


async def test_a_profile_is_polled_once_at_a_time(tmp_path: Path) -> None:
    async with shop(tmp_path) as made:
        for _ in range(3):
            await made.ticker.tick()
            await asyncio.sleep(0)
        assert made.poller.begun == [made.here.profile_id]


async def test_a_tick_returns_while_polls_run_and_bounds_them(tmp_path: Path) -> None:
    async with shop(tmp_path, Plan(polls_at_once=2), profiles=5) as made:
        for _ in range(4):
            made.here.clock.advance(SECOND)
            await made.ticker.tick()
            await asyncio.sleep(0)
        assert len(made.poller.begun) == made.poller.most == 2


async def test_a_tick_starts_a_seconds_polls_though_few_run_at_once(tmp_path: Path) -> None:
    """2,000 profiles a minute are 33 a second; those beyond the bound take turns."""
    plan = Plan(polls_at_once=2, polls_per_second=5)
    async with shop(tmp_path, plan, profiles=7) as made:
        made.poller.gate.set()
        await made.ticker.tick()
        await made.ticker.settled()
        assert len(set(made.poller.begun)) == len(made.poller.begun) == 5
        assert made.poller.most <= 2


async def test_after_a_restart_polls_start_at_the_rate_of_the_plan(tmp_path: Path) -> None:
    """F39."""
    plan = Plan(polls_per_second=3, polls_at_once=100)
    async with shop(tmp_path, plan, profiles=10) as made:
        started = list[int]()
        for _ in range(4):
            await made.ticker.tick()
            await asyncio.sleep(0)
            started.append(len(made.poller.begun))
            made.here.clock.advance(SECOND)
        assert started == [3, 6, 9, 10]


async def test_leaving_cancels_what_runs(tmp_path: Path) -> None:
    async with shop(tmp_path) as made:
        await made.ticker.tick()
        await asyncio.sleep(0)
        assert made.poller.running == 1
    assert made.poller.running == 0


async def test_a_fault_of_ours_costs_one_profile_its_turn(tmp_path: Path) -> None:
    async with shop(tmp_path, profiles=2) as made:
        made.poller.fault = RuntimeError("a bug")
        made.poller.gate.set()
        await made.ticker.tick()
        await made.ticker.settled()
        profile = await made.here.profile()
        assert profile.last_error
        assert profile.last_error.code == "internal_error"
        assert profile.next_poll_at
        assert profile.next_poll_at > made.here.clock.now()
        assert len(made.poller.begun) == 2


async def test_polling_now_joins_a_poll_that_runs(tmp_path: Path) -> None:
    """N13."""
    async with shop(tmp_path) as made:
        await made.ticker.tick()
        async with asyncio.TaskGroup() as group:
            joined = [
                group.create_task(
                    made.ticker.poll_now(made.here.profile_id, wait=timedelta(seconds=9))
                )
                for _ in range(3)
            ]
            await asyncio.sleep(0.05)
            made.poller.gate.set()
        assert [one.result() for one in joined] == [1, 1, 1]
        assert len(made.poller.begun) == 1


async def test_polling_now_is_once_a_second_at_most(tmp_path: Path) -> None:
    """N13."""
    async with shop(tmp_path) as made:
        made.poller.gate.set()
        for _ in range(3):
            assert await made.ticker.poll_now(made.here.profile_id, wait=SECOND) == 1
        assert len(made.poller.begun) == 1
        made.here.clock.advance(SECOND)
        await made.ticker.poll_now(made.here.profile_id, wait=SECOND)
        assert len(made.poller.begun) == 2


async def test_a_poll_outlives_the_one_who_waited_for_it(tmp_path: Path) -> None:
    """N13: 202 or a wait that is over, the poll goes on."""
    async with shop(tmp_path) as made:
        short = timedelta(milliseconds=10)
        assert await made.ticker.poll_now(made.here.profile_id, wait=None) is None
        assert await made.ticker.poll_now(made.here.profile_id, wait=short) is None
        assert made.poller.running == 1


async def test_paused_and_disconnected_profiles_are_not_polled(tmp_path: Path) -> None:
    """N13: 409 and 423."""
    async with shop(tmp_path) as made:
        here = made.here
        await Control(here.store, here.hub, here.clock).pause(here.profile_id)
        with pytest.raises(ConflictError):
            await made.ticker.poll_now(here.profile_id, wait=None)
        resumed = await Control(here.store, here.hub, here.clock).resume(here.profile_id)
        await here.store.save_profile(
            changed(resumed, here.clock.now(), refused=Reason.INVALID_GRANT)
        )
        with pytest.raises(RelinkRequiredError):
            await made.ticker.poll_now(here.profile_id, wait=None)
        with pytest.raises(NotFoundError):
            await made.ticker.poll_now(ProfileId(999), wait=None)
        await made.ticker.tick()
        assert made.poller.begun == []


async def test_pruning_goes_through_all_profiles_in_small_steps(tmp_path: Path) -> None:
    """S9, K39."""
    async with ground(tmp_path) as here:
        work = here.server.add("/work/")
        for number in range(1200):
            work.put(f"{number}.ics", event(f"Event {number}"))
        await here.poll()
        head = await here.head()
        pruner = Pruner(here.store, here.clock, here.meter, days=30, activities=100)
        assert await pruner.prune() == head - 100
        stream = await here.store.stream(here.profile_id)
        assert (stream.floor, stream.head) == (head - 100, head)
        here.clock.advance(timedelta(days=31))
        assert await pruner.prune() == 100
        assert len(await here.activities()) == 0


async def test_quiet_polls_are_noted_together_by_the_next_tick(tmp_path: Path) -> None:
    """A poll that found nothing costs no transaction of its own, and none is forgotten."""
    async with shop(tmp_path, profiles=3) as made:
        here = made.here
        async with Ticker(here.store, here.poller, here.clock, here.meter, PLAN) as ticker:
            await ticker.tick()  # first reads are noted at once
            await ticker.settled()
            here.clock.advance(PLAN.default_interval * 2)
            await ticker.tick()
            while ticker._running:
                await asyncio.wait(ticker._running.values())
            before = [one.polled_at for one in await here.store.profiles()]
            with counted(here.store) as statements:
                await ticker.tick()
            noted = await here.store.profiles()
        assert [sql.split()[0] for sql, _ in statements] == ["UPDATE", "SELECT"]
        assert here.clock.now() not in before
        assert {one.polled_at for one in noted} == {here.clock.now()}
        assert not await here.store.due(here.clock.now(), limit=10)


async def test_notes_wait_for_a_store_that_cannot_write(tmp_path: Path) -> None:
    """F35: nothing is polled meanwhile, and what was polled is noted when it can."""
    async with shop(tmp_path) as made:
        here = made.here
        full = Full(here.store)
        async with Ticker(full, here.poller, here.clock, here.meter, PLAN) as ticker:
            await ticker.tick()
            await ticker.settled()
            here.clock.advance(PLAN.default_interval * 2)
            await ticker.tick()
            while ticker._running:
                await asyncio.wait(ticker._running.values())
            full.full = True
            with pytest.raises(TransientError):
                await ticker.tick()
            assert not ticker._running
            full.full = False
            await ticker.tick()
        (noted,) = await here.store.profiles()
        assert noted.polled_at == here.clock.now()


class Full:
    """A store whose disk is full when it is told so."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.full = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of the store
        return getattr(self._store, name)

    async def note_polls(self, notes: Sequence[PollNote]) -> None:
        if self.full:
            raise TransientError("the disk is full")
        await self._store.note_polls(notes)


async def test_an_older_note_is_never_written_over_a_newer_poll(tmp_path: Path) -> None:
    """A quiet poll waits to be noted, while somebody asks for another, which fails."""
    async with shop(tmp_path) as made:
        here = made.here
        async with Ticker(here.store, here.poller, here.clock, here.meter, PLAN) as ticker:
            await ticker.tick()
            await ticker.settled()
            here.clock.advance(PLAN.default_interval * 2)
            await ticker.tick()
            while ticker._running:
                await asyncio.wait(ticker._running.values())
            here.clock.advance(SECOND)
            here.server.faults.opening = TransientError("it rests")
            await ticker.poll_now(here.profile_id, wait=SECOND)
        (noted,) = await here.store.profiles()
        assert noted.failures == 1
        assert noted.last_error is not None


async def test_a_poll_that_ends_while_due_ones_are_read_is_not_repeated(tmp_path: Path) -> None:
    async with shop(tmp_path) as made:
        here = made.here
        async with Ticker(here.store, here.poller, here.clock, here.meter, PLAN) as ticker:
            await ticker.tick()
            await ticker.settled()
            here.clock.advance(PLAN.default_interval * 2)
            slow = Overtaken(here.store, ticker)
            ticker._store = slow
            await ticker.tick()
            slow.waiting = True
            await ticker.tick()
            assert not ticker._running
        assert here.meter.counts["polls_total"] == 2


class Overtaken:
    """A store whose answer of what is due travels until every poll that runs has ended."""

    def __init__(self, store: Store, ticker: Ticker) -> None:
        self._store = store
        self._ticker = ticker
        self.waiting = False

    async def due(self, *asked: Any, **named: Any) -> Any:  # noqa: ANN401 - the store's own
        found = await self._store.due(*asked, **named)
        while self.waiting and self._ticker._running:
            await asyncio.wait(self._ticker._running.values())
        return found

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the store's own
        return getattr(self._store, name)
