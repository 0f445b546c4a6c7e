"""What Exchange's stage says of itself is what syncd reads there, and it obeys ``Stage``."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from aiohttp import ClientSession, DummyCookieJar

from syncd.engine.hub import Hub
from syncd.engine.link import Linking
from syncd.engine.plan import Plan
from syncd.engine.poll import Poller
from syncd.model.access import User
from syncd.model.activity import Filter
from syncd.model.ids import Position
from syncd.model.profile import Profile
from syncd.ports.store import Store
from syncd.providers.kind import Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from syncd.runtime.vault import open_ring, write_ring
from tests.contract.rig import PAUSE, USER
from tests.contract.stage import Planned, Stage
from tests.contract.stages.ews import EwsStage
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter
from tests.store.opening import opened
from tests.witness import Replay

BERLIN = ZoneInfo("Europe/Berlin")
RULES = (
    "FREQ=DAILY;COUNT=5",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=8",
    "FREQ=WEEKLY;UNTIL=20270301T090000Z",
    "FREQ=MONTHLY;BYMONTHDAY=24",
    "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1;COUNT=4",
    "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=24",
)


def planned(name: str, start: datetime | date, rule: str = "") -> Planned:
    length = timedelta(hours=1) if isinstance(start, datetime) else timedelta(days=1)
    return Planned(name=name, start=start, end=start + length, rule=rule)


class Watch:
    def __init__(self, store: Store, poller: Poller, clock: FakeClock, profile: Profile) -> None:
        self.store, self.poller, self.clock, self.profile = store, poller, clock, profile
        self.replay = Replay()

    async def poll(self) -> None:
        self.clock.advance(PAUSE)
        profile = await self.store.profile(self.profile.id)
        polled = await self.poller.poll(profile, listing=True)
        assert polled.error is None
        after = Position(self.replay.position)
        _, found, _ = await self.store.read(profile.id, after=after, limit=500, wanted=Filter())
        self.replay.apply([orjson.loads(one.body) for one in found])

    async def failed(self) -> str:
        """Poll, and return the code of what went wrong."""
        self.clock.advance(PAUSE)
        profile = await self.store.profile(self.profile.id)
        polled = await self.poller.poll(profile, listing=True)
        return polled.error.code if polled.error else ""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    one: Stage = EwsStage(tmp_path)
    await one.start()
    yield one
    await one.stop()
    assert one.complaints() == []


@pytest.fixture
async def watch(stage: Stage, tmp_path: Path) -> AsyncIterator[Watch]:
    clock, hub = FakeClock(), Hub()
    write_ring(tmp_path / "keys")
    vault = open_ring(tmp_path / "keys")
    plan = Plan(default_interval=timedelta(seconds=60), default_reconcile=timedelta(days=1))
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(tmp_path, clock=clock))
        http = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        rim = Rim(
            session=lambda: http, clock=clock, settings=stage.settings, admits=lambda *_: True
        )
        opener = Opener(KINDS, rim, store, vault)
        await store.add_user(User(id=USER, name="stage", created=clock.now()))
        connected = await Linking(store, opener, vault, clock, hub).connect(USER, stage.login())
        poller = Poller(store, opener, hub, clock, FakeMeter(), plan, draw=lambda: 0.5)
        yield Watch(store, poller, clock, connected)


async def test_the_stage_tells_what_syncd_reads(stage: Stage, watch: Watch) -> None:
    start = datetime(2026, 11, 24, 10, tzinfo=BERLIN)
    for number, rule in enumerate(RULES):
        await stage.put("Work", f"r{number}", planned(f"Rule {number}", start, rule))
    single = replace(planned("Single", start), description="Why", location="Hall")
    single = replace(single, attendees=("bo@example.org",), transparent=True)
    await stage.put("Work", "a", single)
    await stage.put("Work", "d", planned("Day", date(2026, 11, 24), "FREQ=WEEKLY;COUNT=6"))
    await watch.poll()
    assert watch.replay.neutral() == await stage.truth()
    second = start + timedelta(days=1)
    await stage.put_exception("Work", "r0", second, planned("Other", second + timedelta(hours=3)))
    await stage.drop_occurrence("Work", "r0", second + timedelta(days=1))
    await stage.drop_occurrence("Work", "d", date(2026, 12, 1))
    await stage.put_exception("Work", "d", date(2026, 12, 8), planned("X", date(2026, 12, 9)))
    await stage.remove("Work", "a")
    await stage.add_calendar("Team")
    await stage.put("Team", "t", planned("Theirs", start))
    await watch.poll()
    assert watch.replay.neutral() == await stage.truth()
    await stage.put("Work", "r1", planned("Single now", start))
    await stage.drop_occurrence("Work", "r0", second)
    await stage.rename_calendar("Team", "Crew")
    stage.expire_tokens()
    await watch.poll()
    assert watch.replay.neutral() == await stage.truth()
    await stage.remove_calendar("Crew")
    for _ in range(4):
        await watch.poll()
    assert watch.replay.neutral() == await stage.truth()


async def test_the_stage_comes_back_at_the_same_address(stage: Stage, watch: Watch) -> None:
    await stage.put("Work", "a", planned("A", datetime(2026, 11, 24, 10, tzinfo=BERLIN)))
    await watch.poll()
    login = stage.login()
    await stage.stop()
    assert await watch.failed() == "upstream_error"
    await stage.start()
    assert stage.login().url == login.url
    stage.refuse()
    assert await watch.failed() not in ("", "upstream_error")
    stage.accept()
    await watch.poll()
    assert watch.replay.neutral() == await stage.truth()
