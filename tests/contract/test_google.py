"""A Google profile polled and written for real into a real store; the stream tells the truth."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, DummyCookieJar

from syncd.engine.browse import Browser
from syncd.engine.draft import EventDraft
from syncd.engine.hub import Hub
from syncd.engine.link import Linking
from syncd.engine.plan import Plan
from syncd.engine.poll import Polled, Poller
from syncd.engine.write import Writer
from syncd.model.access import User
from syncd.model.activity import Filter
from syncd.model.ids import EventId, Position
from syncd.model.profile import Profile, Reason, State
from syncd.ports.store import Store
from syncd.providers.kind import Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from syncd.runtime.vault import open_ring, write_ring
from tests.api.serving import inline
from tests.contract.rig import PAUSE, USER
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter
from tests.providers.google import google_login
from tests.servers.google import Fault, GoogleServer, at
from tests.store.opening import opened
from tests.witness import Replay

WEEKLY = {
    "summary": "Weekly",
    "start": at(24, 10),
    "end": at(24, 11),
    "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=8"],
}


@dataclass(kw_only=True)
class GoogleRig:
    server: GoogleServer
    store: Store
    clock: FakeClock
    poller: Poller
    linking: Linking
    writer: Writer
    meter: FakeMeter
    connected: Profile
    replay: Replay = field(default_factory=Replay)

    async def profile(self) -> Profile:
        return await self.store.profile(self.connected.id)

    async def poll(self) -> Polled:
        self.clock.advance(PAUSE)
        return await self.poller.poll(await self.profile(), listing=True)

    async def drain(self) -> list[tuple[str, str]]:
        """Return what is new in the stream: type, and the event's name."""
        after = Position(self.replay.position)
        _, found = await self.store.read(self.connected.id, after=after, limit=500, wanted=Filter())
        records = [orjson.loads(one.body) for one in found]
        self.replay.apply(records)
        kinds = {"event", "calendar"}
        return [
            (one["type"], one["metadata"]["name"])
            for one in records
            if one["metadata"]["type"] in kinds
        ]

    async def step(self) -> list[tuple[str, str]]:
        polled = await self.poll()
        assert polled.error is None
        return await self.drain()

    def named(self, name: str) -> dict[str, Any]:
        return next(one for one in self.replay.events.values() if one["name"] == name)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[GoogleRig]:
    clock, hub, meter = FakeClock(), Hub(), FakeMeter()
    write_ring(tmp_path / "keys")
    vault = open_ring(tmp_path / "keys")
    plan = Plan(default_interval=timedelta(seconds=60), default_reconcile=timedelta(days=1))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(GoogleServer().running())
        store = await stack.enter_async_context(opened(tmp_path, clock=clock))
        http = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        rim = Rim(session=lambda: http, clock=clock, settings=server.settings)
        opener = Opener(KINDS, rim, store, vault)
        await store.add_user(User(id=USER, name="contract", created=clock.now()))
        browser = Browser(store, inline, clock)
        linking = Linking(store, opener, vault, clock, hub)
        yield GoogleRig(
            server=server,
            store=store,
            clock=clock,
            poller=Poller(store, opener, hub, clock, meter, plan, draw=lambda: 0.5),
            linking=linking,
            writer=await stack.enter_async_context(Writer(store, opener, browser, hub, clock)),
            meter=meter,
            connected=await linking.connect(USER, google_login(server)),
        )
        assert server.complaints == []


async def test_what_happens_at_google_is_told_once(rig: GoogleRig) -> None:
    work = rig.server.work
    work.put("a", summary="Single", start=at(24), end=at(24, 10))
    work.put("w", **WEEKLY)
    assert sorted(await rig.step()) == [("add", "Ada"), ("add", "Single"), ("add", "Weekly")]
    assert await rig.step() == []
    work.put("w_20261201T090000Z", summary="Special")
    assert await rig.step() == [("add", "Special")]
    series, exception = rig.named("Weekly"), rig.named("Special")
    assert exception["id"] == f"{series['id']}_20261201T090000Z"  # P8
    assert exception["recurring_master_id"] == series["id"]
    work.cancel("w_20261208T090000Z")
    assert await rig.step() == [("update", "Weekly")]
    work.cancel("w_20261201T090000Z")
    assert sorted(await rig.step()) == [("delete", "Special"), ("update", "Weekly")]
    assert len(rig.named("Weekly")["recurrence"]) == 3
    work.put("a", start=at(25), end=at(25, 10))
    assert await rig.step() == [("update", "Single")]
    work.put("w_20261215T090000Z", summary="Other")
    work.cancel("a")
    assert sorted(await rig.step()) == [("add", "Other"), ("delete", "Single")]
    work.cancel("w")
    assert sorted(await rig.step()) == [("delete", "Other"), ("delete", "Weekly")]
    assert rig.replay.events == {}


