"""RRULE and patternedRecurrence give the same dates as dateutil, or the part is named (K25)."""

import calendar
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syncd.formats.outlook import read_recurrence, write_recurrence
from syncd.formats.patterned import unsupported_part
from syncd.formats.rule import parts
from syncd.model.errors import InvalidError, MalformedReplyError
from syncd.model.when import When

ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "America/Havana", "UTC")
MOST = 40  # dates that are compared
DAY = timedelta(days=1)
CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

days = st.lists(st.sampled_from(CODES), min_size=1, max_size=7, unique=True).map(",".join)
positions = st.sampled_from(["1", "2", "3", "4", "-1"])
months = st.integers(1, 12)
zones = st.sampled_from(ZONES).map(ZoneInfo)
any_dates = st.dates(date(2020, 1, 1), date(2031, 12, 31))
timed = st.builds(
    lambda day, at, zone: datetime.combine(day, at.replace(second=0, microsecond=0), zone),
    *(any_dates, st.times(time(4), time(23, 59)), zones),  # no hour that the clocks skip
)
begins = st.one_of(timed, any_dates)
tame_begins = begins.map(lambda when: when.replace(day=min(when.day, 28)))


@st.composite
def patterned(draw: st.DrawFn) -> dict[str, str]:
    """Rules of K25's table that mean the same to both: no day that a month may lack."""
    kind = draw(st.sampled_from(["D", "W", "M", "MR", "M3", "Y", "YR"]))
    optional = st.one_of(st.none(), days)
    day = st.integers(1, 28).map(str) | st.just("-1")
    match kind:
        case "D":
            rule: dict[str, str | None] = {"FREQ": "DAILY"}
        case "W":
            weeks = {"BYDAY": draw(optional), "WKST": draw(st.sampled_from((None, *CODES)))}
            rule = {"FREQ": "WEEKLY", **weeks}
        case "M":
            rule = {"FREQ": "MONTHLY", "BYMONTHDAY": draw(st.none() | day)}
        case "M3":
            last = draw(st.sampled_from(["28,29,30", "28,29"]))
            rule = {"FREQ": "MONTHLY", "BYMONTHDAY": last, "BYSETPOS": "-1"}
        case "Y":
            month = draw(st.none() | months.map(str))
            rule = {"FREQ": "YEARLY", "BYMONTH": month}
            rule["BYMONTHDAY"] = draw(st.none() | day) if month else None
        case _:
            rule = {"FREQ": "MONTHLY"}
            if kind == "YR":
                rule = {"FREQ": "YEARLY", "BYMONTH": draw(st.none() | months.map(str))}
            if draw(st.booleans()):
                rule |= {"BYDAY": draw(days), "BYSETPOS": draw(positions)}
            else:
                rule |= {"BYDAY": draw(positions) + draw(st.sampled_from(CODES))}
    rule["INTERVAL"] = draw(st.none() | st.integers(1, 5).map(str))
    return {name: value for name, value in rule.items() if value}


@st.composite
def ends(draw: st.DrawFn, start: When) -> dict[str, str]:
    """No end, COUNT, or an UNTIL as a date, in UTC, or without a zone."""
    kind = draw(st.sampled_from(["none", "count", "date", "utc", "naive"]))
    if kind == "none":
        return {}
    if kind == "count":
        return {"COUNT": str(draw(st.integers(1, 50)))}
    later = draw(st.integers(2, 1500))
    if not isinstance(start, datetime):
        return {"UNTIL": f"{start + later * DAY:%Y%m%d}"}
    near = draw(st.sampled_from([-61, -1, 0, 1, 61, 600]))
    at = start + later * DAY + timedelta(minutes=near)
    written = {
        "date": f"{at:%Y%m%d}",
        "utc": f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        "naive": f"{at:%Y%m%dT%H%M%S}",
    }
    return {"UNTIL": written[kind]}


def line(rule: Mapping[str, str]) -> str:
    return "RRULE:" + ";".join(f"{name}={value}" for name, value in rule.items())


def zone_of(start: When) -> ZoneInfo:
    zone = start.tzinfo if isinstance(start, datetime) else None
    return zone if isinstance(zone, ZoneInfo) else ZoneInfo("UTC")


def dates(text: str, start: When) -> list[date]:
    """Step through a rule by dateutil alone; what is compared ends after 40 years or MOST."""
    rule = dict(parts(text))
    begin = start if isinstance(start, datetime) else datetime.combine(start, time())
    if "UNTIL" in rule and begin.tzinfo is not None:
        written = rule["UNTIL"]
        at = datetime.fromisoformat(written.rstrip("Z"))
        at = at if "T" in written else datetime.combine(at, time(23, 59, 59))
        zone = UTC if written.endswith("Z") else begin.tzinfo
        rule["UNTIL"] = f"{at.replace(tzinfo=zone).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    made = rrulestr(";".join(f"{name}={value}" for name, value in rule.items()), dtstart=begin)
    last = begin.replace(year=begin.year + 40, day=1)
    return [when.date() for when in islice(made, MOST) if when < last]


