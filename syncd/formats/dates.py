"""RDATE and EXDATE lines, as an event keeps them, to dates and instants (RFC 5545 §3.8.5)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from syncd.formats.lines import line_of
from syncd.formats.stamps import stamp, values
from syncd.formats.zones import iana
from syncd.model.when import When

_NOON = timedelta(hours=12)


def listed(recurrence: Iterable[str], name: str, zone: tzinfo) -> Iterator[When]:
    """Yield what the lines of this name list; a time without a zone is in ``zone``, the series'.

    Raises ValueError where one lists what is no time.
    """
    for row in recurrence:
        line = line_of(row)
        if line is None or line.name != name:
            continue
        named = line.parameters.get("TZID") if line.head else None
        place: tzinfo = (iana(named) if named else None) or zone
        for value in values(line.value):
            yield aware(stamp(value), place)


def nearest_day(at: datetime) -> date:
    """Return the date of a midnight, also of one that is some hours off in a wrong zone."""
    return (at.replace(tzinfo=None) + _NOON).date()


def excluded_line(start: When) -> str:
    """Return the EXDATE line of a start: a date, a time in its IANA zone, else in UTC."""
    if not isinstance(start, datetime):
        return f"EXDATE;VALUE=DATE:{start:%Y%m%d}"
    zone = start.tzinfo
    if isinstance(zone, ZoneInfo) and zone.key != "UTC":
        return f"EXDATE;TZID={zone.key}:{start:%Y%m%dT%H%M%S}"
    return f"EXDATE:{start.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def aware(when: date | datetime, zone: tzinfo) -> When:
    """Return a date as it is, a time that has no zone as one in ``zone``."""
    if isinstance(when, datetime) and when.tzinfo is None:
        return when.replace(tzinfo=zone)
    return when
