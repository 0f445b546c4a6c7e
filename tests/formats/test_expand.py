"""Expansion, against zoneinfo, against recurring-ical-events, and against bombs (F16, F17, F19)."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from syncd.formats.expand import Expansion, Recurring, expand_series, recurring_of, span, yields
from syncd.formats.ical_read import read_resource
from syncd.formats.rule import refusal
from syncd.model.content import event_document
from syncd.model.event import Event
from syncd.model.ids import CalendarId, EventId, ProfileId, Slot
from syncd.model.when import When, instant
from tests.formats.written import KEY, event, vcalendar, vevent

ZONES = """Europe/Berlin Europe/London America/New_York America/St_Johns America/Sao_Paulo
Australia/Lord_Howe Australia/Sydney Asia/Kolkata Asia/Kathmandu Pacific/Kiritimati
Pacific/Pago_Pago Pacific/Auckland Africa/Casablanca Asia/Jerusalem America/Santiago
Europe/Dublin Asia/Tehran America/Havana Asia/Tokyo UTC""".split()  # noqa: SIM905 - a list
PROCESS_ZONES = (  # F17's five
    "C",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
)
YEAR = timedelta(days=366)


def series(found: Event, calendar_zone: str | None = "UTC") -> Recurring:
    document = event_document(
        found,
        event_id=EventId("e"),
        profile=ProfileId(1),
        calendar=CalendarId("c"),
        series=None,
    )
    return recurring_of(document, calendar_zone)


def starts(found: Event, after: datetime, before: datetime, zone: str = "UTC") -> list[When]:
    expanded = expand_series(series(found, zone), after, before)
    assert expanded is not None
    return [start for start, _ in expanded.occurrences]


@pytest.mark.parametrize("zone", ZONES)
def test_a_weekly_meeting_keeps_its_wall_time_over_a_year_f16(zone: str) -> None:
    found = event(f"DTSTART;TZID={zone}:20260105T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    met = starts(found, begin, begin + YEAR)
    assert len(met) >= 52
    for at, start in enumerate(met):
        assert isinstance(start, datetime)
        day = date(2026, 1, 5) + timedelta(weeks=at)
        wall = datetime.combine(day, datetime(1, 1, 1, 10, tzinfo=UTC).time(), ZoneInfo(zone))
        assert start == wall


def test_a_time_that_the_clocks_skip_is_that_much_later() -> None:
    found = event(
        "DTSTART;TZID=Europe/Berlin:20260328T023000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"
    )
    told = starts(found, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert [one.isoformat() for one in told] == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_series_that_begins_where_the_clocks_skip_repeats_what_was_written() -> None:
    found = event("DTSTART;TZID=America/New_York:20260308T023000", "RRULE:FREQ=DAILY;COUNT=2")
    told = starts(found, datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    assert [one.isoformat() for one in told] == [
        "2026-03-08T03:30:00-04:00",
        "2026-03-09T02:30:00-04:00",
    ]


def test_a_time_that_comes_twice_is_the_first_one() -> None:
    found = event("DTSTART;TZID=Europe/Berlin:20261024T023000", "RRULE:FREQ=DAILY;COUNT=2")
    told = starts(found, datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
    assert told[1].isoformat() == "2026-10-25T02:30:00+02:00"


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_is_the_same_day_everywhere_f17(zone: str) -> None:
    found = event("DTSTART;VALUE=DATE:20260301", "RRULE:FREQ=MONTHLY;COUNT=3", zone=zone)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    assert starts(found, begin, begin + YEAR, zone) == [
        date(2026, 3, 1),
        date(2026, 4, 1),
        date(2026, 5, 1),
    ]
    at = datetime(2026, 4, 1, tzinfo=ZoneInfo(zone))
    assert starts(found, at, at + timedelta(seconds=1), zone) == [date(2026, 4, 1)]
    assert starts(found, at - timedelta(seconds=1), at, zone) == []


def test_excluded_starts_and_extra_dates_count() -> None:
    found = event(
        "DTSTART;TZID=Europe/Berlin:20261102T100000",
        "RRULE:FREQ=DAILY;COUNT=4",
        "EXDATE;TZID=Europe/Berlin:20261103T100000",
        "EXDATE;VALUE=DATE:20261105",
        "RDATE:20261120T090000Z",
    )
    told = starts(found, datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
    assert [one.isoformat()[:10] for one in told] == ["2026-11-02", "2026-11-04", "2026-11-20"]


def test_an_excluded_start_counts_in_the_hour_that_comes_twice() -> None:
    """In Python a time in that hour equals no time of another zone (PEP 495)."""
    found = event(
        "DTSTART;TZID=Europe/Berlin:20261024T023000",
        "RRULE:FREQ=DAILY;COUNT=3",
        "EXDATE:20261025T003000Z",
    )
    begin = datetime(2026, 10, 1, tzinfo=UTC)
    left = [one.day for one in starts(found, begin, begin + YEAR)]
    assert left == [24, 26]


def test_blanks_in_a_rule_are_no_part_of_it_f18() -> None:
    found = event("DTSTART:20261102T090000Z", "RRULE:FREQ=DAILY; COUNT=3;BYDAY=MO, WE")
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    assert len(starts(found, begin, begin + YEAR)) == 3


def test_only_what_the_rule_gives_is_an_occurrence_k20() -> None:
    found = series(event("DTSTART:20261124T090000Z", "RRULE:FREQ=WEEKLY"))
    assert yields(found, Slot("20261201T090000Z"))
    assert not yields(found, Slot("20261201T100000Z"))
    assert not yields(found, Slot("20261117T090000Z"))
    assert not yields(found, Slot("nonsense"))


def test_what_does_not_fit_is_cut_and_said() -> None:
    found = series(event("DTSTART:20261101T000000Z", "RRULE:FREQ=HOURLY"))
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    expanded = expand_series(found, begin, begin + YEAR, 100)
    assert expanded is not None
    assert (len(expanded.occurrences), expanded.cut) == (100, True)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;COUNT=5",
        "FREQ=DAILY;COUNT=1000000000",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTHDAY=-32,32",
        "FREQ=DAILY;BYHOUR=9,10;BYSETPOS=3",
        "FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYHOUR=" + ",".join(map(str, range(24)))
        + ";BYMINUTE=" + ",".join(map(str, range(60))),
    ],
)  # fmt: skip
def test_a_bomb_is_refused_before_it_runs_f19(rule: str) -> None:
    lines = (f"RRULE:{rule}",)
    assert refusal(lines)
    start = datetime(1970, 1, 1, tzinfo=UTC)
    bomb = Recurring(start=start, end=start, zone="UTC", recurrence=lines)
    assert expand_series(bomb, start, start + YEAR) is None


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=YEARLY;BYMONTHDAY=-31;BYMONTH=1,2",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=DAILY;BYHOUR=9,10,11;BYSETPOS=3",
        "FREQ=HOURLY;COUNT=10000",
    ],
)
def test_a_rule_that_people_write_is_not_refused(rule: str) -> None:
    assert refusal((f"RRULE:{rule}",)) is None


def test_an_exrule_is_refused() -> None:
    assert refusal(("RRULE:FREQ=DAILY", "EXRULE:FREQ=DAILY")) == "EXRULE"


def test_an_old_series_is_not_stepped_through_from_its_beginning_f19() -> None:
    found = series(event("DTSTART:19700101T000000Z", "RRULE:FREQ=HOURLY"))
    at = datetime(2026, 11, 1, tzinfo=UTC)
    begun = time.process_time()
    expanded = expand_series(found, at, at + timedelta(days=1))
    assert time.process_time() - begun < 0.2
    assert expanded is not None
    assert len(expanded.occurrences) == 24


def test_a_rule_without_an_occurrence_in_reach_ends_f19() -> None:
    """Not refused, as some year may have it: stepped through to the end, once a year."""
    found = series(event("DTSTART:20260101T000000Z", "RRULE:FREQ=YEARLY;BYWEEKNO=53;BYYEARDAY=100"))
    at = datetime(2027, 1, 1, tzinfo=UTC)
    begun = time.process_time()
    assert expand_series(found, at, at + YEAR) == Expansion(occurrences=(), cut=False)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("process_zone", PROCESS_ZONES)
def test_the_zone_of_the_machine_means_nothing_f17(
    process_zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (
        "DTSTART;VALUE=DATE:20260301",
        "DTEND;VALUE=DATE:20260303",
        "RRULE:FREQ=WEEKLY;COUNT=2",
    )
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setenv("TZ", process_zone)
    time.tzset()
    try:
        days = starts(event(*lines), begin, begin + YEAR)
        (floating,) = starts(event("DTSTART:20260301T090000"), begin, begin + YEAR)
        spanned = span(event(*lines), None)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert days == [date(2026, 3, 1), date(2026, 3, 8)]
    assert floating == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert spanned[0] == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_the_last_day_of_days_is_shifted_by_no_zone_f17(zone: str) -> None:
    found = event("DTSTART;VALUE=DATE:20261124", "RRULE:FREQ=DAILY;UNTIL=20261126T000000Z")
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    assert len(starts(found, begin, begin + YEAR, zone)) == 3


def test_a_night_that_a_dst_change_makes_longer_stays_inside_the_span() -> None:
    found = event(
        "DTSTART;TZID=Europe/Berlin:20260327T220000",
        "DTEND;TZID=Europe/Berlin:20260328T060000",
        "RRULE:FREQ=DAILY;UNTIL=20260328T210000Z",
    )
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    expanded = expand_series(series(found), begin, begin + YEAR)
    assert expanded is not None
    _, ends = expanded.occurrences[-1]
    assert ends == datetime(2026, 3, 29, 7, tzinfo=ZoneInfo("Europe/Berlin"))  # 8 h, one skipped
    _, last = span(found, None)
    assert last is not None
    assert instant(ends, UTC) <= last


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART;TZID=Asia/Tokyo:00010101T000000",),
        ("DTSTART:00010101T000000Z", "RRULE:FREQ=DAILY"),
        ("DTSTART;VALUE=DATE:99991230",),
        ("DTSTART;TZID=America/New_York:99991231T235900", "RRULE:FREQ=YEARLY"),
        ("DTSTART:20260101T000000Z", "RRULE:FREQ=YEARLY;UNTIL=99991231T235959Z"),
        ("DTSTART:20260101T000000Z", "RRULE:FREQ=YEARLY;INTERVAL=9999;COUNT=9999"),
    ],
)
def test_the_ends_of_time_are_no_bugs_f21(lines: tuple[str, ...]) -> None:
    found = event(*lines)
    first, last = span(found, "Asia/Tokyo")
    assert last is None or first < last or not found.recurrence
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    expand_series(series(found), begin, begin + timedelta(days=1))
    assert not yields(series(found), Slot("00010102T000001Z"))
    assert not yields(series(found), Slot("00010101T000000"))


WORDS = """FREQ= DAILY WEEKLY MONTHLY YEARLY HOURLY ; = , COUNT= UNTIL= INTERVAL= BYDAY= BYMONTH=
BYSETPOS= BYWEEKNO= BYYEARDAY= BYMONTHDAY= MO 1 -1 0 99 20270101 T000000Z 5FR x""".split()  # noqa: SIM905 - a list


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS), max_size=12).map("".join),
    st.sampled_from(["DAILY", "WEEKLY", "YEARLY"]),
)
def test_no_text_of_a_rule_gets_past_the_reader_and_the_expansion(text: str, often: str) -> None:
    (start, end) = "DTSTART:20261124T090000Z", "DTEND:20261124T100000Z"
    raw = vcalendar(vevent(start, end, f"RRULE:FREQ={often};COUNT=9;{text}"))
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    for found in read_resource(KEY, raw).events:
        span(found, None)
        if refusal(found.recurrence) is None and "UNTIL" not in text:
            expand_series(series(found), begin, begin + timedelta(days=7))


DAYS = st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])
RULES = st.one_of(
    st.builds("FREQ=DAILY;INTERVAL={}".format, st.integers(1, 5)),
    st.builds(
        "FREQ=WEEKLY;INTERVAL={};BYDAY={};WKST={}".format,
        st.integers(1, 3),
        st.lists(DAYS, min_size=1, unique=True).map(",".join),
        st.sampled_from(["MO", "SU"]),
    ),
    st.builds(
        "FREQ=MONTHLY;{}".format,
        st.sampled_from(
            ["BYMONTHDAY=31", "BYMONTHDAY=-1", "BYDAY=2TU", "BYDAY=-1FR", "BYDAY=MO,TU;BYSETPOS=-1"]
        ),
    ),
    st.builds("FREQ=YEARLY;BYMONTH={};BYDAY=1SU".format, st.integers(1, 12)),
)
ENDS = st.one_of(
    st.just(""),
    st.builds(";COUNT={}".format, st.integers(1, 40)),
    st.builds(";UNTIL=20{}0615T120000Z".format, st.integers(24, 28)),
)


def told(when: When) -> str:
    return when.astimezone(UTC).isoformat() if isinstance(when, datetime) else when.isoformat()


@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    st.sampled_from(ZONES),
    st.builds("{}{}".format, RULES, ENDS),
    st.dates(date(2019, 1, 1), date(2026, 12, 28)),
    st.integers(0, 22),
    st.dates(date(2019, 1, 1), date(2028, 12, 1)),
    st.integers(1, 90),
    st.booleans(),
)
def test_occurrences_are_those_of_an_independent_expansion(  # noqa: PLR0913, PLR0917 - one case each
    zone: str,
    rule: str,
    day: date,
    hour: int,
    window: date,
    days: int,
    all_day: bool,  # noqa: FBT001
) -> None:
    assume(day.day <= 28)
    until = rule.partition("UNTIL=")[2][:8]
    assume(not until or f"{day:%Y%m%d}" < until)  # a rule that ends before it begins has no meaning
    if all_day:
        rule = rule.replace("T120000Z", "")
        start = f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    else:
        start = f"DTSTART;TZID={zone}:{day:%Y%m%d}T{hour:02}3000"
    raw = vcalendar(vevent(start, f"RRULE:{rule}"))
    (found,) = read_resource(KEY, raw).events
    after = datetime.combine(window, datetime.min.time(), UTC)
    before = after + timedelta(days=days)
    theirs = recurring_ical_events.of(icalendar.Calendar.from_ical(raw)).between(after, before)
    ours = starts(found, after, before)
    assert sorted(map(told, ours)) == sorted(told(one["DTSTART"].dt) for one in theirs)
    first, last = span(found, "UTC")
    expanded = expand_series(series(found), after, before)
    assert expanded is not None
    for begins, ends in expanded.occurrences:
        assert first <= instant(begins, UTC)
        assert last is None or instant(ends, UTC) <= last


def test_expansion_in_utc_is_caught() -> None:
    found = event("DTSTART;TZID=Europe/Berlin:20260105T100000", "RRULE:FREQ=WEEKLY")
    begin = datetime(2026, 7, 1, tzinfo=UTC)
    right = series(found)
    wrong = Recurring(start=right.start, end=right.end, zone="UTC", recurrence=right.recurrence)
    in_wall_time = expand_series(right, begin, begin + timedelta(days=7))
    in_utc = expand_series(wrong, begin, begin + timedelta(days=7))
    assert in_wall_time is not None
    assert in_utc is not None
    assert in_wall_time.occurrences[0] != in_utc.occurrences[0]


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        (("RRULE:FREQ=DAILY",), None),
        (("RRULE:FREQ=DAILY;UNTIL=20261201T090000Z",), datetime(2026, 12, 1, 10, tzinfo=UTC)),
        (("RRULE:FREQ=DAILY;COUNT=3",), datetime(2026, 11, 27, 10, tzinfo=UTC)),
        (("RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",), None),
        (("RDATE:20270101T090000Z",), datetime(2027, 1, 1, 10, tzinfo=UTC)),
        ((), datetime(2026, 11, 24, 10, tzinfo=UTC)),
    ],
)
def test_a_span_bounds_a_series_without_stepping_through_it(
    lines: tuple[str, ...], last: datetime | None
) -> None:
    found = event("DTEND:20261124T100000Z", *lines)
    begun = time.process_time()
    assert span(found, None) == (datetime(2026, 11, 24, 9, tzinfo=UTC), last)
    assert time.process_time() - begun < 0.05
