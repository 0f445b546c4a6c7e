"""What CalDAV's writing must do beyond every provider's, over servers that know nothing of syncd.

After each write the stream already tells it, an independent client reads the same off the server,
and the next poll finds nothing new.
"""

from datetime import date
from typing import Any

import pytest

from syncd.engine.draft import EventDraft, Guest, PropertyDraft
from syncd.model.edit import CalendarEdit, EventEdit
from syncd.model.errors import ConflictError, NotFoundError
from syncd.model.event import Answer, Email, Person, Reminder, Visibility
from syncd.model.ids import WHOLE
from tests.contract.pen import BERLIN, NAME, Pen, at, wall, weekly
from tests.contract.rig import Rig
from tests.contract.stages.caldav import DavStage
from tests.formats.written import vcalendar, vevent

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def pen(dav: Rig[DavStage]) -> Pen[DavStage]:
    return await Pen.at(dav)


async def test_an_event_is_made_changed_and_deleted(pen: Pen[DavStage]) -> None:
    made = await pen.create(description="a,b;c\\d\n\u00e9\U0001f600" * 20, location="Room 1")
    assert made["start"] == "2026-11-24T11:00:00+01:00"
    await pen.settled(add=1)
    changed = await pen.update(made["id"], name="Later", start=at(12), end=at(14), location=None)
    assert (changed["id"], changed["name"]) == (made["id"], "Later")
    await pen.settled(update=1)
    await pen.delete(made["id"])
    held = await pen.settled(delete=1)
    assert held["Work"] == []


async def test_the_same_name_makes_one_event_p11(pen: Pen[DavStage]) -> None:
    one = await pen.create()
    other = await pen.create(name="Another")
    assert (other["id"], other["name"]) == (one["id"], "Review")
    await pen.settled(add=1)


async def test_everything_that_caldav_has_room_for_is_kept(pen: Pen[DavStage]) -> None:
    email = Email(summary="Soon", description="Come; now", to=("a@example.org",))
    made = await pen.create(
        organizer=Person(email="ada@example.org", name="Ada"),
        attendees=(Guest(email="bo@example.org", name='Bo: "B"', required=False),),
        reminders=(Reminder(minutes=15, popup="Go"), Reminder(minutes=60, email=email)),
        custom_properties=(PropertyDraft(key="k;1", value="v,\n2", private=False),),
        visibility=Visibility.PRIVATE,
        transparent=True,
        color="#112233",
        raw={"CATEGORIES": "A,B"},
    )
    await pen.settled(add=1)
    assert made["organizer"]["name"] == "Ada"
    assert [one["name"] for one in made["attendees"]] == ['Bo: "B"']
    assert not made["attendees"][0]["required"]
    assert [one["minutes"] for one in made["reminders"]] == [15, 60]
    assert made["custom_properties"] == [{"key": "k;1", "value": "v,\n2", "private": False}]
    assert (made["visibility"], made["transparent"], made["color"]) == ("private", True, "#112233")


async def test_days_are_days(pen: Pen[DavStage]) -> None:
    made = await pen.create(all_day=True, start=date(2026, 11, 24), end=date(2026, 11, 26))
    assert (made["start"], made["end"], made["all_day"]) == ("2026-11-24", "2026-11-26", True)
    await pen.settled(add=1)
    timed = await pen.update(
        made["id"], all_day=False, start=wall(9), end=wall(10), start_zone=BERLIN
    )
    assert timed["start"] == "2026-11-24T09:00:00+01:00"
    await pen.settled(update=1)


async def test_an_occurrence_becomes_an_exception_and_goes(pen: Pen[DavStage]) -> None:
    made = await weekly(pen)
    await pen.settled(add=1)
    occurrence = f"{made['id']}_20261208T090000Z"
    changed = await pen.update(occurrence, name="Only this", start=wall(14, 30), end=wall(15, 30))
    assert changed["original_start"] == "2026-12-08T10:00:00+01:00"
    await pen.settled(add=1)
    await pen.update(occurrence, location="Room 2")
    await pen.settled(update=1)
    await pen.delete(occurrence)
    await pen.settled(update=1, delete=1)
    await pen.delete(f"{made['id']}_20261215T090000Z")
    held = await pen.settled(update=1)
    assert [one["excluded"] for one in held["Work"]] == [
        ["2026-12-08T09:00:00Z", "2026-12-15T09:00:00Z"]
    ]
    await pen.delete(made["id"])
    await pen.settled(delete=1)


async def test_a_series_that_moves_takes_its_exceptions_along_d21(pen: Pen[DavStage]) -> None:
    made = await weekly(pen)
    await pen.update(f"{made['id']}_20261208T090000Z", name="Only this")
    await pen.delete(f"{made['id']}_20261201T090000Z")
    await pen.settled(add=2, update=1)
    await pen.update(made["id"], start=wall(12, 25), end=wall(14, 25))
    held = await pen.settled(update=1, add=1, delete=1)
    series, exception = sorted(held["Work"], key=lambda one: one["original"] or "")
    assert (series["start"], series["excluded"]) == (
        "2026-11-25T11:00:00Z",
        ["2026-12-02T11:00:00Z"],
    )
    assert (exception["original"], exception["start"], exception["end"]) == (
        *("2026-12-09T11:00:00Z", "2026-12-09T11:00:00Z"),
        "2026-12-09T13:00:00Z",
    )
    await pen.update(made["id"], recurrence=("RRULE:FREQ=WEEKLY;COUNT=2",))
    await pen.settled(update=1, delete=1)
    await pen.update(made["id"], recurrence=())
    await pen.settled(update=1)


