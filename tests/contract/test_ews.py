"""An Exchange profile polled and written for real into a real store; the stream tells the truth."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.engine.draft import EventDraft, Guest
from syncd.model.edit import CalendarEdit
from syncd.model.errors import ConflictError
from syncd.model.event import Answer
from syncd.model.ids import EventId
from syncd.model.profile import Reason, State
from tests.contract.rig import Rig, rigged
from tests.contract.stages.ews import EwsStage
from tests.providers.ews import at, event, ews_login, instant, weekly
from tests.servers.ews import OWNER, PASSWORD, Fault
from tests.servers.ews_xml import t


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig[EwsStage]]:
    stage = EwsStage(tmp_path)
    stage.server.mailbox.remove(stage.server.mailbox.named("Work"))
    await stage.start()
    async with rigged(stage, tmp_path) as one:
        await one.connect()
        yield one
    await stage.stop()
    assert stage.complaints() == []


async def stepped(rig: Rig[EwsStage]) -> list[tuple[str, str]]:
    """Poll; return what that adds to the stream: type, and the event's name."""
    polled = await rig.poll()
    assert polled.error is None
    return await rig.told()


async def test_what_happens_at_exchange_is_told_once(rig: Rig[EwsStage]) -> None:
    server = rig.stage.server
    server.put("a", *event("Single", at(24)))
    series = server.put("w", *event("Weekly", at(24), 1, weekly()))
    assert sorted(await stepped(rig)) == [
        ("add", "Calendar"),
        ("add", "Single"),
        ("add", "Weekly"),
    ]
    assert await stepped(rig) == []
    first, second = instant(1, 8, month=12), instant(8, 8, month=12)
    special = series.occurrence(first)
    assert special is not None
    special.props["Subject"] = t("Subject", "Special")
    series.exceptions[first] = special
    server.calendar.touch(series)
    assert await stepped(rig) == [("add", "Special")]
    whole, exception = rig.named("Weekly"), rig.named("Special")
    assert exception["id"] == f"{whole['id']}_20261201T080000Z"  # P8
    assert exception["recurring_master_id"] == whole["id"]
    series.deleted.add(second)
    server.calendar.touch(series)
    assert await stepped(rig) == [("update", "Weekly")]
    del series.exceptions[first]
    series.deleted.add(first)
    server.calendar.touch(series)
    assert sorted(await stepped(rig)) == [("delete", "Special"), ("update", "Weekly")]
    assert len(rig.named("Weekly")["recurrence"]) == 3
    server.put("a", t("Start", at(25).isoformat()), t("End", at(25, 10).isoformat()))
    assert await stepped(rig) == [("update", "Single")]
    server.put("a")  # a new ChangeKey alone is no change (I6)
    assert await stepped(rig) == []
    server.calendar.drop("w")
    server.calendar.drop("a")
    server.put("b", *event("Left", at(24)))
    assert sorted(await stepped(rig)) == [
        ("add", "Left"),
        ("delete", "Single"),
        ("delete", "Weekly"),
    ]
    team = server.mailbox.add_calendar("Team")
    server.put("c", *event("Theirs", at(24)), folder=team)
    assert sorted(await stepped(rig)) == [("add", "Team"), ("add", "Theirs")]


async def test_an_event_that_moves_to_another_calendar_is_there_and_no_more_here(
    rig: Rig[EwsStage],
) -> None:
    """E7: its ItemId changes."""
    server, team = rig.stage.server, rig.stage.server.mailbox.add_calendar("Team")
    server.put("a", *event("Moves", at(24)))
    await stepped(rig)
    moved = server.calendar.drop("a")
    moved.id, moved.born = "b", 0
    team.put(moved)
    assert sorted(await stepped(rig)) == [("add", "Moves"), ("delete", "Moves")]


async def test_an_expired_state_costs_one_full_read_and_no_activity(rig: Rig[EwsStage]) -> None:
    """I8."""
    for number in range(5):
        rig.stage.server.put(f"e{number}", *event(f"{number}", at(24)))
    series = rig.stage.server.put("w", *event("Weekly", at(24), 1, weekly()))
    series.deleted.add(instant(1, 8, month=12))
    await stepped(rig)
    rig.stage.server.items.expire()
    rig.stage.server.put("e0", t("Subject", "changed"))
    rig.stage.server.calendar.drop("e1")
    rig.stage.server.put("e5", *event("new", at(24)))
    assert sorted(await stepped(rig)) == [("add", "new"), ("delete", "1"), ("update", "changed")]
    reads = rig.meter.counts["full_reads_total"]
    assert reads >= 1
    assert await stepped(rig) == []
    assert rig.meter.counts["full_reads_total"] == reads


