"""Edits onto calendar objects: what they touch is read back by two readers, the rest stays."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.formats.ical_write import created, rewritten
from syncd.model.edit import UNSET, EventEdit
from syncd.model.event import (
    Answer,
    CustomProperty,
    Event,
    Geo,
    Person,
    Reminder,
    Visibility,
)
from syncd.model.ids import WHOLE
from tests.formats.edits import (
    BERLIN,
    NOW,
    SERIES,
    STAMPS,
    WEEKLY,
    YORK,
    edited,
    moved,
    only,
    untouched,
    witnessed,
)
from tests.formats.styles import WORDS, File, files
from tests.formats.written import CUSTOM_BERLIN, ODD_ZONE, vcalendar, vevent

MEMBERS = ("name", "description", "location", "geo", "color")

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
    geo=st.just(UNSET)
    | st.none()
    | st.builds(Geo, lat=st.floats(-90, 90), long=st.floats(-180, 180)),
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


def test_only_times_and_rules_make_a_new_revision() -> None:
    raw = vcalendar(vevent(*WEEKLY, "SEQUENCE:4", "DTSTAMP:20200101T000000Z"))
    assert b"SEQUENCE:4\r\nDTSTAMP:20261121T110000Z" in edited(raw, name="Other")
    assert b"SEQUENCE:5" in edited(raw, **moved(12, 24))
    assert b"SEQUENCE:5" in edited(raw, recurrence=("RRULE:FREQ=DAILY",))
    assert b"SEQUENCE:1" in edited(raw.replace(b"SEQUENCE:4", b"SEQUENCE:x"), **moved(12, 24))
    assert b"SEQUENCE:9" in edited(raw, **moved(12, 24), raw={"SEQUENCE": "9"})
