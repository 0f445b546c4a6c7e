"""The unified event as a JSON object, and the hash that decides what changed (I6, P6)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any

from syncd.model.event import (
    Answer,
    CustomProperty,
    Email,
    Event,
    File,
    Geo,
    Person,
    Reminder,
    Status,
    Visibility,
)
from syncd.model.ids import CalendarId, EventId, ProfileId
from syncd.model.when import When, read_when, rfc3339, utc

Json = dict[str, Any]

_UNORDERED = ("attendees", "custom_properties")
_NOT_CONTENT = frozenset({"id", "account_id", "calendar_id", "modified", "recurring_master_id"})
_UNTOLD = frozenset({"modified"})  # a change of these is no entry of ``changes`` (K42)


def event_document(
    event: Event,
    *,
    event_id: EventId,
    profile: ProfileId,
    calendar: CalendarId,
    series: EventId | None,
) -> Json:
    """Return api.md's event object without ``href`` and ``raw``; ``series`` of an exception."""
    document: Json = {
        "id": event_id,
        "account_id": str(profile),
        "ical_uid": event.uid,
        "calendar_id": calendar,
        "name": event.name,
        "description": event.description,
        "location": event.location,
        "created": None if event.created is None else utc(event.created),
        "modified": None if event.modified is None else utc(event.modified),
        "all_day": event.all_day,
        "start": rfc3339(event.start),
        "start_time_zone": event.start_zone,
        "end": rfc3339(event.end),
        "end_time_zone": event.end_zone,
        "organizer": _person(event.organizer),
        "creator": _person(event.creator),
        "attendees": [_attendee(person) for person in event.attendees],
        "attachments": [
            {"id": file.id, "name": file.name, "url": file.url, "mime_type": file.mime_type}
            for file in event.attachments
        ],
        "reminder": event.reminder,
        "reminders": [_reminder(one) for one in event.reminders],
        "recurrence": [{"rrule": line} for line in event.recurrence],
        "recurrence_type": _recurrence_type(event),
        "custom_properties": [
            {"key": pair.key, "value": pair.value, "private": pair.private}
            for pair in event.custom_properties
        ],
        "visibility": event.visibility,
        "transparent": event.transparent,
        "status": "cancelled" if event.status is Status.CANCELLED else "confirmed",
        "tentative": event.status is Status.TENTATIVE,
        "color": event.color,
        "type": "event",
        "api": "calendar",
    }
    if event.use_default_reminder is not None:
        document["use_default_reminder"] = event.use_default_reminder
    if event.geo is not None:
        document["geo"] = {"lat": event.geo.lat, "long": event.geo.long}
    if event.original_start is not None:
        document["original_start"] = rfc3339(event.original_start)
        document["original_start_time_zone"] = event.original_start_zone
        document["recurring_master_id"] = series
    return document


def event_of(document: Mapping[str, Any]) -> Event:
    """Return the event that ``event_document`` wrote down; times have offsets, not zones."""
    status = Status(document["status"])
    return Event(
        uid=document["ical_uid"],
        start=read_when(document["start"]),
        end=read_when(document["end"]),
        start_zone=document["start_time_zone"],
        end_zone=document["end_time_zone"],
        name=document["name"],
        description=document["description"],
        location=document["location"],
        geo=Geo(**document["geo"]) if "geo" in document else None,
        created=_instant_of(document["created"]),
        modified=_instant_of(document["modified"]),
        organizer=_person_of(document["organizer"]),
        creator=_person_of(document["creator"]),
        attendees=tuple(_some_person(one) for one in document["attendees"]),
        attachments=tuple(File(**one) for one in document["attachments"]),
        reminder=document["reminder"],
        reminders=tuple(_reminder_of(one) for one in document["reminders"]),
        use_default_reminder=document.get("use_default_reminder"),
        recurrence=tuple(line["rrule"] for line in document["recurrence"]),
        original_start=_when_of(document.get("original_start")),
        original_start_zone=document.get("original_start_time_zone"),
        custom_properties=tuple(CustomProperty(**one) for one in document["custom_properties"]),
        visibility=None if document["visibility"] is None else Visibility(document["visibility"]),
        transparent=document["transparent"],
        status=Status.TENTATIVE if document["tentative"] else status,
        color=document["color"],
    )


def content_hash(document: Json, encode: Callable[[Any], bytes]) -> bytes:
    """Return the hash of what users can see of an object: ids, stamps and list order aside.

    ``encode`` writes JSON, alike for what is alike; members are hashed in their documents' order.
    """
    content = document.copy()
    for key in _NOT_CONTENT:
        content.pop(key, None)
    for key in _UNORDERED:
        if len(content.get(key, ())) > 1:
            content[key] = sorted(content[key], key=encode)
    return blake2b(encode(content), digest_size=16).digest()


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
    """Return K42's ``changes``: per field old and new value, lists whole."""
    names = [name for name in {**new, **old} if name not in _UNTOLD]
    return {
        name: {"old": old.get(name), "new": new.get(name)}
        for name in names
        if old.get(name) != new.get(name)
    }


def _recurrence_type(event: Event) -> str:
    if event.original_start is not None:
        return "recurring"
    return "recurring_master" if event.recurrence else "solo"


def _person(person: Person | None) -> Json | None:
    return None if person is None else _shape(person)


def _shape(person: Person) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "required": person.required,
        "resource": person.resource,
    }


def _attendee(person: Person) -> Json:
    shape = _shape(person)
    if person.answer is not None:
        shape["status"] = person.answer
    return shape


def _reminder(reminder: Reminder) -> Json:
    shape: Json = {"minutes": reminder.minutes, "method": reminder.method}
    if reminder.popup is not None:
        shape["popup"] = reminder.popup
    if reminder.email is not None:
        shape["email"] = _email(reminder.email)
    return shape


def _email(email: Email) -> Json:
    return {"summary": email.summary, "description": email.description, "to": list(email.to)}


def _instant_of(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _when_of(text: str | None) -> When | None:
    return None if text is None else read_when(text)


def _person_of(shape: Mapping[str, Any] | None) -> Person | None:
    return None if shape is None else _some_person(shape)


def _some_person(shape: Mapping[str, Any]) -> Person:
    answer = shape.get("status")
    return Person(
        email=shape["email"],
        name=shape["name"],
        id=shape["id"],
        required=shape["required"],
        resource=shape["resource"],
        answer=None if answer is None else Answer(answer),
    )


def _reminder_of(shape: Mapping[str, Any]) -> Reminder:
    email = shape.get("email")
    return Reminder(
        minutes=shape["minutes"],
        popup=shape.get("popup"),
        email=None
        if email is None
        else Email(
            summary=email["summary"], description=email["description"], to=tuple(email["to"])
        ),
    )