async def test_an_expired_token_costs_one_full_read_and_no_activity(rig: GoogleRig) -> None:
    """I8."""
    work = rig.server.work
    for number in range(5):
        work.put(f"e{number}", summary=f"{number}", start=at(24), end=at(24, 10))
    work.put("w", **WEEKLY)
    work.cancel("w_20261201T090000Z")
    await rig.step()
    rig.server.expire()
    work.put("e0", summary="changed")
    work.cancel("e1")
    work.put("e5", summary="new", start=at(24), end=at(24, 10))
    assert sorted(await rig.step()) == [("add", "new"), ("delete", "1"), ("update", "changed")]
    assert rig.meter.counts["full_reads_total"] == 1
    assert await rig.step() == []
    assert rig.meter.counts["full_reads_total"] == 1


async def test_a_write_is_told_once_and_the_next_poll_finds_nothing(rig: GoogleRig) -> None:
    """R13."""
    await rig.step()
    (calendar,) = await rig.store.calendars(rig.connected.id)
    profile = await rig.profile()
    begin = rig.clock.now()
    draft = EventDraft(
        name="Mine",
        start=begin,
        end=begin + timedelta(hours=1),
        recurrence=("RRULE:FREQ=DAILY;COUNT=5",),
    )
    made = await rig.writer.create_event(profile, calendar, draft, name="n" * 22)
    assert await rig.drain() == [("add", "Mine")]
    assert await rig.step() == []
    second = EventId(f"{made.event.id}_{begin + timedelta(days=1):%Y%m%dT%H%M%SZ}")
    change = EventDraft(name="Second")
    await rig.writer.update_event(profile, calendar, second, change)
    assert await rig.drain() == [("add", "Second")]
    await rig.writer.delete_event(profile, calendar, second)
    assert sorted(await rig.drain()) == [("delete", "Second"), ("update", "Mine")]
    assert await rig.step() == []
    key = next(iter(rig.server.work.events))
    rig.server.work.put(key, location="Elsewhere")  # overtakes: read once, then written over
    await rig.writer.update_event(profile, calendar, made.event.id, EventDraft(name="Yours"))
    assert rig.server.work.events[key]["location"] == "Elsewhere"
    assert rig.server.work.events[key]["summary"] == "Yours"
    await rig.writer.delete_event(profile, calendar, made.event.id)
    await rig.drain()
    assert await rig.step() == []
    assert rig.replay.events == {}


async def test_a_revoked_grant_disconnects_and_a_new_one_heals(rig: GoogleRig) -> None:
    """I11, I12: throttles and refusals by scope never do."""
    rig.server.work.put("a", summary="Single", start=at(24), end=at(24, 10))
    await rig.step()
    rig.server.faults.append(Fault(403, reason="insufficientPermissions", part="/events"))
    rig.server.faults.append(Fault(403, reason="rateLimitExceeded", times=1))
    for _ in range(2):
        await rig.poll()
    assert (await rig.profile()).state is State.CONNECTED
    rig.clock.advance(timedelta(days=2))
    rig.server.tokens.revoked = True
    for _ in range(30):
        await rig.poll()
    dead = await rig.profile()
    assert (dead.state, dead.state_reason) == (State.DISCONNECTED, Reason.INVALID_GRANT)
    rig.server.tokens.revoked = False
    back = await rig.linking.relink(dead, google_login(rig.server))
    assert (back.id, back.state) == (dead.id, State.CONNECTED)
    before = set(rig.replay.events)
    await rig.step()
    assert set(rig.replay.events) >= before
    assert rig.replay.counts["delete"] == 0
