"""An Exchange profile polled and written for real into a real store; the stream tells the truth."""

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
from syncd.engine.draft import EventDraft, Guest
from syncd.engine.hub import Hub
from syncd.engine.link import Linking
from syncd.engine.plan import Plan
from syncd.engine.poll import Polled, Poller
from syncd.engine.write import Writer
from syncd.model.access import User
from syncd.model.activity import Filter
from syncd.model.edit import CalendarEdit
from syncd.model.errors import ConflictError
from syncd.model.event import Answer
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
from tests.providers.ews import at, event, ews_login, instant, weekly
from tests.servers.ews import OWNER, PASSWORD, EwsServer, Fault
from tests.servers.ews_xml import t
from tests.store.opening import opened
from tests.witness import Replay


@dataclass(kw_only=True)
class EwsRig:
    server: EwsServer
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
async def rig(tmp_path: Path) -> AsyncIterator[EwsRig]:
    clock, hub, meter = FakeClock(), Hub(), FakeMeter()
    write_ring(tmp_path / "keys")
    vault = open_ring(tmp_path / "keys")
    plan = Plan(default_interval=timedelta(seconds=60), default_reconcile=timedelta(days=1))
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(EwsServer().running())
        store = await stack.enter_async_context(opened(tmp_path, clock=clock))
        http = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        rim = Rim(session=lambda: http, clock=clock, admits=lambda *_: True)
        opener = Opener(KINDS, rim, store, vault)
        await store.add_user(User(id=USER, name="contract", created=clock.now()))
        browser = Browser(store, inline, clock)
        linking = Linking(store, opener, vault, clock, hub)
        yield EwsRig(
            server=server,
            store=store,
            clock=clock,
            poller=Poller(store, opener, hub, clock, meter, plan, draw=lambda: 0.5),
            linking=linking,
            writer=await stack.enter_async_context(Writer(store, opener, browser, hub, clock)),
            meter=meter,
            connected=await linking.connect(USER, ews_login(server)),
        )
        assert server.complaints == []


async def test_what_happens_at_exchange_is_told_once(rig: EwsRig) -> None:
    server = rig.server
    server.put("a", *event("Single", at(24)))
    series = server.put("w", *event("Weekly", at(24), 1, weekly()))
    assert sorted(await rig.step()) == [
        ("add", "Calendar"),
        ("add", "Single"),
        ("add", "Weekly"),
    ]
    assert await rig.step() == []
    first, second = instant(1, 8, month=12), instant(8, 8, month=12)
    special = series.occurrence(first)
    assert special is not None
    special.props["Subject"] = t("Subject", "Special")
    series.exceptions[first] = special
    server.calendar.touch(series)
    assert await rig.step() == [("add", "Special")]
    whole, exception = rig.named("Weekly"), rig.named("Special")
    assert exception["id"] == f"{whole['id']}_20261201T080000Z"  # P8
    assert exception["recurring_master_id"] == whole["id"]
    series.deleted.add(second)
    server.calendar.touch(series)
    assert await rig.step() == [("update", "Weekly")]
    del series.exceptions[first]
    series.deleted.add(first)
    server.calendar.touch(series)
    assert sorted(await rig.step()) == [("delete", "Special"), ("update", "Weekly")]
    assert len(rig.named("Weekly")["recurrence"]) == 3
    server.put("a", t("Start", at(25).isoformat()), t("End", at(25, 10).isoformat()))
    assert await rig.step() == [("update", "Single")]
    server.put("a")  # a new ChangeKey alone is no change (I6)
    assert await rig.step() == []
    server.calendar.drop("w")
    server.calendar.drop("a")
    server.put("b", *event("Left", at(24)))
    assert sorted(await rig.step()) == [("add", "Left"), ("delete", "Single"), ("delete", "Weekly")]
    team = server.mailbox.add_calendar("Team")
    server.put("c", *event("Theirs", at(24)), folder=team)
    assert sorted(await rig.step()) == [("add", "Team"), ("add", "Theirs")]


async def test_an_event_that_moves_to_another_calendar_is_there_and_no_more_here(
    rig: EwsRig,
) -> None:
    """E7: its ItemId changes."""
    server, team = rig.server, rig.server.mailbox.add_calendar("Team")
    server.put("a", *event("Moves", at(24)))
    await rig.step()
    moved = server.calendar.drop("a")
    moved.id, moved.born = "b", 0
    team.put(moved)
    assert sorted(await rig.step()) == [("add", "Moves"), ("delete", "Moves")]


