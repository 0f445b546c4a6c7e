"""What every provider's writing, and what it has beside calendars, must do.

After each write the stream already tells it, a client that is not ours reads the same at the
provider, and the next poll finds nothing new.
"""

from collections.abc import Mapping
from datetime import date

import orjson
import pytest

from syncd.api.problems import problem_of
from syncd.engine.draft import EventDraft, Guest
from syncd.model.activity import Filter, Kind
from syncd.model.edit import CalendarEdit
from syncd.model.errors import NotFoundError, SyncdError, UnsupportedError
from syncd.model.ids import Position
from syncd.model.when import utc
from tests.contract.pen import BERLIN, NAME, Pen, at, wall, weekly
from tests.contract.rig import Json, Rig
from tests.contract.scenarios import BERLIN as ZONE
from tests.contract.scenarios import days, moved, needs, single, slot, start, timed
from tests.contract.scenarios import weekly as planned
from tests.contract.serving import served
from tests.contract.stage import KeepsContacts, Lack, Named, ShowsRooms, Stage

pytestmark = pytest.mark.timeout(120)


async def test_an_event_is_made_changed_and_deleted(rig: Rig[Stage]) -> None:
    pen = await Pen.at(rig)
    made = await pen.create(description="a,b;c\\d\n\u00e9\U0001f600;" * 20, location="Room 1")
    assert made["start"] == "2026-11-24T11:00:00+01:00"
    await pen.settled(add=1)
    changed = await pen.update(made["id"], name="Later", start=at(12), end=at(14), location=None)
    assert (changed["id"], changed["name"]) == (made["id"], "Later")
    await pen.settled(update=1)
    await pen.delete(made["id"])
    held = await pen.settled(delete=1)
    assert held["Work"] == []


async def test_the_same_name_makes_one_event_p11(rig: Rig[Stage]) -> None:
    pen = await Pen.at(rig)
    one = await pen.create()
    other = await pen.create(name="Another")
    assert (other["id"], other["name"]) == (one["id"], "Review")
    await pen.settled(add=1)


async def test_days_become_times(rig: Rig[Stage]) -> None:
    pen = await Pen.at(rig)
    made = await pen.create(all_day=True, start=date(2026, 11, 24), end=date(2026, 11, 26))
    assert (made["start"], made["end"], made["all_day"]) == ("2026-11-24", "2026-11-26", True)
    await pen.settled(add=1)
    timed = await pen.update(
        made["id"], all_day=False, start=wall(9), end=wall(10), start_zone=BERLIN
    )
    assert timed["start"] == "2026-11-24T09:00:00+01:00"
    await pen.settled(update=1)


async def test_guests_are_written_and_kept(rig: Rig[Stage]) -> None:
    pen = await Pen.at(rig)
    guests = (Guest(email="bo@example.org"), Guest(email="cy@example.org"))
    made = await pen.create(attendees=guests)
    emails = {one["email"] for one in made["attendees"]}
    assert {"bo@example.org", "cy@example.org"} <= emails
    await pen.settled(add=1)
    await pen.update(made["id"], name="With guests")
    held = await pen.settled(update=1)
    assert set(held["Work"][0]["attendees"]) >= {"bo@example.org", "cy@example.org"}


async def test_an_occurrence_becomes_an_exception_and_goes(rig: Rig[Stage]) -> None:
    pen = await Pen.at(rig)
    made = await weekly(pen)
    await pen.settled(add=1)
    occurrence = f"{made['id']}_20261208T090000Z"
    changed = await pen.update(
        occurrence, name="Only this", start=wall(14, 30), end=wall(15, 30), start_zone=BERLIN
    )
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


async def test_a_series_takes_its_exceptions_along(rig: Rig[Stage]) -> None:
    pen = await Pen.at(rig)
    made = await weekly(pen)
    await pen.update(f"{made['id']}_20261201T090000Z", name="Only this")
    await pen.settled(add=2)
    await pen.delete(made["id"])
    held = await pen.settled(delete=2)
    assert held["Work"] == []


async def test_what_another_device_changed_meanwhile_is_not_lost(rig: Rig[Stage]) -> None:
    """The engine reads again and repeats once: both changes are there."""
    await rig.stage.put("Work", "a", single("Review"))
    pen = await Pen.at(rig)
    (event,) = rig.replay.events
    await rig.stage.put("Work", "a", single("Review", location="Elsewhere"))
    told = await pen.update(event, name="Mine")
    assert (told["name"], told["location"]) == ("Mine", "Elsewhere")
    await pen.settled(update=2)


