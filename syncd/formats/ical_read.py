"""A calendar object resource to the events inside (RFC 4791 §4.1, RFC 5545).

The unit of failure is one VEVENT (I10, F18): what cannot be read is told as a fault, the rest is
read. Nothing is fetched, nothing is dropped for its zone (P9).
"""

from collections.abc import Iterator

from syncd.formats.ical_event import Reading, read_event, start_of
from syncd.formats.lines import Component, components
from syncd.formats.zones import Zones
from syncd.model.errors import MalformedReplyError
from syncd.model.event import Event
from syncd.model.ids import ResourceKey, short
from syncd.model.resource import Resource, slot

UNREADABLE = (ValueError, OverflowError)  # a value that is none, or beyond the years 1 to 9999


def read_resource(
    key: ResourceKey, raw: bytes, *, etag: str = "", calendar_zone: str | None = None
) -> Resource:
    """Read one resource; floating times count in ``calendar_zone`` (IANA), without one in UTC.

    Raises MalformedReplyError if the body is no iCalendar object or beyond the limits.
    """
    calendars = [one for one in components(raw) if one.name == "VCALENDAR"]
    if not calendars:
        raise MalformedReplyError("this is no iCalendar object: it has no BEGIN:VCALENDAR")
    zones = Zones(_inside(calendars, "VTIMEZONE"), calendar_zone)
    events: list[Event] = []
    faults = [] if all(one.closed for one in calendars) else ["the object has no END:VCALENDAR"]
    for _, found in read_vevents(key, _inside(calendars, "VEVENT"), zones):
        if isinstance(found, str):
            faults.append(found)
        else:
            events.append(found)
    return Resource(key=key, events=tuple(events), etag=etag, raw=raw, faults=tuple(faults))


def read_vevents(
    key: ResourceKey, vevents: list[Component], zones: Zones
) -> Iterator[tuple[Component, Event | str]]:
    """Yield each VEVENT with its event, or with why it is none; the series comes first."""
    slots: set[str] = set()
    uid = None
    for reading in _readings(key, vevents, zones):
        try:
            event = read_event(reading)
            at = slot(event)
        except UNREADABLE as error:
            yield reading.vevent, f"{_name(reading.vevent)}: {error}"
            continue
        if at in slots or uid not in (None, event.uid):
            yield (
                reading.vevent,
                f"{_name(reading.vevent)}: the resource already has an event there",
            )
            continue
        uid = event.uid
        slots.add(at)
        yield reading.vevent, event


def _inside(calendars: list[Component], name: str) -> list[Component]:
    return [one for calendar in calendars for one in calendar.inside(name)]


def _readings(key: ResourceKey, vevents: list[Component], zones: Zones) -> Iterator[Reading]:
    """Yield the series before its exceptions, which take the form of its start (D21)."""
    series = None
    for vevent in sorted(vevents, key=lambda one: "RECURRENCE-ID" in one.lines):
        uid = (vevent.text("UID") or "").strip() or short(key)
        if "RECURRENCE-ID" not in vevent.lines and series is None:
            try:
                series = start_of(vevent, zones)
            except UNREADABLE:
                series = None
        yield Reading(vevent, zones, uid, series)


def _name(vevent: Component) -> str:
    uid = (vevent.text("UID") or "without UID").strip()[:200]
    original = vevent.first("RECURRENCE-ID")
    return f"event {uid}" + ("" if original is None else f", occurrence {original.word[:20]}")
