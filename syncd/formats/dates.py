"""RDATE and EXDATE lines, as an event keeps them, to dates and instants (RFC 5545 §3.8.5)."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, tzinfo

from syncd.formats.lines import line_of
from syncd.formats.stamps import stamp, values
from syncd.formats.zones import iana
from syncd.model.when import When


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


def aware(when: date | datetime, zone: tzinfo) -> When:
    """Return a date as it is, a time that has no zone as one in ``zone``."""
    if isinstance(when, datetime) and when.tzinfo is None:
        return when.replace(tzinfo=zone)
    return when
