"""A calendar object resource to the events inside (RFC 4791 §4.1, RFC 5545).

The unit of failure is one VEVENT (I10, F18): what cannot be read is told as a fault, the rest is
read. Nothing is fetched, nothing is dropped for its zone (P9).
"""

import re
from collections.abc import Iterator

from icalendar import Calendar, Component
from icalendar import Event as Vevent

from syncd.formats.ical_event import Reading, read_event, start_of
from syncd.formats.zones import Zones
from syncd.model.errors import MalformedReplyError
from syncd.model.event import Event
from syncd.model.ids import ResourceKey, short
from syncd.model.resource import Resource, slot

LARGEST = 25 * 2**20  # bytes; reliability.md, limits
MOST_COMPONENTS = 50_000
LONGEST_LINE = 2**20

# what a property of the wrong shape makes the library, or the reading of it, raise
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _block(name: str) -> re.Pattern[str]:
    edge = rf"^{{}}:{name}[ \t]*$"
    whole = edge.format("BEGIN") + ".*?" + edge.format("END") + r"\n?"
    return re.compile(whole, re.DOTALL | re.MULTILINE | re.IGNORECASE)


_VEVENT, _VTIMEZONE, _VALARM = _block("VEVENT"), _block("VTIMEZONE"), _block("VALARM")


def read_resource(
    key: ResourceKey, raw: bytes, *, etag: str = "", calendar_zone: str | None = None
) -> Resource:
    """Read one resource; floating times count in ``calendar_zone`` (IANA), without one in UTC.

    Raises MalformedReplyError if the body is no iCalendar object or beyond the limits.
    """
    text = _text(raw)
    components, faults = _parse(text)
    zones = Zones(_walk(components, "VTIMEZONE"), calendar_zone)
    vevents = [one for one in _walk(components, "VEVENT") if isinstance(one, Vevent)]
    events = list[Event]()
    slots = set[tuple[str, str]]()
    for reading in _readings(key, vevents, zones):
        try:
            event = read_event(reading)
        except UNREADABLE as error:
            faults.append(_fault(reading.vevent, error))
            continue
        place = (event.uid, slot(event))
        if place in slots or (events and event.uid != events[0].uid):
            faults.append(f"{_name(reading.vevent)}: the resource already has an event there")
            continue
        slots.add(place)
        events.append(event)
    return Resource(key=key, events=tuple(events), etag=etag, raw=raw, faults=tuple(faults))


def _text(raw: bytes) -> str:
    if len(raw) > LARGEST or raw.upper().count(b"BEGIN:") > MOST_COMPONENTS:
        raise MalformedReplyError("this calendar object is larger than any can be")
    text = raw.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    if max(map(len, text.split("\n"))) > LONGEST_LINE:
        raise MalformedReplyError("this calendar object has a line of more than 1 MiB")
    if "BEGIN:VCALENDAR" not in text.upper():
        raise MalformedReplyError("this is no iCalendar object: it has no BEGIN:VCALENDAR")
    return _CONTROL.sub("", text)


def _parse(text: str) -> tuple[list[Component], list[str]]:
    try:
        return list(Calendar.from_ical(text, multiple=True)), []
    except UNREADABLE:
        return _parse_singly(text)


def _parse_singly(text: str) -> tuple[list[Component], list[str]]:
    """Read each VEVENT by itself, at need without its alarms, so that one costs only itself."""
    zones = "".join(_VTIMEZONE.findall(text))
    found, faults = list[Component](), list[str]()
    for block in _VEVENT.findall(text):
        error: Exception = ValueError("it cannot be parsed")
        for tried in (zones + block, zones + _VALARM.sub("", block), block):
            try:
                found += Calendar.from_ical(
                    f"BEGIN:VCALENDAR\n{tried.strip()}\nEND:VCALENDAR\n", multiple=True
                )
                break
            except UNREADABLE as caught:
                error = caught
        else:
            faults.append(f"an event of this resource cannot be read: {_reason(error)}")
    if not found and not faults:
        raise MalformedReplyError("this iCalendar object cannot be parsed")
    return found, faults


def _walk(components: list[Component], name: str) -> list[Component]:
    return [one for component in components for one in component.walk(name)]


def _readings(key: ResourceKey, vevents: list[Vevent], zones: Zones) -> Iterator[Reading]:
    """Yield the series before its exceptions, which take the form of its start (D21)."""
    series = None
    for vevent in sorted(vevents, key=lambda one: "RECURRENCE-ID" in one):
        uid = str(vevent.get("UID") or "").strip() or short(key)
        if "RECURRENCE-ID" not in vevent and series is None:
            try:
                series = start_of(vevent, zones)
            except UNREADABLE:
                series = None
        yield Reading(vevent, zones, uid, series)


def _fault(vevent: Vevent, error: Exception) -> str:
    return f"{_name(vevent)}: {_reason(error)}"


def _name(vevent: Vevent) -> str:
    uid = str(vevent.get("UID") or "without UID")[:200]
    original = vevent.get("RECURRENCE-ID")
    if original is None:
        return f"event {uid}"
    try:
        return f"event {uid}, occurrence {original.to_ical().decode()}"
    except UNREADABLE:
        return f"event {uid}, an occurrence"


def _reason(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0][:300] or type(error).__name__
