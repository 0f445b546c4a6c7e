"""One VEVENT to the unified event (providers.md, "Mapping to the unified event")."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from syncd.formats.alarms import reminders
from syncd.formats.lines import Component, Line, unescaped
from syncd.formats.people import attendee, organizer
from syncd.formats.rule import check
from syncd.formats.stamps import duration, stamp, values
from syncd.formats.zones import Place, Zones
from syncd.model.event import CustomProperty, Event, File, Geo, Status, Visibility
from syncd.model.when import When, is_date, moment

CUSTOM = "X-SYNCD-PROPERTY"

_VISIBILITIES = {
    "": Visibility.DEFAULT,
    "PUBLIC": Visibility.PUBLIC,
    "CONFIDENTIAL": Visibility.CONFIDENTIAL,
}
_STATUSES = {"TENTATIVE": Status.TENTATIVE, "CANCELLED": Status.CANCELLED}


@dataclass(frozen=True, slots=True)
class Reading:
    """One VEVENT and what is needed to understand it; ``series`` is the start of its series."""

    vevent: Component
    zones: Zones
    uid: str
    series: tuple[When, Place | None] | None = None


def start_of(vevent: Component, zones: Zones) -> tuple[When, Place | None]:
    """Return DTSTART; raises ValueError without one."""
    found = _time(vevent, "DTSTART", zones)
    if found is None:
        raise ValueError("it has no DTSTART")
    return found


def read_event(reading: Reading) -> Event:
    """Return the event; raises ValueError or OverflowError if it cannot be one (F21)."""
    vevent, zones = reading.vevent, reading.zones
    if not vevent.closed:
        raise ValueError("it has no END:VEVENT")
    start, place = start_of(vevent, zones)
    end, end_place = _end(vevent, zones, start, place)
    original, original_place = _original(reading)
    name = vevent.text("SUMMARY")
    alarms = vevent.inside("VALARM")
    return Event(
        uid=reading.uid,
        start=start,
        end=end,
        start_zone=place.name if place else None,
        end_zone=end_place.name if end_place else None,
        name=name,
        description=vevent.text("DESCRIPTION"),
        location=vevent.text("LOCATION"),
        geo=geo(vevent.first("GEO")),
        created=_instant(vevent, "CREATED"),
        modified=_instant(vevent, "LAST-MODIFIED"),
        organizer=next(map(organizer, vevent.all("ORGANIZER")), None),
        attendees=tuple(map(attendee, vevent.all("ATTENDEE"))),
        attachments=tuple(_files(vevent)),
        reminders=reminders(alarms, start=start, end=end, zone=zones.floating.zone, name=name),
        recurrence=() if original is not None else _recurrence(vevent, zones, place),
        original_start=original,
        original_start_zone=original_place.name if original_place else None,
        custom_properties=tuple(_custom(vevent)),
        visibility=_VISIBILITIES.get(_word(vevent, "CLASS"), Visibility.PRIVATE),
        transparent=_word(vevent, "TRANSP") == "TRANSPARENT",
        status=_STATUSES.get(_word(vevent, "STATUS"), Status.CONFIRMED),
        color=vevent.text("COLOR"),
    )


def geo(line: Line | None) -> Geo | None:
    """Return the place that a GEO names; None for one that is nowhere."""
    if line is None:
        return None
    lat, _, long = line.text.partition(";")  # some escape the semicolon
    try:
        return Geo(lat=float(lat), long=float(long))
    except ValueError:
        return None


def _word(vevent: Component, name: str) -> str:
    found = vevent.first(name)
    return "" if found is None else found.word


def _time(vevent: Component, name: str, zones: Zones) -> tuple[When, Place | None] | None:
    found = vevent.first(name)
    if found is None:
        return None
    try:
        value = stamp(found.value)
    except ValueError:
        raise ValueError(f"its {name} is not a time") from None
    return zones.read(value, found.parameters.get("TZID") if found.head else None)


def _instant(vevent: Component, name: str) -> datetime | None:
    found = vevent.first(name)
    try:
        at = stamp(found.value) if found else None
    except ValueError:
        return None
    if not isinstance(at, datetime):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _end(
    vevent: Component, zones: Zones, start: When, place: Place | None
) -> tuple[When, Place | None]:
    found = _time(vevent, "DTEND", zones)
    if found is None:
        return _after(vevent, start, place), place
    end, end_place = found
    if is_date(end) != is_date(start):
        raise ValueError("DTSTART and DTEND are not of one kind")
    if moment(end) < moment(start):
        raise ValueError("it ends before it starts")
    if is_date(start) and end == start:
        end = end + timedelta(days=1)  # written by clients that count both days
    return end, end_place


def _after(vevent: Component, start: When, place: Place | None) -> When:
    found = vevent.first("DURATION")
    if found is None:
        return start if isinstance(start, datetime) else start + timedelta(days=1)
    length = duration(found.value)
    if length < timedelta():
        raise ValueError("its DURATION is negative")
    if not isinstance(start, datetime) or place is None:
        return start + max(timedelta(days=length.days), timedelta(days=1))
    # RFC 5545 §3.3.6: days are nominal, the rest is exact
    later = place.at(start.replace(tzinfo=None) + timedelta(days=length.days))
    exact = later.astimezone(UTC) + (length - timedelta(days=length.days))
    return exact.astimezone(later.tzinfo)


def _original(reading: Reading) -> tuple[When | None, Place | None]:
    found = _time(reading.vevent, "RECURRENCE-ID", reading.zones)
    if found is None:
        return None, None
    return found if reading.series is None else _like(found, *reading.series)


def _like(
    found: tuple[When, Place | None], start: When, start_place: Place | None
) -> tuple[When, Place | None]:
    """Return an original start in the form of its series' start: zone, or date (D21)."""
    original, _ = found
    if isinstance(original, datetime):
        if not isinstance(start, datetime):
            return original.date(), None
        if start_place is not None and start_place.name is not None:
            return original.astimezone(start_place.zone), start_place
    elif isinstance(start, datetime) and start_place is not None:
        wall = datetime.combine(original, start.replace(tzinfo=None).time())
        return start_place.at(wall), start_place
    return found