async def test_what_is_gone_is_told_and_deletes_once_more_p5(rig: Rig[Stage]) -> None:
    for key in ("a", "b"):
        await rig.stage.put("Work", key, single(key))
    pen = await Pen.at(rig)
    known = {one["name"]: one["id"] for one in rig.replay.events.values()}
    await rig.stage.remove("Work", "a")
    with pytest.raises(NotFoundError):
        await pen.update(known["a"], name="Too late")
    await pen.settled(delete=1)
    await rig.stage.remove("Work", "b")
    await pen.delete(known["b"])
    await pen.settled(delete=1)


async def test_calendars_are_made_filled_and_deleted(rig: Rig[Stage]) -> None:
    pen = await Pen.at(rig)
    made = await rig.writer.create_calendar(
        await rig.profile(), CalendarEdit(name="Home"), name=NAME
    )
    assert made.calendar.calendar.name == "Home"
    await pen.settled(add=1)
    draft = EventDraft(name="In it", start=at(9), end=at(10))
    await rig.writer.create_event(await rig.profile(), made.calendar, draft, name=NAME)
    held = await pen.settled(add=1)
    assert [one["name"] for one in held["Home"]] == ["In it"]
    await rig.writer.delete_calendar(await rig.profile(), await pen.calendar("Home"))
    held = await pen.settled(delete=2)
    assert "Home" not in held


@needs(Lack.PROTECTED_CALENDARS)
async def test_a_primary_calendar_that_is_protected_is_refused_alike_k16(rig: Rig[Stage]) -> None:
    """As 400 `upstream_rejected`, whatever status the provider has for it; nothing goes."""
    pen = await Pen.at(rig)
    some = await rig.store.calendars(rig.profile_id)
    primary = next(one for one in some if one.calendar.primary)
    with pytest.raises(SyncdError) as refused:
        await rig.writer.delete_calendar(await rig.profile(), primary)
    told = problem_of(refused.value)
    assert (told.status, told.code) == (400, "upstream_rejected")
    assert primary.calendar.name in await pen.settled()


async def test_a_calendar_is_renamed_or_that_is_refused_p17(rig: Rig[Stage]) -> None:
    """Refused where the provider declares that it cannot (``Abilities.calendar_updates``)."""
    pen = await Pen.at(rig)
    await rig.stage.add_calendar("Home")
    await rig.step(add=1)
    profile, home = await rig.profile(), await pen.calendar("Home")
    edit = CalendarEdit(name="Büro & <Heim>")
    if not rig.opener.abilities(rig.stage.provider).calendar_updates:
        with pytest.raises(UnsupportedError):
            await rig.writer.update_calendar(profile, home, edit)
        await pen.settled()
        return
    changed = await rig.writer.update_calendar(profile, home, edit)
    assert changed.calendar.calendar.name == "Büro & <Heim>"
    await pen.settled(update=1)


async def test_rooms_can_be_read_and_a_provider_without_has_none_p17(rig: Rig[Stage]) -> None:
    """K33."""
    await rig.connect()
    async with rig.opener.open(await rig.profile()) as provider:
        rooms = await provider.rooms()
    assert bool(rooms) == (Lack.ROOMS not in rig.stage.lacks)


@needs(Lack.ROOM_CALENDARS)
async def test_the_calendar_of_a_room_is_read_as_one_of_the_persons_own_k18(
    rig: Rig[Stage],
) -> None:
    """K33: as it is now, in windows and pages; nothing of it is stored, or told of the stream."""
    stage = rig.stage
    assert isinstance(stage, ShowsRooms)
    await stage.add_room("Hall")
    for place in ("Work", "Hall"):
        await book(stage, place)
    await rig.connect()
    await rig.step(add=6)
    async with served(rig) as application:
        account = f"/v1/accounts/{rig.profile_id}/cal"
        mine = await application.listed(f"{account}/calendars")
        (work,) = (one["id"] for one in mine if one["name"] == "Work")
        rooms = await application.listed(f"{account}/resources")
        (hall,) = (one["calendar"] for one in rooms if one["name"] == "Hall")
        for query in WINDOWS:
            own = await application.listed(f"{account}/calendars/{work}/events", **query)
            live = await application.listed(f"{account}/calendars/{hall}/events", **query)
            assert alike(live, query) == alike(own, query) != [], query
        await stage.put("Hall", "late", single("Late", hour=15))
        _, told, headers = await application.get(f"{account}/calendars/{hall}/events")
        assert "Late" in {one["name"] for one in told["objects"]}
        assert headers["X-Syncd-Polled-At"] == utc(rig.clock.now())
        assert "X-Syncd-Cursor" not in headers
    await rig.step()