def there_and_back(text: str, start: When) -> tuple[dict[str, Any], str]:
    named = zone_of(start).key if isinstance(start, datetime) else None
    written = write_recurrence([text], start, zone_of(start), named)
    return written, read_recurrence(written, start, zone_of(start))


@settings(max_examples=500, deadline=None)
@given(patterned(), tame_begins, st.data())
@example({"FREQ": "YEARLY", "BYDAY": "-1SU"}, date(2027, 12, 26), None)
@example({"FREQ": "YEARLY", "BYDAY": "MO,TU", "BYSETPOS": "4"}, date(2027, 1, 12), None)
@example({"FREQ": "MONTHLY", "BYMONTHDAY": "-1"}, date(2027, 1, 1), None)
@example({"FREQ": "YEARLY", "BYMONTHDAY": "-1", "BYMONTH": "2"}, date(2027, 1, 1), None)
def test_a_rule_comes_back_with_the_same_dates(
    rule: dict[str, str], start: When, more: st.DataObject | None
) -> None:
    asked = line(rule | (more.draw(ends(start)) if more else {}))
    written, back = there_and_back(asked, start)
    assert dates(back, start) == dates(asked, start)
    assert written["range"]["startDate"] == f"{start:%Y-%m-%d}"
    again, same = there_and_back(back, start)
    assert (again, same) == (written, back)


@given(day=st.integers(29, 31), interval=st.integers(1, 6), start=any_dates, in_start=st.booleans())
def test_a_day_that_a_month_lacks_becomes_its_last_and_the_answer_says_so(
    day: int, interval: int, start: date, *, in_start: bool
) -> None:
    start = start.replace(month=start.month, day=1)
    if in_start:
        start = start.replace(month=1, day=day)
    named = "" if in_start else f";BYMONTHDAY={day}"
    _, back = there_and_back(f"RRULE:FREQ=MONTHLY;INTERVAL={interval}{named}", start)
    firsts = dates(f"RRULE:FREQ=MONTHLY;INTERVAL={interval};BYMONTHDAY=1", start.replace(day=1))
    lasts = [
        one.replace(day=min(day, calendar.monthrange(one.year, one.month)[1])) for one in firsts
    ]
    assert dates(back, start) == lasts
    asked = dates(f"RRULE:FREQ=MONTHLY;INTERVAL={interval};BYMONTHDAY={day}", start)
    assert set(asked[:10]) <= set(lasts)


@pytest.mark.parametrize(
    ("month", "day", "rule"),
    [
        (2, 29, "BYMONTHDAY=-1;BYMONTH=2"),
        (2, 31, "BYMONTHDAY=-1;BYMONTH=2"),
        (4, 31, "BYMONTHDAY=-1;BYMONTH=4"),
        (4, 30, "BYMONTHDAY=30;BYMONTH=4"),
        (12, 31, "BYMONTHDAY=31;BYMONTH=12"),
    ],
)
def test_the_end_of_a_month_in_a_year_is_read(month: int, day: int, rule: str) -> None:
    pattern = {"type": "absoluteYearly", "interval": 1, "month": month, "dayOfMonth": day}
    told = {"pattern": pattern, "range": {"type": "noEnd", "startDate": "2027-01-01"}}
    read = read_recurrence(told, date(2027, 1, 1), UTC)
    assert read == f"RRULE:FREQ=YEARLY;{rule}"