async def test_an_expired_state_costs_one_full_read_and_no_activity(rig: EwsRig) -> None:
    """I8."""
    for number in range(5):
        rig.server.put(f"e{number}", *event(f"{number}", at(24)))
    series = rig.server.put("w", *event("Weekly", at(24), 1, weekly()))
    series.deleted.add(instant(1, 8, month=12))
    await rig.step()
    rig.server.items.expire()
    rig.server.put("e0", t("Subject", "changed"))
    rig.server.calendar.drop("e1")
    rig.server.put("e5", *event("new", at(24)))
    assert sorted(await rig.step()) == [("add", "new"), ("delete", "1"), ("update", "changed")]
    reads = rig.meter.counts["full_reads_total"]
    assert reads >= 1
    assert await rig.step() == []
    assert rig.meter.counts["full_reads_total"] == reads


async def test_a_write_is_told_once_and_the_next_poll_finds_nothing(rig: EwsRig) -> None:
    """R13."""
    await rig.step()
    calendar = next(one for one in await rig.store.calendars(rig.connected.id))
    profile = await rig.profile()
    begin = rig.clock.now().replace(microsecond=0)
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
    key = next(iter(rig.server.calendar.items))
    rig.server.put(key, t("Location", "Elsewhere"))  # overtakes: read once, then written over
    await rig.writer.update_event(profile, calendar, made.event.id, EventDraft(name="Yours"))
    held = rig.server.calendar.items[key]
    assert (held.text("Location"), held.text("Subject")) == ("Elsewhere", "Yours")
    await rig.writer.delete_event(profile, calendar, made.event.id)
    await rig.drain()
    assert await rig.step() == []
    assert rig.replay.events == {}


async def test_an_invitation_is_answered_and_keeps_its_id(rig: EwsRig) -> None:
    """K26, P7: also where Exchange puts another item in its place."""
    guest = t("Attendee", t("Mailbox", t("EmailAddress", OWNER)), t("ResponseType", "Unknown"))
    rig.server.put(
        "i",
        *event("Invited", at(24)),
        t("MyResponseType", "NoResponseReceived"),
        t("Organizer", t("Mailbox", t("EmailAddress", "chief@example.org"))),
        t("RequiredAttendees", guest),
    )
    rig.server.items.reply_moves = True
    await rig.step()
    before = rig.named("Invited")["id"]
    calendar = next(one for one in await rig.store.calendars(rig.connected.id))
    draft = EventDraft(attendees=(Guest(email=OWNER, answer=Answer.ACCEPTED),))
    await rig.writer.update_event(await rig.profile(), calendar, EventId(before), draft)
    assert await rig.drain() == [("update", "Invited")]
    assert rig.named("Invited")["id"] == before
    assert await rig.step() == []


async def test_calendars_are_named_once(rig: EwsRig) -> None:
    """K13."""
    await rig.step()
    profile, edit = await rig.profile(), CalendarEdit(name="Team")
    await rig.writer.create_calendar(profile, edit, name="n" * 22)
    assert await rig.drain() == [("add", "Team")]
    with pytest.raises(ConflictError):
        await rig.writer.create_calendar(profile, edit, name="m" * 22)
    assert await rig.step() == []


async def test_a_password_that_died_disconnects_and_the_new_one_heals(rig: EwsRig) -> None:
    """I11, I12: Exchange throttles with 401 too, so that one of them proves nothing."""
    rig.server.put("a", *event("Single", at(24)))
    await rig.step()
    rig.server.faults = [
        Fault(status=401),
        Fault(status=403),
        Fault(code="ErrorServerBusy", back_off=1000),
        Fault(code="ErrorAccessDenied", operation="SyncFolderItems"),
    ]
    for _ in range(4):
        await rig.poll()
    assert (await rig.profile()).state is State.CONNECTED
    rig.clock.advance(timedelta(days=2))
    rig.server.password = "changed"  # noqa: S105
    for _ in range(30):
        await rig.poll()
    dead = await rig.profile()
    assert (dead.state, dead.state_reason) == (State.DISCONNECTED, Reason.CREDENTIALS_REFUSED)
    rig.server.password = PASSWORD
    back = await rig.linking.relink(dead, ews_login(rig.server))
    assert (back.id, back.state) == (dead.id, State.CONNECTED)
    before = set(rig.replay.events)
    await rig.step()
    assert set(rig.replay.events) >= before
    assert rig.replay.counts["delete"] == 0
