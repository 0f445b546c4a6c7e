"""Writing Exchange through the port (P11, E7, E9)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncd.model.edit import UNSET, EventEdit
from syncd.model.errors import (
    ConflictError,
    NotFoundError,
)
from syncd.model.event import Person, Reminder, Visibility
from syncd.model.ids import WHOLE, CalendarKey, ResourceKey, Slot
from tests.providers.ews import NAME, EwsDesk, at, event, ews_desk, instant, new, weekly, written
from tests.servers.ews import EwsServer, Fault
from tests.servers.ews_xml import Xml, every, t, words


@pytest.fixture
async def desk() -> AsyncIterator[EwsDesk]:
    async with EwsServer().running() as server, ews_desk(server) as one:
        server.asked.clear()
        yield one
        assert server.complaints == []


async def test_an_event_is_made_with_all_that_it_says(desk: EwsDesk) -> None:
    edit = replace(
        new(),
        description="Why",
        location="Hall",
        attendees=(
            Person(email="bo@example.org", name="Bo"),
            Person(email="cy@example.org", required=False),
            Person(email="hall@example.org", resource=True),
        ),
        reminders=(Reminder(minutes=20),),
        visibility=Visibility.CONFIDENTIAL,
        transparent=True,
        recurrence=("RRULE:FREQ=WEEKLY;COUNT=3",),
    )
    wrote = await desk.provider.create_event(desk.key, edit, name=NAME)
    (resource,) = wrote.upserts
    (one,) = resource.events
    assert (wrote.key, wrote.slot) == (resource.key, WHOLE)
    assert (one.name, one.description, one.location) == ("New", "Why", "Hall")
    assert (one.start, one.end, one.start_zone) == (at(24), at(24, 10), "Europe/Berlin")
    assert (one.visibility, one.transparent) == (Visibility.CONFIDENTIAL, True)
    assert one.recurrence == ("RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=3",)
    assert [(two.email, two.required, two.resource) for two in one.attendees] == [
        ("bo@example.org", True, False),
        ("cy@example.org", False, False),
        ("hall@example.org", True, True),
    ]
    assert one.reminder == 20
    assert written(desk).zone == "W. Europe Standard Time"
    read = await desk.read()
    assert read.upserts == {resource.key}
    assert desk.held[resource.key] == resource  # a poll finds what was recorded (P11)


async def test_nobody_is_mailed(desk: EwsDesk) -> None:
    """E9: asked for by every write; the fake refuses a write that says nothing of it."""
    seen = list[Xml]()
    for name in ("create", "update", "delete"):
        asked = getattr(desk.server.items, name)
        operation = f"{name.capitalize()}Item"

        def spy(given: Xml, asked: object = asked) -> Xml:
            seen.append(given)
            return asked(given)  # type: ignore[operator]

        desk.server._operations[operation] = spy
    wrote = await desk.provider.create_event(desk.key, new(), name=NAME)
    desk.take(wrote.upserts, wrote.deleted)
    wrote = await desk.provider.update_event(
        desk.key, desk.raw(wrote.key), WHOLE, EventEdit(name="Changed")
    )
    desk.take(wrote.upserts, wrote.deleted)
    await desk.provider.delete_event(desk.key, desk.raw(wrote.key), WHOLE)
    words_ = [value for one in seen for key, value in one.attrib.items() if "Meeting" in key]
    assert words_ == ["SendToNone"] * 3


async def test_a_second_call_makes_no_second_event(desk: EwsDesk) -> None:
    """P11: our name is an extended property, looked up first."""
    first = await desk.provider.create_event(desk.key, new(), name=NAME)
    second = await desk.provider.create_event(desk.key, new(), name=NAME)
    assert first.key == second.key
    assert len(desk.server.calendar.items) == 1
    await desk.provider.create_event(desk.key, new(), name="m" * 22)
    assert len(desk.server.calendar.items) == 2


async def test_a_create_without_an_answer_is_looked_for(desk: EwsDesk) -> None:
    """P11."""
    desk.server.faults = [Fault(after=True, operation="CreateItem")]
    wrote = await desk.provider.create_event(desk.key, new(), name=NAME)
    assert list(desk.server.calendar.items) == [wrote.key]
    desk.server.faults = [
        Fault(status=200, body=b"", operation="CreateItem"),
    ]
    with pytest.raises(Exception, match="no XML"):
        await desk.provider.create_event(desk.key, new("Other"), name="m" * 22)


async def test_an_update_sends_only_what_changes(desk: EwsDesk) -> None:
    """P10."""
    desk.server.put("a", *event("A", at(24), 1, t("Location", "Hall")), t("Categories"))
    await desk.read()
    sent = list[str]()
    update = desk.server.items.update

    def spy(given: Xml) -> Xml:
        sent.extend(one.get("FieldURI", "") for one in every(given, ".//t:FieldURI"))
        return update(given)

    desk.server._operations["UpdateItem"] = spy
    edit = EventEdit(name="B", location=None)
    wrote = await desk.provider.update_event(desk.key, desk.raw("a"), WHOLE, edit)
    assert sent == ["item:Subject", "calendar:Location"]
    (one,) = wrote.upserts[0].events
    assert (one.name, one.location) == ("B", None)
    assert "Categories" in written(desk).props
    assert (await desk.read()).empty or desk.held[ResourceKey("a")] == wrote.upserts[0]
    desk.take(wrote.upserts, wrote.deleted)
    sent.clear()
    start = at(25)
    moved = EventEdit(
        start=start, end=at(25, 11), start_zone="Europe/Berlin", end_zone="Europe/Berlin"
    )
    wrote = await desk.provider.update_event(desk.key, desk.raw("a"), WHOLE, moved)
    assert [one.start for one in wrote.upserts[0].events] == [start]
    assert sent == [
        "calendar:Start",
        "calendar:End",
        "calendar:IsAllDayEvent",
        "calendar:StartTimeZone",
        "calendar:EndTimeZone",
    ]


@pytest.mark.parametrize(
    ("held", "edit", "becomes"),
    [
        ("OOF", EventEdit(transparent=False), "OOF"),
        ("Tentative", EventEdit(transparent=False), "Tentative"),
        ("Busy", EventEdit(transparent=True), "Free"),
        ("WorkingElsewhere", EventEdit(transparent=True), "WorkingElsewhere"),
        ("WorkingElsewhere", EventEdit(transparent=False), "Busy"),
    ],
)
async def test_a_finer_word_of_the_same_side_stays(
    desk: EwsDesk, held: str, edit: EventEdit, becomes: str
) -> None:
    desk.server.put("a", *event("A", at(24), 1, t("LegacyFreeBusyStatus", held)))
    await desk.read()
    await desk.provider.update_event(desk.key, desk.raw("a"), WHOLE, edit)
    assert written(desk).text("LegacyFreeBusyStatus") == becomes


@pytest.mark.parametrize(
    ("held", "wanted", "becomes"),
    [
        ("Personal", Visibility.PRIVATE, "Personal"),
        ("Normal", Visibility.PRIVATE, "Private"),
        ("Private", Visibility.PUBLIC, "Normal"),
        ("Private", None, "Normal"),
    ],
)
async def test_personal_stays_private(
    desk: EwsDesk, held: str, wanted: Visibility | None, becomes: str
) -> None:
    desk.server.put("a", *event("A", at(24)), t("Sensitivity", held))
    await desk.read()
    edit = EventEdit(visibility=wanted)
    await desk.provider.update_event(desk.key, desk.raw("a"), WHOLE, edit)
    assert written(desk).text("Sensitivity") == becomes


async def test_what_changed_meanwhile_is_a_conflict(desk: EwsDesk) -> None:
    """E7, P11: never written over; deletes are held to it as updates are."""
    desk.server.put("a", *event("A", at(24)))
    desk.server.put("w", *event("W", at(24), 1, weekly()))
    await desk.read()
    old, series = desk.raw("a"), desk.raw("w")
    desk.server.put("a", t("Location", "Elsewhere"))
    desk.server.put("w", t("Location", "Elsewhere"))
    slot = Slot("20261201T080000Z")
    for before, where in ((old, WHOLE), (series, slot)):
        with pytest.raises(ConflictError):
            await desk.provider.update_event(desk.key, before, where, EventEdit(name="X"))
        with pytest.raises(ConflictError):
            await desk.provider.delete_event(desk.key, before, where)
    assert set(desk.server.calendar.items) == {"a", "w"}


async def test_an_occurrence_becomes_an_exception_and_back_is_excluded(desk: EwsDesk) -> None:
    """P8, E6."""
    desk.server.put("w", *event("Weekly", at(24), 1, weekly()))
    desk.server.put("o", *event("Other", at(1, month=12)))  # at the same time
    await desk.read()
    slot = Slot("20261201T080000Z")
    wrote = await desk.provider.update_event(
        desk.key, desk.raw("w"), slot, EventEdit(name="Special")
    )
    _, special = wrote.upserts[0].events
    assert (special.name, special.original_start) == ("Special", at(1, month=12))
    desk.take(wrote.upserts, wrote.deleted)
    wrote = await desk.provider.update_event(
        desk.key, desk.raw("w"), slot, EventEdit(location="Here")
    )
    _, special = wrote.upserts[0].events
    assert (special.name, special.location) == ("Special", "Here")
    desk.take(wrote.upserts, wrote.deleted)
    for gone in (slot, Slot("20261208T080000Z")):
        wrote = await desk.provider.delete_event(desk.key, desk.raw("w"), gone)
        desk.take(wrote.upserts, wrote.deleted)
    (whole,) = desk.events("w")
    assert whole.recurrence[1:] == (
        "EXDATE;TZID=Europe/Berlin:20261201T090000",
        "EXDATE;TZID=Europe/Berlin:20261208T090000",
    )
    for missing in (slot, Slot("20261202T080000Z")):
        with pytest.raises(NotFoundError):
            await desk.provider.update_event(desk.key, desk.raw("w"), missing, EventEdit(name="X"))
    assert desk.server.calendar.items["o"].text("Subject") == "Other"


async def test_an_occurrence_of_days_is_found_by_its_date(desk: EwsDesk) -> None:
    """E11."""
    for zone, key in (("W. Europe Standard Time", "e"), ("Tokyo Standard Time", "j")):
        begin = at(24, 0) if key == "e" else instant(23, 15)
        all_day = t("IsAllDayEvent", "true")
        desk.server.put(key, *event("Day", begin, 24, all_day, weekly(), zone=zone))
    await desk.read()
    for key in ("e", "j"):
        wrote = await desk.provider.update_event(
            desk.key, desk.raw(key), Slot("20261201"), EventEdit(name="Special")
        )
        _, special = wrote.upserts[0].events
        assert (special.name, special.original_start) == ("Special", date(2026, 12, 1))


async def test_deleting_what_is_gone_succeeds(desk: EwsDesk) -> None:
    """P5."""
    desk.server.put("a", *event("A", at(24)))
    await desk.read()
    before = desk.raw("a")
    wrote = await desk.provider.delete_event(desk.key, before, WHOLE)
    assert wrote.deleted == {"a"}
    wrote = await desk.provider.delete_event(desk.key, before, WHOLE)
    assert wrote.deleted == {"a"}
    with pytest.raises(NotFoundError):
        await desk.provider.update_event(desk.key, before, WHOLE, EventEdit(name="X"))
    with pytest.raises(NotFoundError):
        await desk.provider.delete_event(CalendarKey("nowhere"), before, WHOLE)


async def test_a_series_that_moves_has_its_pattern_written_anew(desk: EwsDesk) -> None:
    wrote = await desk.provider.create_event(
        desk.key, replace(new(), recurrence=("RRULE:FREQ=DAILY;COUNT=3",)), name=NAME
    )
    desk.take(wrote.upserts, wrote.deleted)
    moved = replace(new(start=None), name=UNSET, start=at(26), end=at(26, 10))
    wrote = await desk.provider.update_event(desk.key, desk.raw(wrote.key), WHOLE, moved)
    (one,) = wrote.upserts[0].events
    assert (one.start, one.recurrence) == (at(26), ("RRULE:FREQ=DAILY;COUNT=3",))
    begins = words(written(desk).props["Recurrence"], "t:NumberedRecurrence/t:StartDate")
    assert begins == "2026-11-26"
    desk.take(wrote.upserts, wrote.deleted)
    wrote = await desk.provider.update_event(
        desk.key, desk.raw(wrote.key), WHOLE, EventEdit(recurrence=())
    )
    assert wrote.upserts[0].events[0].recurrence == ()


async def test_a_series_that_becomes_days_keeps_its_last_one(desk: EwsDesk) -> None:
    """E11: its end is a day, told as the end of that day where it repeated."""
    zone = ZoneInfo("America/New_York")
    begin = datetime(2026, 11, 24, 3, tzinfo=zone)
    times = EventEdit(
        start=begin, end=begin + timedelta(hours=1), start_zone=zone.key, end_zone=zone.key
    )
    made = replace(times, name="Ends", recurrence=("RRULE:FREQ=DAILY;UNTIL=20261127",))
    wrote = await desk.provider.create_event(desk.key, made, name=NAME)
    desk.take(wrote.upserts, wrote.deleted)
    days = EventEdit(start=date(2026, 11, 24), end=date(2026, 11, 25), start_zone=None)
    await desk.provider.update_event(desk.key, desk.raw(wrote.key), WHOLE, days)
    ends = words(written(desk).props["Recurrence"], "t:EndDateRecurrence/t:EndDate")
    assert ends == "2026-11-27"


@pytest.mark.parametrize("rule", ["RRULE:FREQ=DAILY;COUNT=3", ""])
async def test_a_rule_is_written_although_no_time_changes(desk: EwsDesk, rule: str) -> None:
    """K21: a series ends earlier, a single event begins to repeat."""
    desk.server.put("a", *event("A", at(24), 1, *([weekly()] if rule else [])))
    await desk.read()
    lines = (rule or "RRULE:FREQ=DAILY;UNTIL=20261130T225959Z",)
    wrote = await desk.provider.update_event(
        desk.key, desk.raw("a"), WHOLE, EventEdit(recurrence=lines)
    )
    (one,) = wrote.upserts[0].events
    assert (one.start, one.recurrence) == (at(24), lines)


async def test_days_are_midnights_of_the_zone_that_the_event_has(desk: EwsDesk) -> None:
    """E11."""
    days = new("Days", date(2026, 11, 24), date(2026, 11, 26))
    wrote = await desk.provider.create_event(desk.key, days, name=NAME)
    (one,) = wrote.upserts[0].events
    assert (one.start, one.end) == (date(2026, 11, 24), date(2026, 11, 26))
    assert written(desk).zone == "W. Europe Standard Time"  # the mailbox's own
    assert (written(desk).start, written(desk).length) == (at(24, 0), timedelta(days=2))
    desk.server.put("b", *event("B", at(24)))
    await desk.read()
    changed = EventEdit(start=date(2026, 11, 25), end=date(2026, 11, 26))
    wrote = await desk.provider.update_event(desk.key, desk.raw("b"), WHOLE, changed)
    (one,) = wrote.upserts[0].events
    assert (one.start, one.end) == (date(2026, 11, 25), date(2026, 11, 26))
    assert desk.server.calendar.items["b"].start == at(25, 0)
