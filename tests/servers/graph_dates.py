"""Days and times of Microsoft Graph's events, worked out day by day: no rule of ours, no library.

A series yields the days that its pattern names, and each of them at the hour of its start in the
zone where it repeats.
"""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INDEXES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_DAY = timedelta(days=1)


def told(at: datetime) -> Json:
    """Return a time as Graph writes it where UTC is preferred (MG11)."""
    return {"dateTime": f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0", "timeZone": "UTC"}


def moment(given: Json) -> datetime:
    """Read a dateTimeTimeZone, in UTC."""
    naive = datetime.fromisoformat(given["dateTime"])
    return naive.replace(tzinfo=ZoneInfo(given["timeZone"])).astimezone(UTC)


def days_of(recurrence: Json, until: date) -> Iterator[date]:
    """Yield the days on which a series starts, up to ``until``."""
    extent, pattern = recurrence["range"], recurrence["pattern"]
    first = date.fromisoformat(extent["startDate"])
    if extent["type"] == "endDate":
        until = min(until, date.fromisoformat(extent["endDate"]))
    left = extent["numberOfOccurrences"] if extent["type"] == "numbered" else -1
    day = first
    while day <= until and left != 0:
        if _fits(pattern, first, day):
            yield day
            left -= 1
        day += _DAY


def _fits(pattern: Json, first: date, day: date) -> bool:
    interval, kind = pattern.get("interval", 1), pattern["type"]
    if kind == "daily":
        return bool((day - first).days % interval == 0)
    if kind == "weekly":
        begin = _DAYS.index(pattern.get("firstDayOfWeek", "sunday"))
        weeks = (_week(day, begin) - _week(first, begin)).days // 7
        return bool(weeks % interval == 0 and _DAYS[day.weekday()] in pattern["daysOfWeek"])
    months = (day.year - first.year) * 12 + day.month - first.month
    if kind.endswith("Yearly"):
        fits = day.month == pattern["month"] and (day.year - first.year) % interval == 0
    else:
        fits = months % interval == 0
    return bool(fits and day == _day_of_month(pattern, day))


def _week(day: date, begin: int) -> date:
    return day - timedelta(days=(day.weekday() - begin) % 7)


def _day_of_month(pattern: Json, day: date) -> date:
    longest = calendar.monthrange(day.year, day.month)[1]
    if pattern["type"].startswith("absolute"):
        return day.replace(day=min(pattern["dayOfMonth"], longest))
    fitting = [
        number
        for number in range(1, longest + 1)
        if _DAYS[day.replace(day=number).weekday()] in pattern["daysOfWeek"]
    ]
    return day.replace(day=fitting[_INDEXES[pattern.get("index", "first")]])


def zone_of(series: Json) -> ZoneInfo:
    named = series["recurrence"]["range"].get("recurrenceTimeZone")
    return ZoneInfo(named or series["originalStartTimeZone"])


def start_on(series: Json, day: date) -> datetime:
    """Return when the occurrence of a day starts, in UTC."""
    if series["isAllDay"]:
        return datetime.combine(day, time(), UTC)
    zone = zone_of(series)
    hour = moment(series["start"]).astimezone(zone).time()
    return datetime.combine(day, hour, zone).astimezone(UTC)


def original_on(series: Json, day: date) -> datetime:
    """Return what ``originalStart`` says of a day: of all-day events midnight where it repeats."""
    if series["isAllDay"]:
        return datetime.combine(day, time(), zone_of(series)).astimezone(UTC)
    return start_on(series, day)


def length_of(item: Json) -> timedelta:
    return moment(item["end"]) - moment(item["start"])
