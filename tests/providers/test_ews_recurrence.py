"""RRULE and Exchange's patterns give the same dates as dateutil, or the part is named (K25)."""

from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from exchangelib.recurrence import Recurrence
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from syncd.formats.rule import parts
from syncd.model.errors import InvalidError, MalformedReplyError
from syncd.providers.ews.recurrence import read_lines, write_lines
from tests.formats.test_outlook import (
    dates,
    ends,
    line,
    patterned,
    tame_begins,
    zone_of,
)
from tests.servers.ews_series import starts
from tests.servers.ews_xml import Xml, t

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 11, 24, 10, tzinfo=BERLIN)
FIRST = "StartDate=2026-11-24"
SETS = ({"MO", "TU", "WE", "TH", "FR"}, {"SA", "SU"})


def written(rule: str, start: datetime | date = START) -> Xml:
    """Return the element as it goes over the wire."""
    made = write_lines([f"RRULE:{rule}"], start, zone_of(start))
    return etree.fromstring(etree.tostring(made))


def told(element: Xml) -> str:
    return " ".join(
        f"{etree.QName(one).localname}={one.text}" for one in element.iter() if one.text
    )


@pytest.mark.parametrize(
    ("rule", "becomes", "back"),
    [
        (
            "FREQ=DAILY;INTERVAL=999",
            "Interval=999 StartDate=2026-11-24",
            "FREQ=DAILY;INTERVAL=999",
        ),
        (
            "FREQ=WEEKLY;WKST=SU;COUNT=999",
            f"Interval=1 DaysOfWeek=Tuesday FirstDayOfWeek=Sunday {FIRST} NumberOfOccurrences=999",
            "FREQ=WEEKLY;BYDAY=TU;WKST=SU;COUNT=999",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=31",
            "Interval=1 DayOfMonth=31 StartDate=2026-11-24",
            "FREQ=MONTHLY;BYMONTHDAY=-1",
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
            "Interval=1 DayOfMonth=30 StartDate=2026-11-24",
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "Interval=1 DaysOfWeek=Weekday DayOfWeekIndex=Last StartDate=2026-11-24",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        ),
        (
            "FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1",
            "Interval=1 DaysOfWeek=WeekendDay DayOfWeekIndex=First StartDate=2026-11-24",
            "FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1",
        ),
        (
            "FREQ=YEARLY;BYMONTH=3;BYDAY=2TU",
            "DaysOfWeek=Tuesday DayOfWeekIndex=Second Month=March StartDate=2026-11-24",
            "FREQ=YEARLY;BYDAY=TU;BYSETPOS=2;BYMONTH=3",
        ),
        (
            "FREQ=YEARLY;INTERVAL=8",
            "Interval=96 DayOfMonth=24 StartDate=2026-11-24",
            "FREQ=MONTHLY;INTERVAL=96;BYMONTHDAY=24",
        ),
        (
            "FREQ=DAILY;UNTIL=20261201T080000Z",
            "Interval=1 StartDate=2026-11-24 EndDate=2026-11-30",
            "FREQ=DAILY;UNTIL=20261130T225959Z",
        ),
    ],
)
def test_a_rule_becomes_an_element_and_comes_back(rule: str, becomes: str, back: str) -> None:
    """A year's interval is twelve months each; an UNTIL before the hour is a day less."""
    element = written(rule)
    assert told(element) == becomes
    assert read_lines(element, START, BERLIN) == f"RRULE:{back}"
    assert Recurrence.from_xml(element, account=None).pattern is not None


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_rule_that_fits_gives_the_same_dates(data: st.DataObject) -> None:
    """As dateutil steps through the rule, through what comes back, and as the fake expands it."""
    start = data.draw(tame_begins)
    rule = data.draw(patterned()) | data.draw(ends(start))
    zone = zone_of(start)
    refused: InvalidError | None = None
    element: Xml = None
    try:
        element = write_lines([line(rule)], start, zone)
    except InvalidError as error:
        refused = error
    if refused is not None:
        assert refused.code == "unsupported_recurrence"
        assert _may_be_refused(rule, refused.members["part"])
        return
    back = read_lines(etree.fromstring(etree.tostring(element)), start, zone)
    assert dates(back, start) == dates(line(rule), start)
    if isinstance(start, datetime) and dates(line(rule), start)[:1] == [start.date()]:
        few = [one.astimezone(zone).date() for one in islice(starts(element, start, zone), 5)]
        assert few == dates(back, start)[: len(few)]


def _may_be_refused(rule: dict[str, str], part: str) -> bool:
    match part:
        case "BYDAY":  # one day, or one of the sets that have a word
            given_days = set(rule["BYDAY"].split(","))
            return len(given_days) > 1 and given_days not in SETS and len(given_days) < 7
        case "BYMONTH":  # months are counted from the first one
            return rule["FREQ"] == "YEARLY" and rule.get("INTERVAL", "1") != "1"
        case "UNTIL":
            return "UNTIL" in rule
        case _:
            return False


@pytest.mark.parametrize(
    "element",
    [
        t("Recurrence"),
        t("Recurrence", t("DailyRecurrence", t("Interval", "1"))),
        t("Recurrence", t("DailyRegeneration", t("Interval", "1")), t("NoEndRecurrence")),
        t("Recurrence", t("DailyRecurrence", t("Interval", "x")), t("NoEndRecurrence")),
        t("Recurrence", t("DailyRecurrence", t("Interval", "0")), t("NoEndRecurrence")),
        t("Recurrence", t("WeeklyRecurrence", t("DaysOfWeek", "Someday")), t("NoEndRecurrence")),
        t("Recurrence", t("AbsoluteYearlyRecurrence", t("DayOfMonth", "1")), t("NoEndRecurrence")),
        t("Recurrence", t("AbsoluteYearlyRecurrence", t("Month", "Mai")), t("NoEndRecurrence")),
        t("Recurrence", t("DailyRecurrence", t("Interval", "1")), t("NumberedRecurrence")),
        t("Recurrence", t("DailyRecurrence", t("Interval", "1")), t("EndDateRecurrence")),
    ],
)
def test_what_is_no_pattern_is_said_to_be_none(element: Xml) -> None:
    """I10."""
    with pytest.raises(MalformedReplyError):
        read_lines(element, START, BERLIN)


def test_an_end_is_a_day_of_the_series_zone() -> None:
    """Written with an offset by some servers, and inclusive."""
    for text in ("2026-12-31", "2026-12-31+01:00", "2026-12-31Z"):
        extent = t("EndDateRecurrence", t("StartDate", "2026-11-24"), t("EndDate", text))
        element = t("Recurrence", t("DailyRecurrence", t("Interval", "1")), extent)
        rule = parts(read_lines(element, START, BERLIN))
        assert rule["UNTIL"] == "20261231T225959Z"
        assert parts(read_lines(element, START.date(), BERLIN))["UNTIL"] == "20261231"