# K25's table once more, by what a rule may look like: independent of the code
DAYS = r"(MO|TU|WE|TH|FR|SA|SU)"
LIST = rf"{DAYS}(,{DAYS})*"
ONE = r"[+]?([1-9]|[12]\d|3[01])"
MONTH = r";BYMONTH=[+]?([1-9]|1[0-2])"
RELATIVE = rf"(;BYDAY={LIST};BYSETPOS=([+]?[1-4]|-1)|;BYDAY=([+]?[1-4]|-1){DAYS})"
ALLOWED = [
    r"FREQ=DAILY",
    rf"FREQ=WEEKLY(;BYDAY={LIST})?(;WKST={DAYS})?",
    rf"FREQ=MONTHLY(;BYMONTHDAY=({ONE}|-1))?",
    rf"FREQ=MONTHLY{RELATIVE}",
    r"FREQ=MONTHLY;BYMONTHDAY=(28,29,30|28,29);BYSETPOS=-1",
    rf"FREQ=YEARLY({MONTH})?",
    rf"FREQ=YEARLY;BYMONTHDAY=({ONE}|-1){MONTH}",
    rf"FREQ=YEARLY{RELATIVE}({MONTH})?",
]
ORDER = ("FREQ", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST", "BYMONTH")
one_day = st.builds(
    lambda ordinal, day: ordinal + day,
    st.sampled_from(["", "1", "+2", "-1", "5", "-2"]),
    st.sampled_from(CODES),
)
anything = st.fixed_dictionaries(
    {"FREQ": st.sampled_from(["SECONDLY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"])},
    optional={
        "BYDAY": st.lists(one_day, min_size=1, max_size=3, unique=True).map(",".join),
        "BYMONTHDAY": st.sampled_from(["1", "+15", "28", "-1", "-2", "1,15", "28,29,30", "28,29"]),
        "BYMONTH": st.sampled_from(["1", "2", "12", "3,4"]),
        "BYSETPOS": st.sampled_from(["1", "-1", "5", "1,2", "+3"]),
        "WKST": st.sampled_from(CODES),
        "BYWEEKNO": st.just("20"),
        "BYYEARDAY": st.just("100"),
        "BYHOUR": st.just("9"),
        "BYMINUTE": st.just("30"),
    },
)


@settings(max_examples=500, deadline=None)
@example({"FREQ": "MONTHLY", "BYDAY": "1MO,1TU"}, date(2027, 1, 1))
@example({"FREQ": "YEARLY", "BYMONTHDAY": "15"}, date(2027, 1, 15))
@given(anything, st.one_of(st.just(date(2027, 1, 1)), tame_begins))
def test_every_rule_either_keeps_its_dates_or_has_a_part_named(
    rule: dict[str, str], start: When
) -> None:
    text = line(rule)
    ordered = ";".join(f"{name}={rule[name]}" for name in ORDER if name in rule)
    fits = rule.keys() <= set(ORDER) and any(re.fullmatch(one, ordered) for one in ALLOWED)
    if fits:
        _, back = there_and_back(text, start)
        assert dates(back, start) == dates(text, start)
        return
    with pytest.raises(InvalidError) as told:
        there_and_back(text, start)
    part = told.value.members["part"]
    assert (told.value.code, told.value.field) == ("unsupported_recurrence", "recurrence")
    assert part in rule
    assert part in str(told.value)
    assert unsupported_part(text) == part


@pytest.mark.parametrize(
    ("lines", "start", "part"),
    [
        (["RRULE:FREQ=DAILY", "EXDATE:20270101T090000Z"], date(2027, 1, 1), "EXDATE"),
        (["RRULE:FREQ=DAILY", "RDATE:20270101T090000Z"], date(2027, 1, 1), "RDATE"),
        (["RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"], date(2027, 1, 1), "RRULE"),
        (["RRULE:FREQ=DAILY;UNTIL=20261231"], date(2027, 1, 1), "UNTIL"),
        (["RRULE:FREQ=YEARLY;BYMONTH=2"], date(2027, 1, 30), "BYMONTH"),
    ],
)
def test_what_the_start_rules_out_is_named_too(lines: list[str], start: date, part: str) -> None:
    with pytest.raises(InvalidError) as told:
        write_recurrence(lines, start, UTC, None)
    assert told.value.members["part"] == part


def test_a_pattern_is_written_as_graph_documents_it() -> None:
    start = datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    until = "RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=2TU;UNTIL=20270601T075959Z"
    assert write_recurrence([until], start, zone_of(start), "Europe/Berlin") == {
        "pattern": {
            "type": "relativeMonthly",
            "interval": 2,
            "index": "second",
            "daysOfWeek": ["tuesday"],
        },
        "range": {  # at 9:59:59 in Berlin the first of June's has not begun
            "type": "endDate",
            "startDate": "2026-11-24",
            "endDate": "2027-05-31",
            "recurrenceTimeZone": "Europe/Berlin",
        },
    }
    weekly = write_recurrence(["RRULE:FREQ=WEEKLY;COUNT=4"], date(2026, 11, 24), UTC, None)
    assert weekly == {
        "pattern": {
            "type": "weekly",
            "interval": 1,
            "daysOfWeek": ["tuesday"],
            "firstDayOfWeek": "monday",
        },
        "range": {"type": "numbered", "startDate": "2026-11-24", "numberOfOccurrences": 4},
    }


def test_a_week_begins_on_sunday_where_graph_names_no_day() -> None:
    pattern = {"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "Monday"]}
    told = {"pattern": pattern, "range": {"type": "noEnd", "startDate": "2026-11-22"}}
    read = read_recurrence(told, date(2026, 11, 22), UTC)
    assert read == "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU"


@pytest.mark.parametrize(
    ("pattern", "extent"),
    [
        ({"type": "weekly", "interval": 1, "daysOfWeek": []}, {"type": "noEnd"}),
        ({"type": "hourly", "interval": 1}, {"type": "noEnd"}),
        ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 0}, {"type": "noEnd"}),
        ({"type": "absoluteYearly", "dayOfMonth": 1, "month": 13}, {"type": "noEnd"}),
        (
            {"type": "relativeMonthly", "index": "fifth", "daysOfWeek": ["monday"]},
            {"type": "noEnd"},
        ),
        ({"type": "daily", "interval": -1}, {"type": "noEnd"}),
        ({"type": "daily"}, {"type": "numbered", "numberOfOccurrences": 0}),
        ({"type": "daily"}, {"type": "endDate", "endDate": None}),
        ({"type": "daily"}, {}),
        (None, {"type": "noEnd"}),
    ],
)
def test_what_is_no_pattern_is_malformed(pattern: object, extent: object) -> None:
    with pytest.raises(MalformedReplyError):
        read_recurrence({"pattern": pattern, "range": extent}, date(2027, 1, 1), UTC)
