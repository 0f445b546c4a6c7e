"""RRULE lines and Outlook's recurrence patterns, each way (providers.md §9, K25): pure.

A pattern has the members of Microsoft Graph's ``patternedRecurrence``: ``pattern`` and ``range``.
Exchange Web Services say the same in XML.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from syncd.formats.patterned import ORDINAL, last_day, unsupported, unsupported_part
from syncd.formats.rule import LONGEST_MONTHS, number, parts
from syncd.formats.stamps import stamp
from syncd.model.errors import MalformedReplyError
from syncd.model.when import When

Json = dict[str, Any]

_DAYS = {
    "MO": "monday",
    "TU": "tuesday",
    "WE": "wednesday",
    "TH": "thursday",
    "FR": "friday",
    "SA": "saturday",
    "SU": "sunday",
}
_CODES = {name: code for code, name in _DAYS.items()}
_INDEXES = {"1": "first", "2": "second", "3": "third", "4": "fourth", "-1": "last"}
_POSITIONS = {name: position for position, name in _INDEXES.items()}
_ALWAYS_THERE = 28  # the longest that no month lacks
_END_OF_DAY = time(23, 59, 59, fold=1)
_DAY = timedelta(days=1)


def write_recurrence(
    lines: Sequence[str], start: When, zone: tzinfo, zone_name: str | None
) -> Json:
    """Return the pattern of a series that starts at ``start``.

    ``zone`` is where it repeats, ``zone_name`` the range's recurrenceTimeZone, None for all-day
    and where it is not told. Raises InvalidError ``unsupported_recurrence`` for what no pattern
    can say (K25).
    """
    for line in lines:
        if (part := unsupported_part(line)) is not None:
            raise unsupported(part)
    if len(lines) != 1:
        raise unsupported("RRULE")
    found = parts(lines[0])
    first = start.astimezone(zone) if isinstance(start, datetime) else start
    pattern = {"interval": number(found.get("INTERVAL", "1")), **_pattern(found, first)}
    extent = {"startDate": _day(first).isoformat(), **_extent(found, first, zone)}
    if zone_name is not None:
        extent["recurrenceTimeZone"] = zone_name
    return {"pattern": pattern, "range": extent}


def read_recurrence(recurrence: Mapping[str, Any], start: When, zone: tzinfo) -> str:
    """Return the RRULE line; ``zone`` is where the series repeats, of no matter for all-day.

    Raises MalformedReplyError for what is no pattern.
    """
    try:
        rule = _rule(recurrence["pattern"]) | _end(recurrence["range"], start, zone)
    except (KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise MalformedReplyError(f"its recurrence cannot be read: {error!r}") from None
    return "RRULE:" + ";".join(f"{name}={value}" for name, value in rule.items())


def dated(line: str, zone: tzinfo) -> str:
    """Return the RRULE line that a pattern was read as, with its end as the day that it is.

    ``zone`` is where the series repeats. So the rule may be written for another zone, or for days.
    """
    told = parts(line).get("UNTIL", "")
    until = stamp(told) if told else None
    if not isinstance(until, datetime):
        return line
    return line.replace(told, f"{until.astimezone(zone):%Y%m%d}")


def _pattern(found: Mapping[str, str], first: When) -> Json:
    frequency = found["FREQ"]
    if frequency == "DAILY":
        return {"type": "daily"}
    if frequency == "WEEKLY":
        days = _codes(found) or [list(_DAYS)[first.weekday()]]
        return {
            "type": "weekly",
            "daysOfWeek": [_DAYS[day] for day in days],
            "firstDayOfWeek": _DAYS[found.get("WKST", "MO")],  # Graph would take sunday
        }
    scale = frequency.capitalize()
    if "BYDAY" not in found:
        month = _month(found, first) if frequency == "YEARLY" else {}
        day = last_day(found) or _day_of_month(found, first, month.get("month", 1))
        return {"type": f"absolute{scale}", "dayOfMonth": day, **month}
    ordinal = ORDINAL.fullmatch(found["BYDAY"])
    position = (found.get("BYSETPOS") or (ordinal[1] if ordinal else "")).lstrip("+")
    within = {} if frequency == "MONTHLY" else {"month": _month_of_days(found, position)}
    return {
        "type": f"relative{scale}",
        "index": _INDEXES[position],
        "daysOfWeek": [_DAYS[day] for day in _codes(found)],
        **within,
    }


def _codes(found: Mapping[str, str]) -> list[str]:
    """Return the days of BYDAY, each once, as in a week from Monday on."""
    given = {one[-2:] for one in found.get("BYDAY", "").split(",")}
    return [code for code in _DAYS if code in given]


def _month(found: Mapping[str, str], first: When) -> Mapping[str, int]:
    return {"month": number(found["BYMONTH"].lstrip("+")) if "BYMONTH" in found else first.month}


def _month_of_days(found: Mapping[str, str], position: str) -> int:
    """Return the month; without BYMONTH the days are the year's first or last ones."""
    if "BYMONTH" in found:
        return number(found["BYMONTH"].lstrip("+"))
    return 12 if position == "-1" else 1


