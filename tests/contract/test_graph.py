"""A Graph profile polled and written for real into a real store; the stream tells the truth."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import ClientSession, DummyCookieJar

from syncd.engine.browse import Browser
from syncd.engine.draft import EventDraft, PropertyDraft
from syncd.engine.hub import Hub
from syncd.engine.link import Linking
from syncd.engine.plan import Plan
from syncd.engine.poll import Poller
from syncd.engine.write import Writer
from syncd.model.access import User
from syncd.model.activity import Filter
from syncd.model.errors import OtherPersonError, RejectedError, UnsupportedError
from syncd.model.event import Answer, Person
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
from tests.providers.graph import graph_login
from tests.providers.test_graph_reading import SECOND, THIRD, WEEKLY
from tests.servers.graph import Fault, GraphServer, at
from tests.servers.graph_truth import OWNER
from tests.store.opening import opened
from tests.witness import Replay

Told = list[tuple[str, str]]


@dataclass(kw_only=True)
class GraphRig:
    server: GraphServer
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

    async def poll(self, pause: timedelta = PAUSE) -> Told:
        """Return what a poll adds to the stream: type, and the event's name."""
        self.clock.advance(pause)
        await self.poller.poll(await self.profile(), listing=True)
        return await self.drain()

    async def drain(self) -> Told:
        after = Position(self.replay.position)
        _, found = await self.store.read(self.connected.id, after=after, limit=500, wanted=Filter())
        records = [orjson.loads(one.body) for one in found]
        self.replay.apply(records)
        kinds = {"event", "calendar"}
        told = [one for one in records if one["metadata"]["type"] in kinds]
        return sorted((one["type"], one["metadata"]["name"]) for one in told)

    def named(self, name: str) -> dict[str, Any]:
        return next(one for one in self.replay.events.values() if one["name"] == name)

    async def update(self, event: str, draft: EventDraft) -> dict[str, Any]:
        (calendar,) = await self.store.calendars(self.connected.id)
        profile, name = await self.profile(), EventId(event)
        outcome = await self.writer.update_event(profile, calendar, name, draft)
        told: dict[str, Any] = orjson.loads(outcome.event.document)
        return told


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[GraphRig]:
    clock, hub, meter = FakeClock(), Hub(), FakeMeter()
    write_ring(tmp_path / "keys")
    vault = open_ring(tmp_path / "keys")
    plan = Plan(default_interval=timedelta(seconds=60), default_reconcile=timedelta(hours=6))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(GraphServer().running())
        store = await stack.enter_async_context(opened(tmp_path, clock=clock))
        http = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        rim = Rim(session=lambda: http, clock=clock, settings=server.settings)
        opener = Opener(KINDS, rim, store, vault)
        await store.add_user(User(id=USER, name="contract", created=clock.now()))
        browser = Browser(store, inline, clock)
        linking = Linking(store, opener, vault, clock, hub)
        yield GraphRig(
            server=server,
            store=store,
            clock=clock,
            poller=Poller(store, opener, hub, clock, meter, plan, draw=lambda: 0.5),
            linking=linking,
            writer=await stack.enter_async_context(Writer(store, opener, browser, hub, clock)),
            meter=meter,
            connected=await linking.connect(USER, graph_login(server)),
        )
        assert server.complaints == []


async def test_what_happens_at_graph_is_told_once(rig: GraphRig) -> None:
    work = rig.server.work
    work.put("a", subject="Single", start=at(24), end=at(24, 10))
    work.put("w", **WEEKLY)
    assert await rig.poll() == [("add", "Calendar"), ("add", "Single"), ("add", "Weekly")]
    assert await rig.poll() == []
    work.put_exception("w", SECOND, subject="Special")
    assert await rig.poll() == [("add", "Special")]
    series, exception = rig.named("Weekly"), rig.named("Special")
    assert exception["id"] == f"{series['id']}_20261201T090000Z"  # P8
    assert exception["recurring_master_id"] == series["id"]
    work.drop("w", SECOND)
    assert await rig.poll() == [("delete", "Special"), ("update", "Weekly")]
    work.put("a", start=at(25), end=at(25, 10))
    assert await rig.poll() == [("update", "Single")]
    work.put_exception("w", date(2026, 12, 15), subject="Other")
    work.remove("a")
    assert await rig.poll() == [("add", "Other"), ("delete", "Single")]
    work.remove("w")
    assert await rig.poll() == [("delete", "Other"), ("delete", "Weekly")]
    assert rig.replay.events == {}


async def test_a_silent_removal_is_told_at_the_next_reconcile(rig: GraphRig) -> None:
    """MG7, I9: as one update, and not as a correction of the feed's fault."""
    rig.server.work.put("w", **WEEKLY)
    await rig.poll()
    rig.server.work.drop("w", THIRD)
    assert await rig.poll() == []
    assert await rig.poll(timedelta(hours=7)) == [("update", "Weekly")]
    assert len(rig.named("Weekly")["recurrence"]) == 2
    assert await rig.poll(timedelta(hours=7)) == []


async def test_an_expired_link_costs_one_full_read_and_no_activity(rig: GraphRig) -> None:
    """I8, MG9."""
    work = rig.server.work
    for number in range(5):
        work.put(f"e{number}", subject=f"{number}", start=at(24), end=at(24, 10))
    work.put("w", **WEEKLY)
    work.drop("w", SECOND)
    await rig.poll()
    rig.server.expire()
    work.put("e0", subject="changed")
    work.remove("e1")
    work.put("e5", subject="new", start=at(24), end=at(24, 10))
    assert await rig.poll() == [("add", "new"), ("delete", "1"), ("update", "changed")]
    assert rig.meter.counts["full_reads_total"] == 1
    assert await rig.poll() == []
    assert rig.meter.counts["full_reads_total"] == 1