FOREIGN = (
    "ORGANIZER;CN=Boss;X-NUM=1:mailto:boss@example.org",
    "ATTENDEE;CN=Me;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;X-FOO=bar:mailto:alice",
    "ATTENDEE;CN=Bo;PARTSTAT=ACCEPTED;ROLE=CHAIR:mailto:bo@example.org",
)


async def test_an_answer_changes_the_own_answer_only_k26(pen: Pen[DavStage]) -> None:
    times = ("DTSTAMP:20261101T000000Z", "DTSTART:20261124T090000Z", "DTEND:20261124T100000Z")
    me = pen.rig.stage.server.username
    guests = [line.replace("mailto:alice", f"mailto:{me}") for line in FOREIGN]
    body = vcalendar(vevent(*times, "SUMMARY:Invited", "SEQUENCE:3", *guests, uid="inv"))
    await pen.rig.stage.server.put("work", "inv.ics", body)
    assert (await pen.rig.poll()).error is None
    (event,) = pen.rig.replay.events or await _events(pen)
    told = await pen.update(event, reply=Answer.ACCEPTED)
    assert {one["email"]: one["status"] for one in told["attendees"]} == {
        me: "accepted",
        "bo@example.org": "accepted",
    }
    key = await _key(pen)
    held = (await pen.rig.store.raw((await pen.calendar()).id, [key]))[key]
    for line in (b"SEQUENCE:3", b"X-FOO=bar", b"ROLE=CHAIR"):
        assert line in held.raw


async def _events(pen: Pen[DavStage]) -> list[str]:
    await pen.rig.drain()
    return list(pen.rig.replay.events)


async def _key(pen: Pen[DavStage]) -> Any:  # noqa: ANN401 - a key
    return next(iter(await pen.rig.store.etags((await pen.calendar()).id)))


async def test_what_somebody_else_changed_meanwhile_is_not_lost(pen: Pen[DavStage]) -> None:
    """The engine reads again and repeats once: both changes are there."""
    made = await pen.create()
    key = await _key(pen)
    name = key.rpartition("/")[2]
    held = (await pen.rig.store.raw((await pen.calendar()).id, [key]))[key]
    other = held.raw.replace(b"SUMMARY:Review", b"SUMMARY:Review\r\nLOCATION:Elsewhere")
    await pen.rig.stage.server.put("work", name, other)
    told = await pen.update(made["id"], name="Mine")
    assert (told["name"], told["location"]) == ("Mine", "Elsewhere")
    await pen.settled(add=1, update=2)


async def test_the_adapter_refuses_a_version_that_is_gone_d17(pen: Pen[DavStage]) -> None:
    made = await pen.create()
    key, calendar = await _key(pen), await pen.calendar()
    before = (await pen.rig.store.raw(calendar.id, [key]))[key]
    await pen.update(made["id"], name="Second")
    async with pen.rig.opener.open(await pen.rig.profile()) as provider:
        for write in (
            provider.update_event(calendar.key, before, WHOLE, EventEdit(name="Third")),
            provider.delete_event(calendar.key, before, WHOLE),
        ):
            with pytest.raises(ConflictError):
                await write
    await pen.settled(add=1, update=1)


async def test_what_is_gone_is_told_and_deletes_once_more_p5(pen: Pen[DavStage]) -> None:
    made = await pen.create()
    key = await _key(pen)
    await pen.settled(add=1)
    await pen.rig.stage.server.delete("work", key.rpartition("/")[2])
    with pytest.raises(NotFoundError):
        await pen.update(made["id"], name="Too late")
    await pen.settled(delete=1)
    again = await pen.create(key="another-name-of-22-chars")
    key = await _key(pen)
    await pen.rig.stage.server.delete("work", key.rpartition("/")[2])
    await pen.delete(again["id"])
    await pen.settled(add=1, delete=1)


async def test_calendars_are_made_changed_and_deleted_d23(pen: Pen[DavStage]) -> None:
    rig = pen.rig
    wanted = CalendarEdit(name="Büro & <Heim>", description="All", timezone=BERLIN, color="#aabbcc")
    made = await rig.writer.create_calendar(await rig.profile(), wanted, name=NAME)
    calendar = made.calendar.calendar
    assert (calendar.name, calendar.description, calendar.color) == (
        *("Büro & <Heim>", "All"),
        "#AABBCC",
    )
    assert calendar.timezone == BERLIN or "timezone" in made.ignored
    again = await rig.writer.create_calendar(await rig.profile(), wanted, name=NAME)
    assert again.calendar.id == made.calendar.id
    await pen.settled(add=1)
    changed = await rig.writer.update_calendar(
        await rig.profile(), again.calendar, CalendarEdit(name="Home", description=None)
    )
    assert (changed.calendar.calendar.name, changed.calendar.calendar.description) == ("Home", None)
    await pen.settled(update=1)
    draft = EventDraft(name="In it", start=at(9), end=at(10))
    await rig.writer.create_event(await rig.profile(), changed.calendar, draft, name=NAME)
    held = await pen.settled(add=1)
    assert [one["name"] for one in held["Home"]] == ["In it"]
    await rig.writer.delete_calendar(await rig.profile(), await pen.calendar("Home"))
    held = await pen.settled(delete=2)
    assert "Home" not in held