def _day_of_month(found: Mapping[str, str], first: When, month: int) -> int:
    given, longest = found.get("BYMONTHDAY"), LONGEST_MONTHS[month - 1]
    if given is None and first.day > longest:  # it would never come
        raise unsupported("BYMONTH")
    if given == "-1":
        return longest
    return first.day if given is None else number(given.lstrip("+"))


def _extent(found: Mapping[str, str], first: When, zone: tzinfo) -> Json:
    if "COUNT" in found:
        return {"type": "numbered", "numberOfOccurrences": number(found["COUNT"])}
    if "UNTIL" not in found:
        return {"type": "noEnd"}
    last = _last_date(found["UNTIL"], first, zone)
    if last < _day(first):  # a range holds at least its first day
        raise unsupported("UNTIL")
    return {"type": "endDate", "endDate": last.isoformat()}


def _last_date(text: str, first: When, zone: tzinfo) -> date:
    """Return the last day on which the series may start: not where UNTIL ends before the hour."""
    until = stamp(text)
    if not isinstance(until, datetime):
        return until
    if not isinstance(first, datetime):
        return until.date()
    at = until.replace(tzinfo=zone) if until.tzinfo is None else until.astimezone(zone)
    starts = datetime.combine(at.date(), first.time(), zone)
    return at.date() - _DAY if starts.astimezone(UTC) > at.astimezone(UTC) else at.date()


def _rule(pattern: Mapping[str, Any]) -> dict[str, str]:
    kind = str(pattern["type"]).lower()
    frequency = kind.removeprefix("absolute").removeprefix("relative").upper()
    rule = {"FREQ": frequency}
    if (interval := int(pattern.get("interval") or 1)) != 1:
        rule["INTERVAL"] = str(interval)
    if interval < 1 or interval > 2**31:
        raise ValueError(f"an interval of {interval}")
    if kind == "daily":
        return rule
    if kind == "weekly":
        return rule | {"BYDAY": _listed_days(pattern)} | _first_day(pattern)
    month = int(pattern["month"]) if frequency == "YEARLY" else 0
    within = {"BYMONTH": str(month)} if month else {}
    if frequency == "YEARLY" and not 1 <= month <= len(LONGEST_MONTHS):
        raise ValueError(f"month {month}")
    if kind in ("absolutemonthly", "absoluteyearly"):
        return rule | _days_of_month(int(pattern["dayOfMonth"]), month) | within
    if kind in ("relativemonthly", "relativeyearly"):
        position = _POSITIONS[str(pattern.get("index") or "first").lower()]
        return rule | {"BYDAY": _listed_days(pattern), "BYSETPOS": position} | within
    raise ValueError(f"a pattern of type {kind}")


def _listed_days(pattern: Mapping[str, Any]) -> str:
    given = {_CODES[str(day).lower()] for day in pattern["daysOfWeek"]}
    if not given:
        raise ValueError("no days of the week")
    return ",".join(code for code in _DAYS if code in given)


def _first_day(pattern: Mapping[str, Any]) -> dict[str, str]:
    first = _CODES[str(pattern.get("firstDayOfWeek") or "sunday").lower()]
    return {} if first == "MO" else {"WKST": first}  # Monday is what RFC 5545 takes


def _days_of_month(day: int, month: int) -> dict[str, str]:
    """Return the parts for a day that shorter months have as their last one."""
    if not 1 <= day <= 31:  # noqa: PLR2004 - days of the longest month
        raise ValueError(f"day {day} of a month")
    if day <= _ALWAYS_THERE:
        return {"BYMONTHDAY": str(day)}
    if month:
        exists = day <= LONGEST_MONTHS[month - 1] and month != 2  # noqa: PLR2004 - February
        return {"BYMONTHDAY": str(day) if exists else "-1"}
    if day == 31:  # noqa: PLR2004 - the last everywhere
        return {"BYMONTHDAY": "-1"}
    days = ",".join(str(one) for one in range(_ALWAYS_THERE, day + 1))
    return {"BYMONTHDAY": days, "BYSETPOS": "-1"}


def _end(extent: Mapping[str, Any], start: When, zone: tzinfo) -> dict[str, str]:
    kind = str(extent["type"]).lower()
    if kind == "noend":
        return {}
    if kind == "numbered":
        if (count := int(extent["numberOfOccurrences"])) < 1:
            raise ValueError(f"{count} occurrences")
        return {"COUNT": str(count)}
    if kind != "enddate":
        raise ValueError(f"a range of type {kind}")
    last = date.fromisoformat(str(extent["endDate"])[:10])
    if not isinstance(start, datetime):
        return {"UNTIL": f"{last:%Y%m%d}"}
    until = datetime.combine(last, _END_OF_DAY, zone).astimezone(UTC)
    return {"UNTIL": f"{until:%Y%m%dT%H%M%SZ}"}


def _day(when: When) -> date:
    return when.date() if isinstance(when, datetime) else when