WINDOWS: tuple[dict[str, str], ...] = (
    {},
    {"page_size": "2"},
    {"page_size": "1", "start": "2026-12-01T00:00:00Z", "end": "2026-12-24T00:00:00Z"},
    {"start": "2026-12-08", "end": "2026-12-09"},
    {"start": "2026-11-24T09:30:00Z", "end": "2026-11-24T09:30:00Z"},
    {"instances": "false"},
    {"instances": "false", "page_size": "1", "start": "2026-12-05"},
)


async def book(stage: Stage, place: str) -> None:
    """Fill a calendar with a single event, days, and a series of which two differ."""
    await stage.put(place, f"{place}-a", single("Review", hour=11))
    await stage.put(place, f"{place}-d", days("Fair", date(2026, 12, 7), 2))
    await stage.put(place, f"{place}-n", timed("Night", start(11, 23, zone=ZONE)))
    key = f"{place}-w"
    await stage.put(place, key, planned())
    await stage.put_exception(place, key, slot(2), moved(2, 14))
    await stage.drop_occurrence(place, key, slot(3))


def alike(told: list[Json], query: Mapping[str, str]) -> list[Json]:
    """Return objects without what no two calendars share.

    A series that is shown as such need not name the starts that it does without.
    """
    apart = {"id", "calendar_id", "href", "ical_uid", "created", "modified", "recurring_master_id"}
    plain = [{name: one[name] for name in one.keys() - apart} for one in told]
    for one in plain if query.get("instances") == "false" else ():
        one["recurrence"] = [part for part in one["recurrence"] if "RRULE" in part["rrule"]]
    return plain


@needs(Lack.CONTACTS)
async def test_contacts_come_change_and_go(rig: Rig[Stage]) -> None:
    """K30: in the stream for who asks for them, and as the provider holds them."""
    stage = rig.stage
    assert isinstance(stage, KeepsContacts)
    await stage.put_contact("ada", Named(name="Ada", email="ada@example.org"))
    await stage.put_contact("bo", Named(name="Bo", phone="+49 1"))
    await rig.connect()
    held = dict[str, Named]()
    assert await contacts(rig, held) == ["add Ada", "add Bo"]
    assert await contacts(rig, held) == []
    await stage.put_contact("ada", Named(name="Ada L.", email="ada@example.org"))
    await stage.put_contact("cy", Named(name="Cy"))
    await stage.remove_contact("bo")
    assert await contacts(rig, held) == ["add Cy", "delete Bo", "update Ada L."]
    assert await contacts(rig, held) == []
    await rig.agree()


async def contacts(rig: Rig[Stage], held: dict[str, Named]) -> list[str]:
    """Poll; return what is new of contacts, which then are in ``held`` as at the provider."""
    after = Position(rig.replay.position)
    assert (await rig.poll()).error is None
    wanted = Filter(kinds=frozenset({Kind.CONTACT}))
    _, found, _ = await rig.store.read(rig.profile_id, after=after, limit=100, wanted=wanted)
    await rig.drain()
    told = list[str]()
    for one in found:
        record = orjson.loads(one.body)
        contact = record["metadata"]
        assert (contact["id"] in held) == (record["type"] != "add")
        told.append(f"{record['type']} {contact['name']}")
        if record["type"] == "delete":
            del held[contact["id"]]
            continue
        held[contact["id"]] = Named(
            name=contact["name"],
            email="".join(email["value"] for email in contact["emails"]),
            phone="".join(phone["value"] for phone in contact["phones"]),
        )
    assert isinstance(rig.stage, KeepsContacts)
    assert sorted(held.values(), key=str) == sorted(await rig.stage.contacts(), key=str)
    return sorted(told)
