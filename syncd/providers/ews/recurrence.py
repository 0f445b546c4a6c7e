"""Exchange's ``Recurrence`` elements and RRULE lines, each way (providers.md §9, K25): pure."""

from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from typing import Any

from lxml.etree import _Element as Element

from syncd.formats.outlook import read_recurrence, write_recurrence
from syncd.formats.patterned import unsupported
from syncd.model.errors import MalformedReplyError
from syncd.model.when import When
from syncd.providers.ews.xml import T, children, local, text

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SETS: Mapping[frozenset[str], str] = {  # of days, that one word stands for in relative patterns
    frozenset(_WEEK): "Day",
    frozenset(_WEEK[:5]): "Weekday",
    frozenset(_WEEK[5:]): "WeekendDay",
}
_MEMBERS = {word.lower(): sorted(days, key=_WEEK.index) for days, word in _SETS.items()}
_TYPES = {
    "DailyRecurrence": "daily",
    "WeeklyRecurrence": "weekly",
    "AbsoluteMonthlyRecurrence": "absoluteMonthly",
    "RelativeMonthlyRecurrence": "relativeMonthly",
    "AbsoluteYearlyRecurrence": "absoluteYearly",
    "RelativeYearlyRecurrence": "relativeYearly",
}
_RANGES = {
    "NoEndRecurrence": "noEnd",
    "EndDateRecurrence": "endDate",
    "NumberedRecurrence": "numbered",
}
_MOST_DAYS, _MOST, _MOST_COUNT = 999, 99, 999  # of intervals and occurrences
_A_YEAR = 12


def read_lines(recurrence: Element, start: When, zone: tzinfo) -> str:
    """Return the RRULE line of a series; raises MalformedReplyError for what is no pattern."""
    parts = {local(one): one for one in recurrence}
    pattern = next((one for name, one in parts.items() if name in _TYPES), None)
    extent = next((one for name, one in parts.items() if name in _RANGES), None)
    if pattern is None or extent is None:
        raise MalformedReplyError(f"its recurrence is made of {', '.join(parts) or 'nothing'}")
    try:
        told = {"pattern": _pattern(pattern), "range": _range(extent)}
    except ValueError as error:
        raise MalformedReplyError(f"its recurrence cannot be read: {error}") from None
    return read_recurrence(told, start, zone)


def write_lines(lines: Sequence[str], start: When, zone: tzinfo) -> Element:
    """Return the element of a series that starts at ``start`` and repeats in ``zone``.

    Raises InvalidError ``unsupported_recurrence`` that names the part Exchange has no place for.
    """
    told = write_recurrence(lines, start, zone, None)
    pattern, extent = told["pattern"], told["range"]
    first = date.fromisoformat(extent["startDate"])
    return T.Recurrence(_pattern_element(pattern, first), _range_element(extent))


def _pattern(element: Element) -> dict[str, Any]:
    kind = _TYPES[local(element)]
    told = {local(one): (one.text or "").strip() for one in children(element)}
    found: dict[str, Any] = {"type": kind, "interval": told.get("Interval", "1")}
    if "DaysOfWeek" in told:
        words = told["DaysOfWeek"].lower().split()
        found["daysOfWeek"] = [day for word in words for day in _MEMBERS.get(word, [word])]
    if "DayOfMonth" in told:
        found["dayOfMonth"] = told["DayOfMonth"]
    if "DayOfWeekIndex" in told:
        found["index"] = told["DayOfWeekIndex"]
    if "Month" in told:
        found["month"] = _MONTHS.index(told["Month"]) + 1
    if kind == "weekly":
        found["firstDayOfWeek"] = told.get("FirstDayOfWeek")
    return found


def _range(element: Element) -> dict[str, Any]:
    return {
        "type": _RANGES[local(element)],
        "numberOfOccurrences": text(element, "NumberOfOccurrences"),
        "endDate": text(element, "EndDate"),
    }


def _pattern_element(pattern: Mapping[str, Any], first: date) -> Element:
    kind, interval = pattern["type"], int(pattern["interval"])
    if kind in ("absoluteYearly", "relativeYearly") and interval > 1:
        if int(pattern["month"]) != first.month:  # months are counted from the first one
            raise unsupported("BYMONTH")
        kind, interval = kind.replace("Yearly", "Monthly"), interval * _A_YEAR
    if interval > (_MOST_DAYS if kind == "daily" else _MOST):
        raise unsupported("INTERVAL")
    every = T.Interval(str(interval))
    match kind:
        case "daily":
            return T.DailyRecurrence(every)
        case "weekly":
            days = " ".join(day.capitalize() for day in pattern["daysOfWeek"])
            begins = T.FirstDayOfWeek(pattern["firstDayOfWeek"].capitalize())
            return T.WeeklyRecurrence(every, T.DaysOfWeek(days), begins)
        case "absoluteMonthly":
            return T.AbsoluteMonthlyRecurrence(every, T.DayOfMonth(str(pattern["dayOfMonth"])))
        case "relativeMonthly":
            return T.RelativeMonthlyRecurrence(every, *_days(pattern))
        case "absoluteYearly":
            day = T.DayOfMonth(str(pattern["dayOfMonth"]))
            return T.AbsoluteYearlyRecurrence(day, _month(pattern))
        case _:
            return T.RelativeYearlyRecurrence(*_days(pattern), _month(pattern))


def _days(pattern: Mapping[str, Any]) -> tuple[Element, Element]:
    """Return the one word for the days, and which of them."""
    days = list(pattern["daysOfWeek"])
    word = days[0].capitalize() if len(days) == 1 else _SETS.get(frozenset(days))
    if word is None:
        raise unsupported("BYDAY")
    return T.DaysOfWeek(word), T.DayOfWeekIndex(str(pattern["index"]).capitalize())


def _month(pattern: Mapping[str, Any]) -> Element:
    return T.Month(_MONTHS[int(pattern["month"]) - 1])


def _range_element(extent: Mapping[str, Any]) -> Element:
    begins = T.StartDate(extent["startDate"])
    if extent["type"] == "numbered":
        count = int(extent["numberOfOccurrences"])
        if count > _MOST_COUNT:
            raise unsupported("COUNT")
        return T.NumberedRecurrence(begins, T.NumberOfOccurrences(str(count)))
    if extent["type"] == "endDate":
        return T.EndDateRecurrence(begins, T.EndDate(extent["endDate"]))
    return T.NoEndRecurrence(begins)