async def test_a_write_is_told_once_and_the_next_poll_finds_nothing(rig: GraphRig) -> None:
    """R13, P11, K26."""
    await rig.poll()
    (calendar,) = await rig.store.calendars(rig.connected.id)
    profile, begin = await rig.profile(), rig.clock.now()
    draft = EventDraft(
        name="Mine",
        start=begin,
        end=begin + timedelta(hours=1),
        recurrence=("RRULE:FREQ=DAILY;COUNT=5",),
        custom_properties=(PropertyDraft(key="a", value="1"),),
    )
    made = await rig.writer.create_event(profile, calendar, draft, name="n" * 22)
    assert await rig.drain() == [("add", "Mine")]
    assert await rig.poll() == []
    second = f"{made.event.id}_{begin + timedelta(days=1):%Y%m%dT%H%M%SZ}"
    await rig.update(second, EventDraft(name="Second"))
    assert await rig.drain() == [("add", "Second")]
    merged = EventDraft(custom_properties=(PropertyDraft(key="b", value="2"),))
    told = await rig.update(made.event.id, merged)
    assert {one["key"] for one in told["custom_properties"]} == {"a", "b"}
    assert await rig.drain() == [("update", "Mine")]
    await rig.writer.delete_event(profile, calendar, EventId(second))
    assert await rig.drain() == [("delete", "Second"), ("update", "Mine")]
    assert await rig.poll() == []
    key = next(iter(rig.server.work.events))
    rig.server.work.put(key, location={"displayName": "Elsewhere"})  # overtakes: read once more
    await rig.update(made.event.id, EventDraft(name="Yours"))
    assert rig.server.work.events[key]["location"] == {"displayName": "Elsewhere"}
    assert rig.server.work.events[key]["subject"] == "Yours"
    await rig.writer.delete_event(profile, calendar, made.event.id)
    await rig.drain()
    assert await rig.poll() == []
    assert rig.replay.events == {}


async def test_what_outlook_cannot_do_is_refused_in_the_words_of_the_api(rig: GraphRig) -> None:
    """K25, K26."""
    rig.server.work.put("a", subject="Single", start=at(24), end=at(24, 10))
    await rig.poll()
    event = rig.named("Single")["id"]
    early = EventDraft(recurrence=("RRULE:FREQ=DAILY;UNTIL=20261101T000000Z",))
    with pytest.raises(RejectedError) as caught:
        await rig.update(event, early)
    assert (caught.value.code, caught.value.members) == (
        "unsupported_recurrence",
        {"part": "UNTIL"},
    )
    with pytest.raises(UnsupportedError):
        await rig.update(event, EventDraft(organizer=Person(email="bo@example.org")))
    assert await rig.drain() == []


async def test_who_declines_is_answered_with_what_was_there(rig: GraphRig) -> None:
    """MG13: the event goes, which is a success of the write and a delete in the stream."""
    guests = [{"emailAddress": {"address": OWNER}}, {"emailAddress": {"address": "bo@example.org"}}]
    invited = {"isOrganizer": False, "attendees": guests}
    invited["organizer"] = {"emailAddress": {"address": "bo@example.org"}}
    rig.server.work.put("a", subject="Single", start=at(24), end=at(24, 10), **invited)
    rig.server.work.put("w", **WEEKLY, **invited)
    await rig.poll()
    decline = EventDraft(reply=Answer.DECLINED)
    told = await rig.update(rig.named("Single")["id"], decline)
    assert [(one["email"], one["status"]) for one in told["attendees"]] == [
        (OWNER, "declined"),
        ("bo@example.org", "accepted"),
    ]
    assert await rig.drain() == [("delete", "Single")]
    occurrence = f"{rig.named('Weekly')['id']}_20261201T090000Z"
    told = await rig.update(occurrence, decline)
    assert (told["id"], told["attendees"][0]["status"]) == (occurrence, "declined")
    assert await rig.drain() == [("update", "Weekly")]
    assert await rig.poll() == []
    assert rig.server.responses == [("a", "decline", True), ("w@2026-12-01", "decline", True)]


async def test_a_revoked_grant_disconnects_and_a_new_one_heals(rig: GraphRig) -> None:
    """I11, I12, P15: throttles and refusals by right never do."""
    rig.server.work.put("a", subject="Single", start=at(24), end=at(24, 10))
    await rig.poll()
    rig.server.faults.append(Fault(403, code="ErrorAccessDenied", part="/calendarView"))
    rig.server.faults.append(Fault(429, code="ApplicationThrottled", times=1))
    for _ in range(2):
        await rig.poll()
    assert (await rig.profile()).state is State.CONNECTED
    rig.clock.advance(timedelta(days=2))
    rig.server.tokens.revoke()
    for _ in range(30):
        await rig.poll()
    dead = await rig.profile()
    assert (dead.state, dead.state_reason) == (State.DISCONNECTED, Reason.INVALID_GRANT)
    rig.server.tokens.revoked = False
    rig.server.sign_in(person="another")
    with pytest.raises(OtherPersonError):
        await rig.linking.relink(dead, graph_login(rig.server))
    rig.server.sign_in()
    back = await rig.linking.relink(dead, graph_login(rig.server))
    assert (back.id, back.state) == (dead.id, State.CONNECTED)
    before = set(rig.replay.events)
    await rig.poll()
    assert set(rig.replay.events) >= before
    assert rig.replay.counts["delete"] == 0