def _files(vevent: Component) -> Iterator[File]:
    for line in vevent.all("ATTACH"):
        given = line.parameters
        if given.get("VALUE", "URI").upper() != "URI" or "ENCODING" in given:
            continue  # bytes inside: ``raw`` has them
        name = given.get("FILENAME") or given.get("X-FILENAME")
        yield File(url=line.value.strip(), name=name, mime_type=given.get("FMTTYPE") or None)


def _custom(vevent: Component) -> Iterator[CustomProperty]:
    seen: set[str] = set()
    for line in vevent.all(CUSTOM):
        given = line.parameters
        key = given.get("X-KEY", "")
        if key and key not in seen:
            seen.add(key)
            private = given.get("X-PRIVATE", "TRUE").upper() != "FALSE"
            yield CustomProperty(key=key, value=unescaped(line.value), private=private)


def _recurrence(vevent: Component, zones: Zones, place: Place | None) -> tuple[str, ...]:
    """Return the lines as they were written, but for zone names that only this object knows."""
    lines: list[str] = []
    for name in ("RRULE", "RDATE", "EXDATE", "EXRULE"):
        if name == "EXDATE" and not lines:
            return ()  # these alone exclude from nothing
        told = (recurrence_line(line, zones, place) for line in vevent.all(name))
        lines += [line for line in told if line is not None]
    return tuple(lines)


def recurrence_line(line: Line, zones: Zones, place: Place | None) -> str | None:
    """Return what one line of a series says; None if it is empty."""
    if not line.value.strip():
        return None  # some write every property, used or not
    if line.name.endswith("RULE"):
        check(f"{line.name}:{line.value}")
        return f"{line.name}:{line.value.strip()}"
    return _dates(line, zones, place)


def _dates(line: Line, zones: Zones, place: Place | None) -> str:
    stamps = [stamp(one) for one in values(line.value)]
    tzid = line.parameters.get("TZID") if line.head else None
    there = place if tzid is None else zones.place(tzid)
    plain = all(not isinstance(one, datetime) or one.tzinfo for one in stamps)
    if plain or there is None or (there.name is not None and tzid in (None, there.name)):
        return f"{line.name}{line.head}:{line.value.strip()}"
    head = f";TZID={there.name}" if there.name is not None else ""
    return f"{line.name}{head}:" + ",".join(_anew(one, there) for one in stamps)


def _anew(one: date | datetime, there: Place) -> str:
    """Write a time for readers who know no zone but by its IANA name."""
    if not isinstance(one, datetime):
        return f"{one:%Y%m%d}"
    if one.tzinfo is None and there.name is not None:
        return f"{one:%Y%m%dT%H%M%S}"
    at = one if one.tzinfo else there.at(one)
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