async def test_a_write_is_told_once_and_the_next_poll_finds_nothing(rig: Rig[EwsStage]) -> None:
    """R13."""
    await stepped(rig)
    calendar = next(one for one in await rig.store.calendars(rig.profile_id))
    profile = await rig.profile()
    begin = rig.clock.now().replace(microsecond=0)
    draft = EventDraft(
        name="Mine",
        start=begin,
        end=begin + timedelta(hours=1),
        recurrence=("RRULE:FREQ=DAILY;COUNT=5",),
    )
    made = await rig.writer.create_event(profile, calendar, draft, name="n" * 22)
    assert await rig.told() == [("add", "Mine")]
    assert await stepped(rig) == []
    second = EventId(f"{made.event.id}_{begin + timedelta(days=1):%Y%m%dT%H%M%SZ}")
    change = EventDraft(name="Second")
    await rig.writer.update_event(profile, calendar, second, change)
    assert await rig.told() == [("add", "Second")]
    await rig.writer.delete_event(profile, calendar, second)
    assert sorted(await rig.told()) == [("delete", "Second"), ("update", "Mine")]
    assert await stepped(rig) == []
    key = next(iter(rig.stage.server.calendar.items))
    rig.stage.server.put(key, t("Location", "Elsewhere"))  # overtakes: read once, then written over
    await rig.writer.update_event(profile, calendar, made.event.id, EventDraft(name="Yours"))
    held = rig.stage.server.calendar.items[key]
    assert (held.text("Location"), held.text("Subject")) == ("Elsewhere", "Yours")
    await rig.writer.delete_event(profile, calendar, made.event.id)
    await rig.told()
    assert await stepped(rig) == []
    assert rig.replay.events == {}


async def test_an_invitation_is_answered_and_keeps_its_id(rig: Rig[EwsStage]) -> None:
    """K26, P7: also where Exchange puts another item in its place."""
    guest = t("Attendee", t("Mailbox", t("EmailAddress", OWNER)), t("ResponseType", "Unknown"))
    rig.stage.server.put(
        "i",
        *event("Invited", at(24)),
        t("MyResponseType", "NoResponseReceived"),
        t("Organizer", t("Mailbox", t("EmailAddress", "chief@example.org"))),
        t("RequiredAttendees", guest),
    )
    rig.stage.server.items.reply_moves = True
    await stepped(rig)
    before = rig.named("Invited")["id"]
    calendar = next(one for one in await rig.store.calendars(rig.profile_id))
    draft = EventDraft(attendees=(Guest(email=OWNER, answer=Answer.ACCEPTED),))
    await rig.writer.update_event(await rig.profile(), calendar, EventId(before), draft)
    assert await rig.told() == [("update", "Invited")]
    assert rig.named("Invited")["id"] == before
    assert await stepped(rig) == []


async def test_who_declines_is_told_what_was_there_and_the_stream_that_it_is_gone(
    rig: Rig[EwsStage],
) -> None:
    """E9, K26."""
    guest = t("Attendee", t("Mailbox", t("EmailAddress", OWNER)), t("ResponseType", "Unknown"))
    members = (t("MyResponseType", "Unknown"), t("RequiredAttendees", guest))
    rig.stage.server.put("i", *event("Invited", at(24)), *members)
    rig.stage.server.items.decline_removes = True
    await stepped(rig)
    calendar = next(one for one in await rig.store.calendars(rig.profile_id))
    draft = EventDraft(attendees=(Guest(email=OWNER, answer=Answer.DECLINED),))
    event_id = EventId(rig.named("Invited")["id"])
    told = await rig.writer.update_event(await rig.profile(), calendar, event_id, draft)
    assert told.event.id == event_id
    assert await rig.told() == [("delete", "Invited")]
    assert await stepped(rig) == []


async def test_calendars_are_named_once(rig: Rig[EwsStage]) -> None:
    """K13."""
    await stepped(rig)
    profile, edit = await rig.profile(), CalendarEdit(name="Team")
    await rig.writer.create_calendar(profile, edit, name="n" * 22)
    assert await rig.told() == [("add", "Team")]
    with pytest.raises(ConflictError):
        await rig.writer.create_calendar(profile, edit, name="m" * 22)
    assert await stepped(rig) == []


async def test_a_password_that_died_disconnects_and_the_new_one_heals(rig: Rig[EwsStage]) -> None:
    """I11, I12: Exchange throttles with 401 too, so that one of them proves nothing."""
    rig.stage.server.put("a", *event("Single", at(24)))
    await stepped(rig)
    rig.stage.server.faults = [
        Fault(status=401),
        Fault(status=403),
        Fault(code="ErrorServerBusy", back_off=1000),
        Fault(code="ErrorAccessDenied", operation="SyncFolderItems"),
    ]
    for _ in range(4):
        await rig.poll()
    assert (await rig.profile()).state is State.CONNECTED
    rig.clock.advance(timedelta(days=2))
    rig.stage.server.password = "changed"  # noqa: S105
    for _ in range(30):
        await rig.poll()
    dead = await rig.profile()
    assert (dead.state, dead.state_reason) == (State.DISCONNECTED, Reason.CREDENTIALS_REFUSED)
    rig.stage.server.password = PASSWORD
    back = await rig.linking.relink(dead, ews_login(rig.stage.server))
    assert (back.id, back.state) == (dead.id, State.CONNECTED)
    before = set(rig.replay.events)
    await stepped(rig)
    assert set(rig.replay.events) >= before
    assert rig.replay.counts["delete"] == 0
