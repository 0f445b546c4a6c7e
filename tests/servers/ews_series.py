"""When a series of Exchange happens, computed from its pattern by dateutil."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, YEARLY, rrule
from exchangelib.winzone import MS_TIMEZONE_TO_IANA_MAP

from tests.servers.ews_xml import Xml, name_of, words

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
DAYS = {
    "Monday": MO,
    "Tuesday": TU,
    "Wednesday": WE,
    "Thursday": TH,
    "Friday": FR,
    "Saturday": SA,
    "Sunday": SU,
}
SETS = {
    "Day": tuple(DAYS.values()),
    "Weekday": (MO, TU, WE, TH, FR),
    "WeekendDay": (SA, SU),
}
POSITIONS = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": -1}
_SCALES: Any = {"Daily": DAILY, "Weekly": WEEKLY, "Monthly": MONTHLY, "Yearly": YEARLY}


def zone_of(windows: str) -> ZoneInfo:
    """Return a zone by its Windows name; raises KeyError for one that Exchange does not know."""
    return ZoneInfo("UTC" if windows == "UTC" else MS_TIMEZONE_TO_IANA_MAP[windows])


def days_of(text: str) -> list[Any]:
    return [day for word in text.split() for day in SETS.get(word, (DAYS.get(word),)) if day]


def starts(recurrence: Xml, start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the starts that a pattern gives, in the series' zone; without end for ten years.

    A day of the month that a month lacks means its last one.
    """
    pattern, extent = recurrence[0], recurrence[1]
    kind, wall = name_of(pattern).removesuffix("Recurrence"), start.astimezone(zone)
    naive = wall.replace(tzinfo=None)
    scale = _SCALES[kind.removeprefix("Absolute").removeprefix("Relative")]
    told: dict[str, Any] = {"interval": int(words(pattern, "t:Interval") or "1")}
    if months := words(pattern, "t:Month"):
        told["bymonth"] = MONTHS.index(months) + 1
    if kind == "Weekly":
        told |= {"byweekday": days_of(words(pattern, "t:DaysOfWeek"))}
        told |= {"wkst": DAYS[words(pattern, "t:FirstDayOfWeek") or "Sunday"]}
    elif kind.startswith("Relative"):
        told |= {"byweekday": days_of(words(pattern, "t:DaysOfWeek"))}
        told |= {"bysetpos": POSITIONS[words(pattern, "t:DayOfWeekIndex")]}
    elif kind.startswith("Absolute"):
        day = int(words(pattern, "t:DayOfMonth"))
        told |= {"bymonthday": list(range(min(day, 28), day + 1)), "bysetpos": -1}
    if name_of(extent) == "NumberedRecurrence":
        told["count"] = int(words(extent, "t:NumberOfOccurrences"))
    elif name_of(extent) == "EndDateRecurrence":
        last = date.fromisoformat(words(extent, "t:EndDate")[:10])
        told["until"] = datetime.combine(last, time(23, 59, 59))
    else:
        told["until"] = naive + timedelta(days=3653)
    for one in rrule(scale, dtstart=naive, **told):
        yield one.replace(tzinfo=zone).astimezone(UTC)
