"""Edits onto calendar objects: what they touch is read back by two readers, the rest stays."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.formats.ical_read import read_resource
from syncd.formats.ical_write import created, excluded, rewritten
from syncd.model.edit import UNSET, EventEdit, Reply
from syncd.model.errors import InvalidError, NotFoundError
from syncd.model.event import (
    Answer,
    CustomProperty,
    Email,
    Event,
    Person,
    Reminder,
    Visibility,
)
from syncd.model.ids import WHOLE, Slot
from syncd.model.resource import Resource
from tests.formats.styles import WORDS, File, files
from tests.formats.written import CUSTOM_BERLIN, KEY, ODD_ZONE, vcalendar, vevent

NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)
BERLIN, YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
STAMPS = frozenset({b"DTSTAMP", b"LAST-MODIFIED", b"SEQUENCE"})
SERIES = (
    "DTSTART;TZID=Europe/Berlin:20261124T100000",
    "DTEND;TZID=Europe/Berlin:20261124T110000",
    "SUMMARY:Weekly",
)
WEEKLY = (*SERIES, "RRULE:FREQ=WEEKLY;UNTIL=20270112T090000Z")
MEMBERS = ("name", "description", "location", "color")

people = st.builds(
    Person,
    email=st.sampled_from(("bo@example.org", "cy@example.org", "d.e+f@example.org")),
    name=st.none() | WORDS.map(str.strip).filter(bool),
    required=st.booleans(),
    answer=st.none() | st.sampled_from(Answer),
)
reminders = st.builds(
    Reminder,
    minutes=st.integers(0, 40_320),
    popup=st.none() | WORDS.filter(bool),
)
properties = st.builds(CustomProperty, key=WORDS.filter(bool), value=WORDS, private=st.booleans())
edits = st.builds(
    EventEdit,
    name=st.just(UNSET) | st.none() | WORDS,
    description=st.just(UNSET) | st.none() | st.lists(WORDS, max_size=4).map("\n".join),
    location=st.just(UNSET) | st.none() | WORDS,
    attendees=st.just(UNSET)
    | st.lists(people, max_size=3, unique_by=lambda one: one.email).map(tuple),
    reminders=st.just(UNSET)
    | st.lists(reminders, max_size=3, unique_by=lambda one: one.minutes).map(tuple),
    custom_properties=st.just(UNSET)
    | st.lists(properties, max_size=3, unique_by=lambda one: one.key).map(tuple),
    visibility=st.just(UNSET) | st.none() | st.sampled_from(Visibility),
    transparent=st.just(UNSET) | st.booleans(),
    raw=st.just({}) | st.just({"X-MINE": "a;b", "CATEGORIES": ["A", "B"]}),
)
walls = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)).map(  # noqa: DTZ001 - made aware below
    lambda one: one.replace(second=0, microsecond=0)
)


def read(raw: bytes) -> Resource:
    found = read_resource(KEY, raw)
    assert found.faults == ()
    return found


def only(raw: bytes) -> Event:
    (found,) = read(raw).events
    return found


def edited(text: bytes, slot: str = WHOLE, /, **fields: Any) -> bytes:  # noqa: ANN401 - of an edit
    return rewritten(text, Slot(slot), EventEdit(**fields), now=NOW)


def witnessed(raw: bytes) -> Any:  # noqa: ANN401 - of a package with loose types
    """Return the VEVENT as the ``icalendar`` package reads it."""
    (found,) = icalendar.Calendar.from_ical(raw).walk("VEVENT")
    return found


def untouched(raw: bytes, names: frozenset[bytes]) -> bytes:
    """Return a text without these properties of its first VEVENT; cut up without the product."""
    kept, inside, deep = list[bytes](), False, 0
    for row in re.split(rb"(?<=\n)(?![ \t])", raw):
        head = re.split(rb"[;:]", row, maxsplit=1)[0].strip().upper()
        deep += head == b"BEGIN"
        if row.startswith(b"BEGIN:VEVENT") and not kept.count(b"BEGIN:VEVENT\r\n"):
            inside, deep = True, 0
        own = inside and deep == 0
        deep -= head == b"END"
        if row.startswith(b"END:VEVENT"):
            inside = False
        if not (own and head in names):
            kept.append(row)
    return b"".join(kept)


@given(files(), WORDS)
def test_whatever_an_edit_does_not_touch_stays_byte_for_byte_d19(file: File, name: str) -> None:
    raw = edited(file.raw, name=name)
    names = STAMPS | {b"SUMMARY"}
    assert untouched(raw, names) == untouched(file.raw, names)
    assert only(raw).name == name


@given(files(), edits)
@settings(max_examples=200, deadline=None)
def test_an_edit_is_read_back_by_us_and_by_another(file: File, edit: EventEdit) -> None:
    raw = rewritten(file.raw, WHOLE, edit, now=NOW)
    event, before = only(raw), only(file.raw)
    assert (event.start, event.end) == (before.start, before.end)
    for member in MEMBERS:
        wanted = getattr(edit, member)
        assert getattr(event, member) == (getattr(before, member) if wanted is UNSET else wanted)
    check_lists(edit, event, before)
    other = witnessed(raw)
    for member, line in (("name", "SUMMARY"), ("location", "LOCATION")):
        wanted = getattr(edit, member)
        if wanted is None:
            assert line not in other
        elif wanted is not UNSET:
            assert str(other[line]) == wanted


def check_lists(edit: EventEdit, event: Event, before: Event) -> None:
    if edit.attendees is UNSET:
        assert event.attendees == before.attendees
    else:
        told = {one.email: one for one in event.attendees}
        assert told.keys() == {one.email for one in edit.attendees}
        known = {one.email: one for one in before.attendees}
        for wanted in edit.attendees:
            former = known.get(wanted.email, Person(email="", answer=Answer.PENDING))
            found = told[wanted.email]
            assert found.name == (former.name if wanted.name is None else wanted.name)
            assert found.required == wanted.required
            assert found.answer == (wanted.answer or former.answer)
    if edit.reminders is not UNSET:
        assert {one.minutes for one in event.reminders} >= {one.minutes for one in edit.reminders}
        texts = {one.minutes: one.popup for one in event.reminders}
        for one in edit.reminders:
            assert one.popup in (None, texts[one.minutes])
    if edit.custom_properties is not UNSET:
        assert set(event.custom_properties) == set(edit.custom_properties)
    if edit.visibility is not UNSET:
        assert event.visibility is (edit.visibility or Visibility.DEFAULT)
    if edit.transparent is not UNSET:
        assert event.transparent is edit.transparent


@given(files(repeats=True), edits)
@settings(deadline=None)
def test_the_same_edit_again_writes_nothing(file: File, edit: EventEdit) -> None:
    once = rewritten(file.raw, WHOLE, edit, now=NOW)
    assert rewritten(once, WHOLE, edit, now=NOW + timedelta(days=1)) == once


@given(files(), walls, st.integers(0, 5000), st.sampled_from((BERLIN, YORK)))
@settings(deadline=None)
def test_times_are_read_back_by_us_and_by_another(
    file: File, wall: datetime, minutes: int, zone: ZoneInfo
) -> None:
    start = wall.replace(tzinfo=zone)
    end = (start.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(zone)
    start = start.astimezone(UTC).astimezone(zone)
    fields = {"start": start, "end": end, "start_zone": zone.key, "end_zone": zone.key}
    raw = edited(file.raw, **fields)
    event = only(raw)
    assert (event.start, event.end) == (start, end)
    assert event.start_zone in (zone.key, "UTC")
    names = STAMPS | {b"DTSTART", b"DTEND", b"DURATION"}
    zones = re.compile(rb"BEGIN:VTIMEZONE.*?END:VTIMEZONE\r?\n", re.DOTALL)
    assert untouched(zones.sub(b"", raw), names) == untouched(zones.sub(b"", file.raw), names)
    other = witnessed(raw)
    if event.start_zone == zone.key:
        assert other["DTSTART"].dt.replace(tzinfo=None) == start.replace(tzinfo=None)
    assert edited(raw, **fields) == raw


@given(edits, st.booleans())
@settings(deadline=None)
def test_what_is_made_is_read_back(edit: EventEdit, days: bool) -> None:  # noqa: FBT001 - drawn
    start = date(2026, 11, 24) if days else datetime(2026, 11, 24, 10, tzinfo=BERLIN)
    zone = None if days else BERLIN.key
    full = replace(
        edit,
        start=start,
        end=start + timedelta(days=1),
        start_zone=zone,
        end_zone=zone,
    )
    raw = created(full, uid="u2", now=NOW)
    event = only(raw)
    assert (event.uid, event.start, event.end) == ("u2", start, start + timedelta(days=1))
    check_lists(edit, event, Event(uid="", start=start, end=start))
    assert all(len(row) <= 75 for row in raw.split(b"\r\n"))
    other = witnessed(raw)
    assert other.errors == []
    assert {"DTSTAMP", "DTEND", "UID"} <= other.keys()
    assert len(icalendar.Calendar.from_ical(raw).walk("VTIMEZONE")) == (0 if days else 1)


@pytest.mark.parametrize(
    ("lines", "zone", "written"),
    [
        (("DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"), "UTC", "DTSTART:20261125T090000Z"),
        (("DTSTART:20261124T090000", "DTEND:20261124T100000"), "UTC", "DTSTART:20261125T090000"),
        (SERIES[:2], "Europe/Berlin", "DTSTART;TZID=Europe/Berlin:20261125T100000"),
        (
            ("DTSTART;TZID=W. Europe Standard Time;X-A=1:20261124T100000", "DURATION:PT1H"),
            "Europe/Berlin",
            "DTSTART;X-A=1;TZID=W. Europe Standard Time:20261125T100000",
        ),
        (
            ("DTSTART;TZID=Head Office:20261124T100000", "DURATION:PT1H"),
            "Europe/Berlin",
            "DTSTART;TZID=Head Office:20261125T100000",
        ),
        (
            ("DTSTART;TZID=Odd:20261124T100000", "DURATION:PT1H"),
            None,
            "DTSTART;TZID=Odd:20261125T102300",
        ),
        (
            ("DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"),
            "America/New_York",
            "DTSTART;TZID=America/New_York:20261125T040000",
        ),
    ],
)
def test_a_start_keeps_its_form_where_its_zone_allows_d21(
    lines: tuple[str, ...], zone: str | None, written: str
) -> None:
    raw = vcalendar(CUSTOM_BERLIN, ODD_ZONE, vevent(*lines))
    start = datetime(2026, 11, 25, 9, tzinfo=UTC)
    raw = edited(raw, start=start, end=start + timedelta(hours=1), start_zone=zone, end_zone=zone)
    assert written.encode() in raw.split(b"\r\n")
    assert b"DTEND" in raw
    assert b"DURATION" not in raw
    assert only(raw).end == start + timedelta(hours=1)
    assert raw.count(b"TZID:America/New_York") == (zone == "America/New_York")


def test_an_hour_that_the_clock_shows_twice_is_kept_exactly() -> None:
    raw = vcalendar(vevent(*SERIES))
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)  # the second 02:30 in Berlin
    told = {"start_zone": "Europe/Berlin", "end_zone": "Europe/Berlin"}
    event = only(edited(raw, start=second, end=second + timedelta(hours=1), **told))
    assert (event.start, event.end) == (second, second + timedelta(hours=1))


def exception(original: str, start: str, end: str, *lines: str) -> str:
    return vevent(
        *(f"RECURRENCE-ID;TZID=Europe/Berlin:{original}", "X-KEEP:me"),
        *(f"DTSTART;TZID=Europe/Berlin:{start}", f"DTEND;TZID=Europe/Berlin:{end}", *lines),
    )


def moved(hour: int, day: int, length: int = 1) -> dict[str, Any]:
    start = datetime(2026, 11, day, hour, tzinfo=BERLIN)
    told = {"start_zone": "Europe/Berlin", "end_zone": "Europe/Berlin"}
    return {"start": start, "end": start + timedelta(hours=length), **told}


def test_a_series_that_moves_carries_everything_along_by_the_wall_d21() -> None:
    """Across the change of the clock: 10:00 there stays 12:00 there."""
    lines = (
        *("DTSTART;TZID=Europe/Berlin:20260324T100000", "DTEND;TZID=Europe/Berlin:20260324T110000"),
        *("RRULE:FREQ=WEEKLY;UNTIL=20260414T080000Z;BYDAY=TU", "EXDATE:20260331T080000Z"),
        *("EXDATE;TZID=Europe/Berlin;X-A=1:20260407T100000", "RDATE:20260402T080000Z"),
    )
    raw = vcalendar(
        vevent(*lines),
        exception("20260414T100000", "20260414T100000", "20260414T110000"),
        exception("20260402T100000", "20260402T150000", "20260402T160000", "SEQUENCE:7"),
    )
    start = datetime(2026, 3, 24, 12, tzinfo=BERLIN)
    after = edited(raw, **{**moved(1, 1), "start": start, "end": start + timedelta(hours=2)})
    series, *exceptions = read(after).events
    assert series.recurrence == (
        "RRULE:FREQ=WEEKLY;UNTIL=20260414T100000Z;BYDAY=TU",
        "RDATE;TZID=Europe/Berlin:20260402T120000",
        "EXDATE;TZID=Europe/Berlin:20260331T120000",
        "EXDATE;X-A=1;TZID=Europe/Berlin:20260407T120000",
    )
    told = [(one.original_start, one.start, one.end) for one in exceptions]
    at = datetime(2026, 4, 14, 12, tzinfo=BERLIN)
    other = datetime(2026, 4, 2, 15, tzinfo=BERLIN)
    assert told == [
        (at, at, at + timedelta(hours=2)),
        (other.replace(hour=12), other, other + timedelta(hours=1)),
    ]
    assert b"SEQUENCE:8" in after
    assert after.count(b"X-KEEP:me") == 2


def test_a_series_becomes_one_of_days_and_comes_back_d21() -> None:
    raw = vcalendar(
        vevent(*WEEKLY, "EXDATE;TZID=Europe/Berlin:20261201T100000"),
        exception("20261208T100000", "20261208T100000", "20261208T110000", "SUMMARY:Other"),
    )
    days = edited(
        raw, start=date(2026, 11, 25), end=date(2026, 11, 26), start_zone=None, end_zone=None
    )
    series, other = read(days).events
    assert series.recurrence == (
        "RRULE:FREQ=WEEKLY;UNTIL=20270113",
        "EXDATE;VALUE=DATE:20261202",
    )
    assert (other.original_start, other.start, other.end) == (
        *(date(2026, 12, 9), date(2026, 12, 9)),
        date(2026, 12, 10),
    )
    back = edited(days, **moved(10, 24))
    series, other = read(back).events
    assert series.recurrence == (
        "RRULE:FREQ=WEEKLY;UNTIL=20270112T090000Z",
        "EXDATE;TZID=Europe/Berlin:20261201T100000",
    )
    assert other.original_start == other.start == datetime(2026, 12, 8, 10, tzinfo=BERLIN)


def test_a_new_rule_drops_the_exceptions_of_starts_that_are_gone() -> None:
    """What the old rule did not give either is none of its business."""
    raw = vcalendar(
        vevent(*WEEKLY),
        exception("20261201T100000", "20261201T140000", "20261201T150000"),
        exception("20261208T100000", "20261208T140000", "20261208T150000"),
        exception("20261209T100000", "20261209T140000", "20261209T150000"),
    )
    after = edited(raw, recurrence=("RRULE:FREQ=WEEKLY;COUNT=2",))
    originals = [one.original_start for one in read(after).events]
    assert originals == [
        None,
        datetime(2026, 12, 1, 10, tzinfo=BERLIN),
        datetime(2026, 12, 9, 10, tzinfo=BERLIN),
    ]
    assert [one.original_start for one in read(edited(raw, recurrence=())).events] == [None]


def test_lines_of_a_rule_that_stay_stay_as_they_are() -> None:
    raw = vcalendar(vevent(*SERIES, "rrule:FREQ=WEEKLY ;COUNT=8", "EXDATE;X-A=1:20261201T090000Z"))
    rule, gone = only(raw).recurrence
    assert edited(raw, recurrence=(rule, gone)) == raw
    after = edited(raw, recurrence=(rule, gone, "EXDATE;TZID=UTC:20261208T090000"))
    assert b"rrule:FREQ=WEEKLY ;COUNT=8\r\nEXDATE;X-A=1:20261201T090000Z\r\n" in after
    assert b"EXDATE;TZID=Europe/Berlin:20261208T100000\r\n" in after
    assert only(edited(raw, recurrence=(rule,))).recurrence == (rule,)


@pytest.mark.parametrize(
    ("lines", "rule", "written"),
    [
        (SERIES, "RRULE:FREQ=DAILY;UNTIL=20261201", b"UNTIL=20261201T225959Z"),
        (SERIES, "RRULE:FREQ=DAILY;UNTIL=20261201T100000", b"UNTIL=20261201T090000Z"),
        (
            ("DTSTART;VALUE=DATE:20261124",),
            "RRULE:FREQ=DAILY;UNTIL=20261201T100000Z",
            b"UNTIL=20261201\r",
        ),
        (
            ("DTSTART:20261124T100000",),
            "RRULE:FREQ=DAILY;UNTIL=20261201T100000Z",
            b"UNTIL=20261201T100000\r",
        ),
    ],
)
def test_a_bound_has_the_form_of_the_start(
    lines: tuple[str, ...], rule: str, written: bytes
) -> None:
    assert written in edited(vcalendar(vevent(*lines)), recurrence=(rule,))


def test_an_occurrence_is_made_an_exception_once() -> None:
    raw = vcalendar(vevent(*WEEKLY, "X-APPLE:1", "EXDATE:20261201T090000Z"))
    slot = "20261208T090000Z"
    after = edited(raw, slot, name="Only this")
    assert after.startswith(raw.removesuffix(b"END:VCALENDAR\r\n"))
    _, other = read(after).events
    assert (other.name, other.start) == ("Only this", datetime(2026, 12, 8, 10, tzinfo=BERLIN))
    assert other.original_start == other.start
    assert after.count(b"X-APPLE:1") == 2
    assert after.count(b"EXDATE") == after.count(b"RRULE") == 1
    again = edited(after, slot, location="There")
    assert len(read(again).events) == 2
    with pytest.raises(InvalidError):
        edited(after, slot, recurrence=("RRULE:FREQ=DAILY",))


def test_an_exception_keeps_the_form_of_days() -> None:
    raw = vcalendar(
        vevent("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261126", "RRULE:FREQ=WEEKLY")
    )
    after = edited(raw, "20261201", name="Only this")
    assert b"RECURRENCE-ID;VALUE=DATE:20261201\r\n" in after
    _, other = read(after).events
    assert (other.start, other.end) == (date(2026, 12, 1), date(2026, 12, 3))
    left = excluded(raw, Slot("20261208"), now=NOW)
    assert left is not None
    assert b"EXDATE;VALUE=DATE:20261208\r\n" in left


def test_an_occurrence_goes_with_its_exception_k22() -> None:
    raw = vcalendar(
        vevent(*WEEKLY, "SEQUENCE:2"),
        exception("20261208T100000", "20261208T140000", "20261208T150000"),
    )
    left = excluded(raw, Slot("20261208T090000Z"), now=NOW)
    assert left is not None
    (series,) = read(left).events
    assert series.recurrence[1:] == ("EXDATE;TZID=Europe/Berlin:20261208T100000",)
    assert b"SEQUENCE:3" in left
    assert excluded(left, Slot("20261208T090000Z"), now=NOW) == left


def test_an_exception_without_its_series_takes_the_file_along() -> None:
    """Who is invited to one occurrence only has such a file."""
    one = exception("20261208T100000", "20261208T140000", "20261208T150000")
    two = exception("20261215T100000", "20261215T140000", "20261215T150000")
    assert excluded(vcalendar(one), Slot("20261208T090000Z"), now=NOW) is None
    left = excluded(vcalendar(one, two), Slot("20261208T090000Z"), now=NOW)
    assert left == vcalendar(two)


def test_only_times_and_rules_make_a_new_revision() -> None:
    raw = vcalendar(vevent(*WEEKLY, "SEQUENCE:4", "DTSTAMP:20200101T000000Z"))
    assert b"SEQUENCE:4\r\nDTSTAMP:20261121T110000Z" in edited(raw, name="Other")
    assert b"SEQUENCE:5" in edited(raw, **moved(12, 24))
    assert b"SEQUENCE:5" in edited(raw, recurrence=("RRULE:FREQ=DAILY",))
    assert b"SEQUENCE:1" in edited(raw.replace(b"SEQUENCE:4", b"SEQUENCE:x"), **moved(12, 24))
    assert b"SEQUENCE:9" in edited(raw, **moved(12, 24), raw={"SEQUENCE": "9"})


INVITED = (
    'ORGANIZER;CN="Boss";X-A=1:mailto:boss@example.org',
    "ATTENDEE;CN=Me;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;X-B=2:MAILTO:Me@Example.org",
    'ATTENDEE;ROLE=CHAIR;CN="Bo, B":mailto:bo@example.org',
)


def test_an_answer_changes_one_parameter_of_one_line() -> None:
    raw = vcalendar(vevent(*SERIES, *INVITED))
    after = edited(raw, reply=Reply(email="me@example.org", answer=Answer.TENTATIVE))
    assert after.replace(b"\r\n ", b"").count(b"PARTSTAT=TENTATIVE") == 1
    assert {one.email: one.answer for one in only(after).attendees} == {
        "Me@Example.org": Answer.TENTATIVE,
        "bo@example.org": Answer.PENDING,
    }
    for line in (INVITED[0], INVITED[2]):
        assert line.encode() + b"\r\n" in after
    assert b"RSVP=TRUE;X-B=2" in after
    with pytest.raises(InvalidError) as error:
        edited(raw, reply=Reply(email="who@example.org", answer=Answer.ACCEPTED))
    assert error.value.field == "attendees"


def test_attendees_who_stay_keep_their_lines() -> None:
    raw = vcalendar(vevent(*SERIES, *INVITED))
    me = Person(email="me@example.org", name="Me", answer=Answer.PENDING)
    bo = Person(email="BO@example.org", name="Bo, B", answer=Answer.PENDING)
    assert edited(raw, attendees=(bo, me)) == raw
    after = edited(raw, attendees=(me, Person(email="cy@example.org", name="Cy")))
    assert INVITED[1].encode() in after
    assert b"bo@example.org" not in after
    assert b"mailto:cy@example.org" in after.replace(b"\r\n ", b"")


def test_another_organizer_leaves_nothing_of_the_former() -> None:
    line = 'ORGANIZER;CN=Boss;SENT-BY="mailto:s@example.org";SCHEDULE-AGENT=CLIENT'
    line += ":mailto:boss@example.org"
    raw = vcalendar(vevent(*SERIES, line))
    assert edited(raw, organizer=Person(email="BOSS@example.org")) == raw
    after = edited(raw, organizer=Person(email="ada@example.org", name="Ada"))
    assert b"ORGANIZER;SCHEDULE-AGENT=CLIENT;CN=Ada:mailto:ada@example.org\r\n" in after
    assert b"ORGANIZER" not in edited(raw, organizer=None)


ALARM = "\n".join([
    *("BEGIN:VALARM", "UID:A1", "ACTION:DISPLAY", "TRIGGER:-PT15M", "DESCRIPTION:Go"),
    *("ACKNOWLEDGED:20261101T000000Z", "END:VALARM"),
])  # fmt: skip
LATE = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:PT15M\nEND:VALARM"


def test_alarms_that_stay_keep_what_clients_put_into_them() -> None:
    raw = vcalendar(vevent(*SERIES, ALARM, LATE))
    go = Reminder(minutes=15, popup="Go")
    assert edited(raw, reminders=(go,)) == raw
    assert edited(raw, reminders=(Reminder(minutes=15),)) == raw
    words = edited(raw, reminders=(Reminder(minutes=15, popup="Run, now"),))
    assert b"DESCRIPTION:Run\\, now\r\nACKNOWLEDGED:20261101T000000Z" in words
    gone = edited(raw, reminders=())
    assert b"UID:A1" not in gone
    assert b"TRIGGER:PT15M" in gone
    email = Email(summary="S", description="D", to=("a@example.org",))
    more = edited(raw, reminders=(go, Reminder(minutes=30, email=email)))
    assert only(more).reminders == (go, Reminder(minutes=30, email=email))
    assert only(edited(more, reminders=(Reminder(minutes=30, email=email),))).reminders == (
        Reminder(minutes=30, email=email),
    )


@pytest.mark.parametrize(
    "raw",
    [
        {"BEGIN": "VEVENT"},
        {"UID": "other"},
        {"recurrence-id": "20261124"},
        {"X A": "1"},
        {"X-A:1\r\nEND": "VEVENT"},
        {"X-A": 1},
        {"DTSTART": "soon"},
    ],
)
def test_raw_properties_break_nothing_k11(raw: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        edited(vcalendar(vevent(*SERIES)), raw=raw)


def test_raw_properties_are_merged_last_k11() -> None:
    raw = vcalendar(vevent(*SERIES, "X-OLD;A=1:1"))
    after = edited(raw, name="A", raw={"summary": "B", "X-OLD": None, "X-NEW": "a\r\nEND:VEVENT"})
    assert b"X-OLD" not in after
    assert b"X-NEW:a\\nEND:VEVENT\r\n" in after
    assert only(after).name == "B"


@pytest.mark.parametrize(
    "text",
    [
        b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261124T090000Z\r\nEND:VCALENDAR\r\n",
        vcalendar(vevent(*SERIES)).removesuffix(b"END:VCALENDAR\r\n"),
        vcalendar(vevent(*SERIES, "BEGIN:VALARM"), vevent(*SERIES, uid="2")),
    ],
)
def test_a_file_that_lacks_an_end_is_refused_rather_than_guessed_at(text: bytes) -> None:
    with pytest.raises(InvalidError):
        edited(text, name="Other")
    with pytest.raises(InvalidError):
        excluded(text, Slot("20261124T090000Z"), now=NOW)


def test_what_cannot_be_read_beside_it_stays() -> None:
    broken = vevent("DTSTART:never", "SUMMARY:Broken", uid="b")
    raw = vcalendar(broken, vevent(*SERIES))
    after = rewritten(raw, WHOLE, EventEdit(name="Other"), now=NOW)
    assert broken.replace("\n", "\r\n").encode() in after
    assert b"SUMMARY:Other" in after


@pytest.mark.parametrize("slot", ["20261208T090000Z", "nonsense", ""])
def test_an_event_that_is_not_there_is_not_made_up(slot: str) -> None:
    single = vcalendar(vevent(*SERIES))
    with pytest.raises(NotFoundError):
        edited(single if slot else vcalendar(), slot, name="Other")


def test_times_that_make_no_event_are_refused() -> None:
    raw = vcalendar(vevent(*SERIES))
    start = datetime(2026, 11, 24, 10, tzinfo=BERLIN)
    for start_, end in ((start, start - timedelta(hours=1)), (start, date(2026, 11, 25))):
        with pytest.raises(InvalidError):
            edited(raw, start=start_, end=end, start_zone="Europe/Berlin", end_zone="Europe/Berlin")
    with pytest.raises(InvalidError):
        created(EventEdit(name="A", start=start), uid="1", now=NOW)
    with pytest.raises(InvalidError):
        edited(raw, start=start, end=start, start_zone="Nowhere/Land", end_zone="Nowhere/Land")
