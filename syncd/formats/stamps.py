"""Dates, times and durations as iCalendar writes them (RFC 5545 §3.3.4-§3.3.6)."""

import re
from datetime import UTC, date, datetime, timedelta

from icalendar.prop import vDuration

_STAMP = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?", re.IGNORECASE
)


def stamp(text: str) -> date | datetime:
    """Return a date, a naive time, or with ``Z`` one in UTC; raises ValueError for other text."""
    found = _STAMP.fullmatch(text.strip())
    if found is None:
        raise ValueError("it has a time that is none")
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    if found[4] is None:
        return date(year, month, day)
    second = min(int(found[6]), 59)  # a leap second has no place in a calendar
    zone = UTC if found[7] else None
    return datetime(year, month, day, int(found[4]), int(found[5]), second, tzinfo=zone)


def duration(text: str) -> timedelta:
    """Return a duration; raises ValueError for other text."""
    try:
        found: timedelta = vDuration.from_ical(text.strip().upper())  # type: ignore[no-untyped-call]
    except ValueError:
        raise ValueError("it has a duration that is none") from None
    return found


def values(text: str) -> list[str]:
    """Return the members of a list of times; of a PERIOD the start counts."""
    return [one.split("/", maxsplit=1)[0].strip() for one in text.split(",") if one.strip()]
