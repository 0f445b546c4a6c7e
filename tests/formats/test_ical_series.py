"""Series that move, change their rule, or lose an occurrence (D21, K22)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncd.formats.expand import Recurring, expand_series
from syncd.formats.ical_write import excluded
from syncd.model.errors import InvalidError
from syncd.model.ids import Slot
from tests.formats.edits import BERLIN, NOW, SERIES, WEEKLY, edited, moved, only, read
from tests.formats.written import vcalendar, vevent


def exception(original: str, start: str, end: str, *lines: str) -> str:
    return vevent(
        *(f"RECURRENCE-ID;TZID=Europe/Berlin:{original}", "X-KEEP:me"),
        *(f"DTSTART;TZID=Europe/Berlin:{start}", f"DTEND;TZID=Europe/Berlin:{end}", *lines),
    )


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


starts = st.builds(
    datetime,
    st.just(2026),
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(4, 22),  # never where the clocks change
    tzinfo=st.just(BERLIN),
)


@given(starts, starts, st.sampled_from(("DAILY", "WEEKLY")), st.integers(1, 3), st.booleans())
@settings(deadline=None)
def test_a_series_that_moves_has_the_same_occurrences_elsewhere(
    start: datetime,
    target: datetime,
    frequency: str,
    excluded_at: int,
    bounded: bool,  # noqa: FBT001 - drawn
) -> None:
    """By the clock on the wall, whatever the clocks do in between."""
    step = timedelta(days=1 if frequency == "DAILY" else 7)
    last = (start.replace(tzinfo=None) + 5 * step).replace(tzinfo=BERLIN).astimezone(UTC)
    bound = f"UNTIL={last:%Y%m%dT%H%M%SZ}" if bounded else "COUNT=6"
    out = start.replace(tzinfo=None) + excluded_at * step
    raw = vcalendar(
        vevent(
            *(f"DTSTART;TZID=Europe/Berlin:{start:%Y%m%dT%H%M%S}", "DURATION:PT1H"),
            *(f"RRULE:FREQ={frequency};{bound}", f"EXDATE;TZID=Europe/Berlin:{out:%Y%m%dT%H%M%S}"),
        )
    )
    zones = {"start_zone": "Europe/Berlin", "end_zone": "Europe/Berlin"}
    after = edited(raw, start=target, end=target + timedelta(hours=1), **zones)
    shift = target.replace(tzinfo=None) - start.replace(tzinfo=None)
    assert [one - shift for one in walls(after)] == walls(raw)
    assert len(walls(raw)) == 5
    back = edited(after, start=start, end=start + timedelta(hours=1), **zones)
    assert only(back).recurrence == only(raw).recurrence


def walls(raw: bytes) -> list[datetime]:
    event = only(raw)
    series = Recurring(
        start=event.start, end=event.end, zone=event.start_zone, recurrence=event.recurrence
    )
    wide = timedelta(days=1000)
    found = expand_series(series, NOW - wide, NOW + wide)
    assert found is not None
    return [
        begin.replace(tzinfo=None) for begin, _ in found.occurrences if isinstance(begin, datetime)
    ]
