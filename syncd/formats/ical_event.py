"""One VEVENT to the unified event (providers.md, "What iCalendar becomes")."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from icalendar import Event as Vevent
from icalendar.prop import vRecur

from syncd.formats.alarms import reminders
from syncd.formats.zones import Place, Zones
from syncd.model.event import (
    Answer,
    CustomProperty,
    Event,
    File,
    Person,
    Status,
    Visibility,
)
from syncd.model.when import When, is_date

CUSTOM = "X-SYNCD-PROPERTY"

_ANSWERS = {
    "ACCEPTED": Answer.ACCEPTED,
    "TENTATIVE": Answer.TENTATIVE,
    "DECLINED": Answer.DECLINED,
    "DELEGATED": Answer.DECLINED,
}
_VISIBILITIES = {
    "": Visibility.DEFAULT,
    "PUBLIC": Visibility.PUBLIC,
    "CONFIDENTIAL": Visibility.CONFIDENTIAL,
}
_STATUSES = {"TENTATIVE": Status.TENTATIVE, "CANCELLED": Status.CANCELLED}


@dataclass(frozen=True, slots=True)
class Reading:
    """One VEVENT and what is needed to understand it; ``series`` is the start of its series."""

    vevent: Vevent
    zones: Zones
    uid: str
    series: tuple[When, Place | None] | None = None


def start_of(vevent: Vevent, zones: Zones) -> tuple[When, Place | None]:
    """Return DTSTART; raises ValueError without one."""
    found = _time(vevent, "DTSTART", zones)
    if found is None:
        raise ValueError("it has no DTSTART")
    return found


def read_event(reading: Reading) -> Event:
    """Return the event; raises ValueError with the reason if it cannot be one (F21)."""
    vevent, zones = reading.vevent, reading.zones
    start, place = start_of(vevent, zones)
    end, end_place = _end(vevent, zones, start, place)
    original, original_place = _original(reading)
    name = _text(vevent, "SUMMARY")
    return Event(
        uid=reading.uid,
        start=start,
        end=end,
        start_zone=place.name if place else None,
        end_zone=end_place.name if end_place else None,
        name=name,
        description=_text(vevent, "DESCRIPTION"),
        location=_text(vevent, "LOCATION"),
        created=_stamp(vevent, "CREATED"),
        modified=_stamp(vevent, "LAST-MODIFIED"),
        organizer=next((_person(one) for one in _all(vevent, "ORGANIZER")), None),
        attendees=tuple(_attendee(one) for one in _all(vevent, "ATTENDEE")),
        attachments=tuple(_files(vevent)),
        reminders=reminders(
            vevent.walk("VALARM"), start=start, end=end, zone=zones.floating.zone, name=name
        ),
        recurrence=() if original is not None else tuple(_recurrence(vevent, zones)),
        original_start=original,
        original_start_zone=original_place.name if original_place else None,
        custom_properties=tuple(_custom(vevent)),
        visibility=_VISIBILITIES.get(_word(vevent, "CLASS"), Visibility.PRIVATE),
        transparent=_word(vevent, "TRANSP") == "TRANSPARENT",
        status=_STATUSES.get(_word(vevent, "STATUS"), Status.CONFIRMED),
        color=_text(vevent, "COLOR"),
    )


def _all(vevent: Vevent, name: str) -> list[Any]:
    found = vevent.get(name)
    if found is None:
        return []
    return list(found) if isinstance(found, list) else [found]


def _first(vevent: Vevent, name: str) -> Any:  # noqa: ANN401 - a property of any type
    return next(iter(_all(vevent, name)), None)


def _text(vevent: Vevent, name: str) -> str | None:
    found = _first(vevent, name)
    return None if found is None else str(found)


def _word(vevent: Vevent, name: str) -> str:
    return (_text(vevent, name) or "").strip().upper()


def _time(vevent: Vevent, name: str, zones: Zones) -> tuple[When, Place | None] | None:
    found = _first(vevent, name)
    if found is None:
        return None
    value = found.dt
    if not isinstance(value, date):
        raise ValueError(f"its {name} is not a time")  # noqa: TRY004 - bad content, no bad type
    return zones.read(value, found.params.get("TZID"))


def _stamp(vevent: Vevent, name: str) -> datetime | None:
    value = getattr(_first(vevent, name), "dt", None)
    if not isinstance(value, datetime):
        return None
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def _end(
    vevent: Vevent, zones: Zones, start: When, place: Place | None
) -> tuple[When, Place | None]:
    found = _time(vevent, "DTEND", zones)
    if found is None:
        return _after(vevent, start, place), place
    end, end_place = found
    if is_date(end) != is_date(start):
        raise ValueError("DTSTART and DTEND are not of one kind")
    if end < start:
        raise ValueError("it ends before it starts")
    if is_date(start) and end == start:
        end = end + timedelta(days=1)  # written by clients that count both days
    return end, end_place


def _after(vevent: Vevent, start: When, place: Place | None) -> When:
    length = getattr(_first(vevent, "DURATION"), "dt", None)
    if not isinstance(length, timedelta):
        return start if isinstance(start, datetime) else start + timedelta(days=1)
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


def _person(address: Any) -> Person:  # noqa: ANN401 - vCalAddress, or text of a broken line
    text = str(address)
    params = getattr(address, "params", {})
    mail = text[7:] if text[:7].lower() == "mailto:" else str(params.get("EMAIL", text))
    return Person(email=mail.strip(), name=str(params["CN"]) if params.get("CN") else None)


def _attendee(address: Any) -> Person:  # noqa: ANN401 - as above
    params = getattr(address, "params", {})
    person = _person(address)
    return Person(
        email=person.email,
        name=person.name,
        required=str(params.get("ROLE", "REQ-PARTICIPANT")).upper() in ("REQ-PARTICIPANT", "CHAIR"),
        resource=str(params.get("CUTYPE", "")).upper() in ("ROOM", "RESOURCE"),
        answer=_ANSWERS.get(str(params.get("PARTSTAT", "")).upper(), Answer.PENDING),
    )


def _files(vevent: Vevent) -> Iterator[File]:
    for found in _all(vevent, "ATTACH"):
        params = getattr(found, "params", {})
        if str(params.get("VALUE", "URI")).upper() != "URI" or "ENCODING" in params:
            continue  # bytes inside: ``raw`` has them
        name = params.get("FILENAME") or params.get("X-FILENAME")
        kind = params.get("FMTTYPE")
        yield File(
            url=str(found), name=str(name) if name else None, mime_type=str(kind) if kind else None
        )


def _custom(vevent: Vevent) -> Iterator[CustomProperty]:
    seen = set[str]()
    for found in _all(vevent, CUSTOM):
        params = getattr(found, "params", {})
        key = str(params.get("X-KEY", ""))
        if key and key not in seen:
            seen.add(key)
            private = str(params.get("X-PRIVATE", "TRUE")).upper() != "FALSE"
            yield CustomProperty(key=key, value=_unescaped(str(found)), private=private)


def _unescaped(text: str) -> str:
    """Return TEXT as it was meant (RFC 5545 §3.3.11); of X- properties the library keeps it raw."""
    return re.sub(r"\\([\\;,nN])", lambda found: "\n" if found[1] in "nN" else found[1], text)


def _recurrence(vevent: Vevent, zones: Zones) -> Iterator[str]:
    for name in ("RRULE", "EXRULE"):
        for rule in _all(vevent, name):
            if not isinstance(rule, vRecur):
                raise ValueError(f"its {name} cannot be read")  # noqa: TRY004 - bad content
            yield f"{name}:{rule.to_ical().decode()}"  # type: ignore[no-untyped-call]
    for name in ("RDATE", "EXDATE"):
        yield from _dates(name, _all(vevent, name), zones)


def _dates(name: str, lists: Iterable[Any], zones: Zones) -> Iterator[str]:
    """Write dates as one line a zone, sorted, zones by names that everyone knows."""
    lines = dict[str, set[str]]()
    for found in lists:
        for one in found.dts:
            head, value = _date(one, one.params.get("TZID") or found.params.get("TZID"), zones)
            lines.setdefault(head, set()).add(value)
    for head, values in sorted(lines.items()):
        yield f"{name}{head}:{','.join(sorted(values))}"


def _date(one: Any, tzid: str | None, zones: Zones) -> tuple[str, str]:  # noqa: ANN401
    value = one.dt[0] if isinstance(one.dt, tuple) else one.dt  # of a PERIOD the start counts
    when, place = zones.read(value, tzid)
    if not isinstance(when, datetime):
        return ";VALUE=DATE", when.strftime("%Y%m%d")
    if place is None or place.name in (None, "UTC"):
        return "", when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    return f";TZID={place.name}", when.strftime("%Y%m%dT%H%M%S")
