"""Writing Microsoft Graph; what we send is judged by its OpenAPI document, too."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncd.model.edit import CalendarEdit, EventEdit, Reply
from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TransientError,
    UnsupportedError,
)
from syncd.model.event import Answer, CustomProperty, Person, Reminder, Visibility
from syncd.model.ids import WHOLE, CalendarKey, ResourceKey, Slot
from syncd.model.resource import slot
from syncd.ports.writing import Wrote
from syncd.providers.graph.writing import transaction_id
from tests.providers.graph import GraphDesk, graph_desk
from tests.providers.test_graph_reading import RULE, WEEKLY
from tests.servers.graph import Fault, GraphServer, at
from tests.servers.graph_truth import OWNER

NAME = "Zm9vYmFyYmF6cXV4cXV1eA"
START = datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("Europe/Berlin"))
NEW = EventEdit(
    name="New",
    start=START,
    end=START + timedelta(hours=1),
    start_zone="Europe/Berlin",
    end_zone="Europe/Berlin",
)
SECOND, THIRD = Slot("20261201T090000Z"), Slot("20261208T090000Z")


@pytest.fixture
async def server() -> AsyncIterator[GraphServer]:
    async with GraphServer().running() as running:
        yield running
        assert running.complaints == []


@pytest.fixture
async def desk(server: GraphServer) -> AsyncIterator[GraphDesk]:
    async with graph_desk(server) as one:
        await one.read()
        yield one


async def written(desk: GraphDesk, wrote: Wrote) -> Wrote:
    """What a write answers is what the next poll, and a full read, find."""
    desk.wrote(wrote)
    told = dict(desk.held)
    await desk.read()
    assert desk.held == told
    await desk.read(full=True)
    assert desk.held == told
    return wrote


async def create(desk: GraphDesk, edit: EventEdit = NEW, name: str = NAME) -> Wrote:
    return await written(desk, await desk.provider.create_event(desk.key, edit, name=name))


async def update(desk: GraphDesk, key: str, edit: EventEdit, place: Slot = WHOLE) -> Wrote:
    found = await desk.provider.update_event(desk.key, desk.raw(key), place, edit)
    return await written(desk, found)


async def delete(desk: GraphDesk, key: str, place: Slot = WHOLE) -> Wrote:
    return await written(desk, await desk.provider.delete_event(desk.key, desk.raw(key), place))


async def test_an_event_is_made_once_in_a_transaction_of_ours(desk: GraphDesk) -> None:
    """P11, MG12: without an id or a UID of ours."""
    key = (await create(desk)).key
    assert desk.events(key)[0].name == "New"
    assert desk.events(key)[0].start == START
    assert desk.work.events[key]["transactionId"] == transaction_id(NAME)
    await create(desk, replace(NEW, name="Again"))
    assert [one.name for one in desk.events(key)] == ["New"]
    assert len(desk.work.events) == 1
    await create(desk, name=f"{NAME}2")
    assert len(desk.work.events) == 2


async def test_a_create_without_an_answer_is_sent_again(desk: GraphDesk) -> None:
    """P11: the same transaction makes no second event."""
    desk.server.faults.append(Fault(500, method="POST", part="/events", after=True))
    key = (await create(desk)).key
    assert list(desk.work.events) == [key]
    desk.server.faults.append(Fault(503, method="POST", part="/events", code="x"))
    with pytest.raises(TransientError):
        await desk.provider.create_event(desk.key, NEW, name=f"{NAME}2")
    assert list(desk.work.events) == [key]


async def test_a_patch_sends_only_what_changes(desk: GraphDesk) -> None:
    """P10."""
    key = (await create(desk)).key
    before = dict(desk.work.events[key])
    await update(desk, key, EventEdit(location="Room", description=None))
    after = desk.work.events[key]
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"location", "@odata.etag", "changeKey", "lastModifiedDateTime"}
    desk.work.put(key, subject="Elsewhere")
    with pytest.raises(ConflictError):
        await desk.provider.update_event(desk.key, desk.raw(key), WHOLE, EventEdit(name="Mine"))
    with pytest.raises(ConflictError):
        await desk.provider.delete_event(desk.key, desk.raw(key), WHOLE)
    assert desk.work.events[key]["subject"] == "Elsewhere"


async def test_days_become_times_and_back(desk: GraphDesk) -> None:
    """MG11: midnight to midnight in one zone."""
    key = (await create(desk)).key
    await update(desk, key, EventEdit(start=date(2026, 11, 24), end=date(2026, 11, 26)))
    assert desk.events(key)[0].end == date(2026, 11, 26)
    assert desk.work.events[key]["isAllDay"] is True
    await update(desk, key, EventEdit(start=NEW.start, end=NEW.end, start_zone="Asia/Tokyo"))
    assert desk.events(key)[0].start_zone == "Asia/Tokyo"
    assert desk.events(key)[0].start == START


async def test_every_member_is_written(desk: GraphDesk) -> None:
    """Section 9, MG19."""
    desk.server.categories = {"Blue": "preset7", "Red": "preset0"}
    edit = replace(
        NEW,
        description="Text",
        organizer=Person(email=OWNER, name="Ada"),
        attendees=(Person(email="bo@example.org", name="Bo", required=False),),
        reminders=(Reminder(minutes=5),),
        custom_properties=(CustomProperty(key="a", value="1"), CustomProperty(key="b", value="2")),
        visibility=Visibility.PRIVATE,
        transparent=True,
        color="#DD2222",
        raw={"importance": "high"},
    )
    wrote = await create(desk, edit)
    (event,) = desk.events(wrote.key)
    assert wrote.ignored == frozenset()
    assert [(one.minutes, one.method) for one in event.reminders] == [(5, "popup")]
    assert (event.visibility, event.transparent) == (Visibility.PRIVATE, True)
    assert (event.color, event.description) == ("#E7A1A2", "Text")
    assert [(one.email, one.required) for one in event.attendees] == [("bo@example.org", False)]
    assert event.custom_properties == edit.custom_properties
    assert desk.work.events[wrote.key]["importance"] == "high"


async def test_custom_properties_come_change_and_go(desk: GraphDesk) -> None:
    """MG19, K26: in one open extension."""
    key = (await create(desk)).key
    for pairs in (
        (CustomProperty(key="a", value="1"),),
        (CustomProperty(key="a", value="2", private=False), CustomProperty(key="b", value="3")),
        (),
        (),
    ):
        await update(desk, key, EventEdit(custom_properties=pairs))
        assert desk.events(key)[0].custom_properties == pairs
    assert desk.work.events[key]["extensions"] == []


async def test_a_colour_is_the_first_category_and_the_others_stay(desk: GraphDesk) -> None:
    desk.work.put("a", start=at(24), end=at(25), subject="A", categories=["Trip", "Own"])
    await desk.read()
    wrote = await update(desk, "a", EventEdit(color="#0000FF"))
    assert wrote.ignored == {"color"}  # R13: there are no categories with a colour
    desk.server.categories = {"Blue": "preset7", "Red": "preset0", "Own": "none"}
    async with graph_desk(desk.server) as again:
        await again.read()
        for color, categories in (
            ("#0000FF", ["Blue", "Trip", "Own"]),
            ("#FF0000", ["Red", "Trip", "Own"]),
            (None, ["Trip", "Own"]),
        ):
            wrote = await update(again, "a", EventEdit(color=color))
            assert again.work.events["a"]["categories"] == categories
            assert wrote.ignored == frozenset()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer.ACCEPTED, "accept"),
        (Answer.TENTATIVE, "tentativelyAccept"),
        (Answer.DECLINED, "decline"),
    ],
)
async def test_an_invitation_is_answered_by_an_action(
    desk: GraphDesk, answer: Answer, told: str
) -> None:
    """MG13: the organizer is told, and who declines has the event no more."""
    guests = [{"emailAddress": {"address": OWNER}}, {"emailAddress": {"address": "bo@example.org"}}]
    organizer = {"emailAddress": {"address": "bo@example.org"}}
    members = {"isOrganizer": False, "attendees": guests, "organizer": organizer}
    desk.work.put("a", start=at(24), end=at(24, 10), **members)
    await desk.read()
    edit = EventEdit(reply=Reply(email=OWNER, answer=answer))
    wrote = await update(desk, "a", edit)
    assert desk.server.responses == [("a", told, True)]
    if answer is Answer.DECLINED:
        assert wrote.deleted == {"a"}
        return
    people = {one.email: one.answer for one in desk.events("a")[0].attendees}
    assert people == {OWNER: answer, "bo@example.org": Answer.ACCEPTED}
    with pytest.raises(InvalidError):
        await update(desk, "a", EventEdit(reply=Reply(email=OWNER, answer=Answer.PENDING)))


async def test_one_occurrence_is_declined(desk: GraphDesk) -> None:
    """MG13, P8."""
    organizer = {"emailAddress": {"address": "bo@example.org"}}
    desk.work.put("w", **WEEKLY, isOrganizer=False, organizer=organizer)
    await desk.read()
    edit = EventEdit(reply=Reply(email=OWNER, answer=Answer.DECLINED))
    await update(desk, "w", edit, SECOND)
    line = "EXDATE;TZID=Europe/Berlin:20261201T100000"
    assert [one.recurrence for one in desk.events("w")] == [(RULE, line)]
    accepted = EventEdit(reply=Reply(email=OWNER, answer=Answer.ACCEPTED))
    await update(desk, "w", accepted, THIRD)
    assert [slot(one) for one in desk.events("w")] == ["", THIRD]


async def test_an_organizer_is_not_replaced(desk: GraphDesk) -> None:
    """K26."""
    key = (await create(desk)).key
    await update(desk, key, EventEdit(name="x", organizer=Person(email=OWNER.upper())))
    with pytest.raises(UnsupportedError):
        await update(desk, key, EventEdit(organizer=Person(email="bo@example.org")))


async def test_an_occurrence_becomes_an_exception_and_changes(desk: GraphDesk) -> None:
    """P8."""
    desk.work.put("w", **WEEKLY)
    await desk.read()
    await update(desk, "w", EventEdit(name="Special"), SECOND)
    assert [one.name for one in desk.events("w")] == ["Weekly", "Special"]
    later = START + timedelta(days=8)
    moved = EventEdit(start=later, end=later + timedelta(hours=1), location="Room")
    await update(desk, "w", moved, SECOND)
    assert [(slot(one), one.location) for one in desk.events("w")] == [("", None), (SECOND, "Room")]
    assert desk.events("w")[1].start == later
    await update(desk, "w", EventEdit(name="Renamed"))
    assert [one.name for one in desk.events("w")] == ["Renamed", "Special"]
    pairs = (CustomProperty(key="a", value="1"),)
    await update(desk, "w", EventEdit(custom_properties=pairs), THIRD)
    assert [one.custom_properties for one in desk.events("w")] == [(), (), pairs]
    with pytest.raises(NotFoundError):
        await update(desk, "w", EventEdit(name="x"), Slot("20261202T090000Z"))


@pytest.mark.parametrize("altered", [True, False])
async def test_a_deleted_occurrence_is_excluded(desk: GraphDesk, *, altered: bool) -> None:
    """P8, MG7."""
    desk.work.put("w", **WEEKLY)
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


async def test_an_occurrence_of_days_is_found_by_its_day(desk: GraphDesk) -> None:
    """P9."""
    edit = replace(
        NEW,
        start=date(2026, 11, 24),
        end=date(2026, 11, 25),
        recurrence=("RRULE:FREQ=DAILY;COUNT=5",),
    )
    key = (await create(desk, edit)).key
    await update(desk, key, EventEdit(name="Other"), Slot("20261126"))
    await delete(desk, key, Slot("20261127"))
    series, exception = desk.events(key)
    assert series.recurrence == ("RRULE:FREQ=DAILY;COUNT=5", "EXDATE;VALUE=DATE:20261127")
    assert (exception.original_start, exception.name) == (date(2026, 11, 26), "Other")


async def test_a_rule_comes_and_goes(desk: GraphDesk) -> None:
    key = (await create(desk)).key
    rule = ("RRULE:FREQ=DAILY;COUNT=3",)
    await update(desk, key, EventEdit(recurrence=rule))
    assert desk.events(key)[0].recurrence == rule
    await update(desk, key, EventEdit(recurrence=()))
    assert desk.events(key)[0].recurrence == ()
    with pytest.raises(InvalidError) as caught:
        await update(desk, key, EventEdit(recurrence=("RRULE:FREQ=HOURLY",)))
    assert (caught.value.code, caught.value.members) == (
        "unsupported_recurrence",
        {"part": "FREQ"},
    )  # K25


async def test_a_series_that_moves_begins_where_it_starts(desk: GraphDesk) -> None:
    """Section 9: the range's first day is the start's; what differed from the pattern is gone."""
    desk.work.put("w", **WEEKLY)
    await desk.read()
    await update(desk, "w", EventEdit(name="Special"), SECOND)
    start = datetime(2026, 12, 8, 15, tzinfo=UTC)
    moved = EventEdit(start=start, end=start + timedelta(hours=2), start_zone="UTC", end_zone="UTC")
    await update(desk, "w", moved)
    (series,) = desk.events("w")
    assert (series.start, series.recurrence) == (start, (RULE,))
    assert desk.work.events["w"]["recurrence"]["range"]["startDate"] == "2026-12-08"


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
async def test_a_series_that_changes_its_zone_keeps_its_last_day(
    desk: GraphDesk, zone: str
) -> None:
    """Its end is a day, told as the end of that day where it repeated (MG7)."""
    begin = datetime(2026, 11, 24, 3, tzinfo=ZoneInfo(zone))
    times = EventEdit(start=begin, end=begin + timedelta(hours=1), start_zone=zone, end_zone=zone)
    made = replace(times, name="Ends", recurrence=("RRULE:FREQ=DAILY;UNTIL=20261127",))
    key = (await create(desk, made)).key
    days = EventEdit(start=date(2026, 11, 24), end=date(2026, 11, 25), start_zone=None)
    for edit in (days, times, NEW):
        await update(desk, key, replace(edit, name="Moved"))
        extent = desk.work.events[key]["recurrence"]["range"]
        assert (extent["startDate"], extent["endDate"]) == ("2026-11-24", "2026-11-27")


async def test_what_is_gone_is_deleted_p5(desk: GraphDesk) -> None:
    key = (await create(desk)).key
    before = desk.raw(key)
    assert (await delete(desk, key)).deleted == {key}
    again = await desk.provider.delete_event(desk.key, before, WHOLE)
    assert again.deleted == {key}
    found = await desk.provider.resources(desk.key, [key, ResourceKey("never")])
    assert found.deleted == {key, "never"}
    with pytest.raises(NotFoundError):
        await desk.provider.update_event(desk.key, before, WHOLE, EventEdit(name="x"))
    with pytest.raises(NotFoundError):
        await desk.provider.delete_event(CalendarKey("none"), before, WHOLE)


async def test_calendars_are_made_changed_and_deleted(desk: GraphDesk) -> None:
    """MG17, C5: a work account's calendars have no colour of ours."""
    edit = CalendarEdit(name="Team", color="#88D090")
    wrote = await desk.provider.create_calendar(edit, name=NAME)
    made = wrote.calendar
    assert made.name == "Team"
    assert wrote.ignored == {"color"}
    assert desk.server.calendars[made.key].members["color"] == "auto"
    with pytest.raises(ConflictError):
        await desk.provider.create_calendar(edit, name=f"{NAME}2")
    changed = await desk.provider.update_calendar(made.key, CalendarEdit(name="Crew"))
    assert changed.calendar.name == "Crew"
    unchanged = await desk.provider.update_calendar(made.key, CalendarEdit(color="#FF0000"))
    assert unchanged.calendar.name == "Crew"
    assert unchanged.ignored == {"color"}
    await desk.provider.delete_calendar(made.key)
    await desk.provider.delete_calendar(made.key)
    assert list(desk.server.calendars) == [desk.key]
    with pytest.raises(ForbiddenError):
        await desk.provider.delete_calendar(desk.key)


async def test_outlook_com_paints_with_the_nearest_of_its_colours(server: GraphServer) -> None:
    """C5."""
    server.sign_in(tenant="9188040d-6c67-4c5b-b112-36a304b66dad")
    async with graph_desk(server) as desk:
        edit = CalendarEdit(name="Team", color="#88D090")
        wrote = await desk.provider.create_calendar(edit, name=NAME)
        members = server.calendars[wrote.calendar.key].members
        assert (members["color"], wrote.ignored) == ("lightGreen", frozenset())
        await desk.provider.update_calendar(wrote.calendar.key, CalendarEdit(color=None))
        assert members["color"] == "auto"


async def test_a_read_only_calendar_takes_nothing(desk: GraphDesk) -> None:
    key = (await create(desk)).key
    desk.work.members["canEdit"] = False
    for refused in (
        desk.provider.create_event(desk.key, NEW, name=f"{NAME}2"),
        desk.provider.update_event(desk.key, desk.raw(key), WHOLE, EventEdit(name="x")),
        desk.provider.delete_event(desk.key, desk.raw(key), WHOLE),
    ):
        with pytest.raises(ForbiddenError):
            await refused
