"""Free time the slow way: from raw iCalendar by dateutil, quarter of an hour by quarter.

Written from RFC 5545 and api.md K28 alone; it shares nothing with ``formats`` and ``engine``.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar

QUARTER = timedelta(minutes=15)
ME = "mailto:ada@example.org"
Span = tuple[datetime, datetime]  # UTC


def busy(files: Sequence[str], zone: str, horizon: datetime) -> Iterator[Span]:
    """Yield when the events of a calendar keep Ada busy, until about a horizon."""
    for text in files:
        events: list[Any] = list(Calendar.from_ical(text).walk("VEVENT"))
        replaced = {
            _instant(one["RECURRENCE-ID"].dt, zone) for one in events if "RECURRENCE-ID" in one
        }
        for one in events:
            if _is_free(one):
                continue
            alone = "RECURRENCE-ID" in one
            for start, end in _occurrences(one, zone, horizon):
                if (alone or start not in replaced) and start < end:
                    yield start, end


def ranges(taken: Sequence[Span], window: Span, length: timedelta) -> list[Span]:
    """Return the runs of free quarters that are long enough."""
    found, begin = list[Span](), None
    at = window[0]
    while at <= window[1]:
        free = at < window[1] and not any(start < at + QUARTER and end > at for start, end in taken)
        if free and begin is None:
            begin = at
        if not free and begin is not None:
            if at - begin >= length:
                found.append((begin, at))
            begin = None
        at += QUARTER
    return found


def slots(taken: Sequence[Span], window: Span, length: timedelta, step: timedelta) -> list[Span]:
    """Return the slots on the window's grid that nothing overlaps."""
    found, at = list[Span](), window[0]
    while at + length <= window[1]:
        if not any(start < at + length and end > at for start, end in taken):
            found.append((at, at + length))
        at += step
    return found


def _is_free(event: Any) -> bool:  # noqa: ANN401 - a component
    if event.get("TRANSP") == "TRANSPARENT" or event.get("STATUS") == "CANCELLED":
        return True
    guests = event.get("ATTENDEE", [])
    listed = guests if isinstance(guests, list) else [guests]
    mine = [one for one in listed if str(one).lower() == ME]
    return bool(mine) and all(one.params.get("PARTSTAT") == "DECLINED" for one in mine)


def _instant(when: date, zone: str) -> datetime:
    if not isinstance(when, datetime):
        return datetime.combine(when, time(), ZoneInfo(zone)).astimezone(UTC)
    return (when if when.tzinfo else when.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def _occurrences(event: Any, zone: str, horizon: datetime) -> Iterator[Span]:  # noqa: ANN401 - a component
    first, last = event["DTSTART"].dt, event["DTEND"].dt
    start, end = _instant(first, zone), _instant(last, zone)
    if "RRULE" not in event:
        yield start, end
        return
    rule = event["RRULE"]
    until = rule.pop("UNTIL", [None])[0]
    excluded = set[datetime]()
    if "EXDATE" in event:
        named = event["EXDATE"]
        for line in named if isinstance(named, list) else [named]:
            excluded |= {_instant(one.dt, zone) for one in line.dts}
    dated = not isinstance(first, datetime)
    home: tzinfo = ZoneInfo(zone)
    if isinstance(first, datetime) and first.tzinfo:
        home = first.tzinfo
    wall = datetime.combine(first, time()) if dated else first.replace(tzinfo=None)
    for one in rrulestr(rule.to_ical().decode(), dtstart=wall):
        at = one.replace(tzinfo=home).astimezone(UTC)
        if at > horizon or (until is not None and at > _end_of(until, zone)):
            return
        if at in excluded:
            continue
        if dated:
            yield at, _instant(one.date() + (last - first), zone)
        else:
            yield at, at + (end - start)


def _end_of(until: date, zone: str) -> datetime:
    """Return UNTIL as an instant: a date is the last day."""
    if isinstance(until, datetime):
        return until.replace(tzinfo=UTC) if until.tzinfo is None else until.astimezone(UTC)
    return _instant(until, zone)
