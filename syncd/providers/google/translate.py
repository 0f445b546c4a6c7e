"""Google's events and calendars to ours (providers.md §9)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any

from syncd.formats.zones import iana
from syncd.model.calendar import Calendar
from syncd.model.event import (
    Answer,
    CustomProperty,
    Email,
    Event,
    File,
    Person,
    Reminder,
    Status,
    Visibility,
)
from syncd.model.ids import CalendarKey
from syncd.model.when import When
from syncd.providers.google.client import Json

BROKEN = (KeyError, ValueError, TypeError, AttributeError, OverflowError)  # of a wrong shape
NO_TEXT = Email(summary="", description="", to=())  # Google words the mail itself
_ANSWERS = {
    "accepted": Answer.ACCEPTED,
    "declined": Answer.DECLINED,
    "tentative": Answer.TENTATIVE,
    "needsAction": Answer.PENDING,
}
_WRITABLE = frozenset({"owner", "writer"})


def calendar_of(entry: Json) -> Calendar:
    """Return an entry of the calendar list."""
    color = entry.get("backgroundColor")
    return Calendar(
        key=CalendarKey(entry["id"]),
        name=entry.get("summaryOverride") or entry.get("summary") or "",
        description=entry.get("description"),
        location=entry.get("location"),
        timezone=entry.get("timeZone"),
        color=color.upper() if isinstance(color, str) else None,
        primary=entry.get("primary") is True,
        read_only=entry.get("accessRole") not in _WRITABLE,
    )


def event_of(item: Json, calendar_zone: str | None, palette: Mapping[str, str]) -> Event:
    """Return one event; raises one of ``BROKEN``. ``palette`` holds colours by ``colorId``."""
    start, start_zone = when_of(item["start"], calendar_zone)
    end, end_zone = when_of(item.get("end") or item["start"], calendar_zone)
    original, original_zone = None, None
    if "recurringEventId" in item:
        original, original_zone = when_of(item["originalStartTime"], calendar_zone)
    reminders = item.get("reminders") or {}
    default = reminders.get("useDefault") is True
    visibility, properties = item.get("visibility"), item.get("extendedProperties")
    return Event(
        uid=item.get("iCalUID") or item["id"],
        start=start,
        end=end,
        start_zone=start_zone,
        end_zone=end_zone,
        name=item.get("summary"),
        description=item.get("description"),
        location=item.get("location"),
        created=_instant(item.get("created")),
        modified=_instant(item.get("updated")),
        organizer=_person(item.get("organizer")),
        creator=_person(item.get("creator")),
        attendees=tuple(map(_attendee, item.get("attendees") or ())),
        attachments=tuple(map(_file, item.get("attachments") or ())),
        reminders=() if default else tuple(map(_reminder, reminders.get("overrides") or ())),
        use_default_reminder=default,
        recurrence=tuple(item.get("recurrence") or ()) if original is None else (),
        original_start=original,
        original_start_zone=original_zone,
        custom_properties=tuple(_properties(properties)) if properties else (),
        visibility=Visibility(visibility) if visibility else Visibility.DEFAULT,
        transparent=item.get("transparency") == "transparent",
        status=Status.TENTATIVE if item.get("status") == "tentative" else Status.CONFIRMED,
        color=palette.get(item.get("colorId", "")),
    )


def when_of(told: Json, calendar_zone: str | None) -> tuple[When, str | None]:
    """Return a date, or a time in its zone, else in the calendar's; and the zone's name (P9)."""
    if told.get("date"):
        return date.fromisoformat(told["date"]), None
    at = datetime.fromisoformat(told["dateTime"])
    zone = _zone(told.get("timeZone")) or _zone(calendar_zone)
    place: tzinfo = zone or UTC
    aware = at.replace(tzinfo=place) if at.tzinfo is None else at.astimezone(place)
    return aware, zone.key if zone else "UTC"


def excluded_line(start: When, series: Event) -> str:
    """Return the EXDATE line of a start that the series does without, in the series' zone (P8)."""
    if not isinstance(start, datetime):
        return f"EXDATE;VALUE=DATE:{start:%Y%m%d}"
    if series.start_zone in (None, "UTC"):
        return f"EXDATE:{start.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    wall = start.astimezone(series.start.tzinfo if isinstance(series.start, datetime) else UTC)
    return f"EXDATE;TZID={series.start_zone}:{wall:%Y%m%dT%H%M%S}"


def _zone(name: str | None) -> Any:  # noqa: ANN401 - ZoneInfo has no key that cannot be None
    return iana(name) if name else None


def _instant(text: str | None) -> datetime | None:
    """Return a stamp, None where there is none (or the ``0000-12-31`` of imported events)."""
    try:
        return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _person(told: Json | None) -> Person | None:
    if not told or not told.get("email"):
        return None
    return _known(told["email"], told.get("displayName"), told.get("id"))


@lru_cache(maxsize=1024)  # of most events it is the calendar's own person
def _known(email: str, name: str | None, identity: str | None) -> Person:
    return Person(email=email, name=name, id=identity)


def _attendee(told: Json) -> Person:
    return _invited(
        told.get("email", ""),
        told.get("displayName"),
        told.get("id"),
        told.get("optional") is not True,
        told.get("resource") is True,
        told.get("responseStatus", ""),
    )


@lru_cache(maxsize=4096)  # the same few meet again and again
def _invited(  # noqa: PLR0913, PLR0917 - the members of a person
    email: str,
    name: str | None,
    identity: str | None,
    required: bool,  # noqa: FBT001
    resource: bool,  # noqa: FBT001
    answer: str,
) -> Person:
    return Person(
        email=email,
        name=name,
        id=identity,
        required=required,
        resource=resource,
        answer=_ANSWERS.get(answer, Answer.PENDING),
    )


def _file(told: Json) -> File:
    return File(
        url=told.get("fileUrl", ""),
        id=told.get("fileId") or None,
        name=told.get("title"),
        mime_type=told.get("mimeType"),
    )


def _reminder(told: Json) -> Reminder:
    email = NO_TEXT if told.get("method") == "email" else None
    return Reminder(minutes=int(told["minutes"]), email=email)


def _properties(told: Json) -> Iterator[CustomProperty]:
    for store, private in (("private", True), ("shared", False)):
        for key, value in (told.get(store) or {}).items():
            yield CustomProperty(key=key, value=str(value), private=private)
