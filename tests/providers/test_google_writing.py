"""Writing Google Calendar; what we send is judged by the discovery document, too."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from syncd.model.edit import CalendarEdit, EventEdit, Reply
from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TransientError,
)
from syncd.model.event import Answer, CustomProperty, Email, Person, Reminder, Visibility
from syncd.model.ids import WHOLE, CalendarKey, ResourceKey, Slot
from syncd.ports.writing import Wrote
from syncd.providers.google.writing import event_name
from tests.providers.google import WORK, GoogleDesk, google_desk
from tests.servers.discovery import Json
from tests.servers.google import OWNER, Fault, GoogleServer, at

NAME = "Zm9vYmFyYmF6cXV4cXV1eA"
START = datetime(2026, 11, 24, 9, tzinfo=UTC)
NEW = EventEdit(
    name="New",
    start=START,
    end=START + timedelta(hours=1),
    start_zone="Europe/Berlin",
    end_zone="Europe/Berlin",
)
WEEKLY = {"start": at(24, 10), "end": at(24, 11), "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=8"]}
SECOND = Slot("20261201T090000Z")


@pytest.fixture
async def desk() -> AsyncIterator[GoogleDesk]:
    async with GoogleServer().running() as server, google_desk(server) as one:
        yield one
        assert server.complaints == []


async def written(desk: GoogleDesk, wrote: Wrote) -> Wrote:
    """What a write answers is what the next poll reads."""
    desk.take(wrote.upserts, wrote.deleted)
    told = dict(desk.held)
    await desk.read()
    assert desk.held == told
    return wrote


async def create(desk: GoogleDesk, edit: EventEdit = NEW, name: str = NAME) -> Wrote:
    return await written(desk, await desk.provider.create_event(WORK, edit, name=name))


async def update(desk: GoogleDesk, key: str, edit: EventEdit, slot: Slot = WHOLE) -> Wrote:
    return await written(desk, await desk.provider.update_event(WORK, desk.raw(key), slot, edit))


async def delete(desk: GoogleDesk, key: str, slot: Slot = WHOLE) -> Wrote:
    return await written(desk, await desk.provider.delete_event(WORK, desk.raw(key), slot))


def sent(desk: GoogleDesk) -> list[tuple[str, str | None]]:
    """Return the writes: method and ``sendUpdates``."""
    asked = [one for one in desk.server.asked if one.method != "GET"]
    return [(one.method, one.query.get("sendUpdates")) for one in asked]


async def test_an_event_is_made_once_under_an_id_of_ours(desk: GoogleDesk) -> None:
    """G7, G9."""
    await desk.read()
    wrote = await create(desk)
    assert wrote.key == event_name(NAME)
    assert set(wrote.key) <= set("0123456789abcdefghijklmnopqrstuv")
    assert len(wrote.key) == 32
    assert desk.events(wrote.key)[0].name == "New"
    await create(desk, replace(NEW, name="Again"))
    assert desk.events(wrote.key)[0].name == "New"
    assert sent(desk) == [("POST", "all")] * 2


async def test_an_insert_without_an_answer_is_looked_for(desk: GoogleDesk) -> None:
    desk.server.faults.append(Fault(500, method="POST", after=True))
    await desk.read()
    wrote = await create(desk)
    assert desk.events(wrote.key)[0].name == "New"
    desk.server.faults.append(Fault(500, reason="backendError", method="POST"))
    with pytest.raises(TransientError):
        await desk.provider.create_event(WORK, NEW, name=f"{NAME}2")
    assert len(desk.server.work.events) == 1
    desk.server.work.cancel(wrote.key)
    with pytest.raises(ConflictError):
        await desk.provider.create_event(WORK, NEW, name=NAME)


async def test_a_patch_sends_only_what_changes(desk: GoogleDesk) -> None:
    """P10, G8."""
    await desk.read()
    key = (await create(desk)).key
    before = dict(desk.server.work.events[key])
    await update(desk, key, EventEdit(location="Room", description=None))
    after = desk.server.work.events[key]
    assert {name for name in after if after[name] != before.get(name)} == {
        *("location", "etag", "updated"),
    }
    desk.server.work.put(key, summary="Elsewhere")
    with pytest.raises(ConflictError):
        await desk.provider.update_event(WORK, desk.raw(key), WHOLE, EventEdit(name="Mine"))
    with pytest.raises(ConflictError):
        await desk.provider.delete_event(WORK, desk.raw(key), WHOLE)
    assert desk.server.work.events[key]["summary"] == "Elsewhere"


async def test_days_become_times_and_back(desk: GoogleDesk) -> None:
    await desk.read()
    key = (await create(desk)).key
    await update(desk, key, EventEdit(start=date(2026, 11, 24), end=date(2026, 11, 26)))
    assert desk.events(key)[0].end == date(2026, 11, 26)
    assert desk.server.work.events[key]["start"] == {"date": "2026-11-24"}
    await update(desk, key, EventEdit(start=NEW.start, end=NEW.end, start_zone="Asia/Tokyo"))
    assert desk.events(key)[0].start_zone == "Asia/Tokyo"


async def test_every_member_is_written(desk: GoogleDesk) -> None:
    await desk.read()
    edit = replace(
        NEW,
        attendees=(Person(email="bo@example.org", name="Bo", required=False),),
        reminders=(
            Reminder(minutes=5),
            Reminder(minutes=60, email=Email(summary="", description="", to=())),
        ),
        custom_properties=(CustomProperty(key="a", value="1"), CustomProperty(key="b", value="2")),
        visibility=Visibility.PRIVATE,
        transparent=True,
        color="#DD2222",
        raw={"guestsCanModify": True},
    )
    key = (await create(desk, edit)).key
    (event,) = desk.events(key)
    assert [(one.minutes, one.method) for one in event.reminders] == [(5, "popup"), (60, "email")]
    assert (event.visibility, event.transparent) == (Visibility.PRIVATE, True)
    assert event.color == "#DC2127"
    assert desk.server.work.events[key]["guestsCanModify"] is True
    moved = (CustomProperty(key="a", value="9", private=False),)
    await update(desk, key, EventEdit(custom_properties=moved, use_default_reminder=True))
    (event,) = desk.events(key)
    assert event.custom_properties == moved
    assert (event.use_default_reminder, event.reminders) == (True, ())


async def test_attendees_keep_what_we_do_not_change(desk: GoogleDesk) -> None:
    """G8: arrays are sent whole."""
    guests = [
        {"email": "Bo@example.org", "responseStatus": "accepted"}
        | {"comment": "late", "optional": True},
        {"email": "cy@example.org", "responseStatus": "needsAction"},
    ]
    desk.server.work.put("a", start=at(24), end=at(24, 10), attendees=guests)
    await desk.read()
    people = (
        Person(email="bo@example.org", required=False, answer=Answer.ACCEPTED),
        Person(email="di@example.org"),
    )
    await update(desk, "a", EventEdit(attendees=people))
    bo, di = desk.server.work.events["a"]["attendees"]
    assert (bo["comment"], bo["optional"], bo["responseStatus"]) == ("late", True, "accepted")
    assert di == {"email": "di@example.org"}
    desk.server.work.put("a", attendeesOmitted=True)
    await desk.read()
    with pytest.raises(InvalidError):
        await update(desk, "a", EventEdit(attendees=people))


@pytest.mark.parametrize("organizes", [True, False])
async def test_an_answer_drops_nobody(desk: GoogleDesk, *, organizes: bool) -> None:
    """G8: a guest sends its own entry, as such that omits the others, the organizer all of them."""
    guests = [{"email": OWNER, "self": True}, {"email": "bo@example.org"}]
    organizer: Json = {"email": OWNER, "self": True} if organizes else {"email": "bo@example.org"}
    desk.server.work.put("a", start=at(24), end=at(24, 10), attendees=guests, organizer=organizer)
    await desk.read()
    edit = EventEdit(reply=Reply(email=OWNER, answer=Answer.DECLINED))
    await desk.provider.update_event(WORK, desk.raw("a"), WHOLE, edit)
    told = desk.server.work.events["a"]["attendees"]
    assert [one["email"] for one in told] == [OWNER, "bo@example.org"]
    assert told[0]["responseStatus"] == "declined"
    await desk.read()
    (event,) = desk.events("a")
    assert [one.email for one in event.attendees] == [OWNER, "bo@example.org"]


async def test_an_occurrence_becomes_an_exception_and_changes(desk: GoogleDesk) -> None:
    desk.server.work.put("w", summary="Weekly", **WEEKLY)
    await desk.read()
    await update(desk, "w", EventEdit(name="Special"), SECOND)
    assert [one.name for one in desk.events("w")] == ["Weekly", "Special"]
    await update(desk, "w", EventEdit(location="Room"), SECOND)
    assert [one.location for one in desk.events("w")] == [None, "Room"]
    await update(desk, "w", EventEdit(name="Renamed"))
    assert [one.name for one in desk.events("w")] == ["Renamed", "Special"]
    with pytest.raises(NotFoundError):
        await update(desk, "w", EventEdit(name="x"), Slot("20261202T090000Z"))


@pytest.mark.parametrize("altered", [True, False])
async def test_a_deleted_occurrence_is_excluded(desk: GoogleDesk, *, altered: bool) -> None:
    """P8."""
    desk.server.work.put("w", summary="Weekly", **WEEKLY)
    await desk.read()
    if altered:
        await update(desk, "w", EventEdit(name="Special"), SECOND)
    await delete(desk, "w", SECOND)
    (series,) = desk.events("w")
    assert series.recurrence[1:] == ("EXDATE;TZID=Europe/Berlin:20261201T100000",)
    await delete(desk, "w", SECOND)
    assert len(desk.events("w")[0].recurrence) == 2
    await delete(desk, "w")
    assert desk.held == {}


async def test_a_rule_comes_and_goes(desk: GoogleDesk) -> None:
    await desk.read()
    key = (await create(desk)).key
    await update(desk, key, EventEdit(recurrence=("RRULE:FREQ=DAILY;COUNT=3",)))
    assert desk.events(key)[0].recurrence == ("RRULE:FREQ=DAILY;COUNT=3",)
    await update(desk, key, EventEdit(recurrence=()))
    assert desk.events(key)[0].recurrence == ()


async def test_what_is_gone_is_deleted_p5(desk: GoogleDesk) -> None:
    await desk.read()
    key = (await create(desk)).key
    before = desk.raw(key)
    assert (await delete(desk, key)).deleted == {key}
    again = await desk.provider.delete_event(WORK, before, WHOLE)
    assert again.deleted == {key}
    found = await desk.provider.resources(WORK, [key, ResourceKey("never")])
    assert found.deleted == {key, "never"}
    with pytest.raises(NotFoundError):
        await desk.provider.resources(CalendarKey("none"), [key])


async def test_calendars_are_made_changed_and_deleted(desk: GoogleDesk) -> None:
    edit = CalendarEdit(name="Team", location="Bonn", timezone="Asia/Tokyo", color="#102030")
    made = (await desk.provider.create_calendar(edit, name=NAME)).calendar
    assert (made.name, made.location, made.timezone) == ("Team", "Bonn", "Asia/Tokyo")
    assert made.color == "#102030"
    truth = desk.server.calendars[made.key]
    assert truth.listed["foregroundColor"] == "#ffffff"
    truth.listed["summaryOverride"] = "Mine"
    change = CalendarEdit(name="Crew", location=None)
    changed = (await desk.provider.update_calendar(made.key, change)).calendar
    assert (changed.name, changed.location, changed.color) == ("Crew", None, "#102030")
    await desk.provider.delete_calendar(made.key)
    await desk.provider.delete_calendar(made.key)
    assert desk.server.calendars.keys() == {OWNER}
    with pytest.raises(InvalidError):
        await desk.provider.delete_calendar(WORK)


async def test_somebody_elses_calendar_is_named_in_ones_own_list(desk: GoogleDesk) -> None:
    desk.server.add_calendar("team@x", role="writer", summary="Team")
    key = CalendarKey("team@x")
    changed = await desk.provider.update_calendar(key, CalendarEdit(name="Ours"))
    assert changed.calendar.name == "Ours"
    assert desk.server.calendars["team@x"].members["summary"] == "Team"
    with pytest.raises(ForbiddenError):
        await desk.provider.update_calendar(key, CalendarEdit(description="x"))
