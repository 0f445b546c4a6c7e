"""An event as Cronofy shows it, made from the unified one (api.md C7, C8)."""

from datetime import UTC, date, datetime
from typing import Any

import orjson

from syncd.api.cronofy.asking import Place
from syncd.api.cronofy.objects import UTC_ZONE
from syncd.api.cronofy.pages import Asked
from syncd.api.parts import Json
from syncd.engine.agenda import AgendaEvent
from syncd.model.event import Answer
from syncd.model.own import is_own, own_addresses
from syncd.model.when import in_utc, rfc3339

_ANSWERS: dict[str | None, str] = {
    Answer.ACCEPTED: "accepted",
    Answer.DECLINED: "declined",
    Answer.TENTATIVE: "tentative",
    Answer.PENDING: "needs_action",
}
_UNKNOWN = "unknown"


def event_object(place: Place, one: AgendaEvent, asked: Asked) -> Json:
    """Return C7's object."""
    document = orjson.loads(one.event.document)
    writable = not (place.deleted or one.deleted or place.calendar.calendar.read_only)
    own = _own_answer(place, document)
    told: Json = {
        "calendar_id": one.event.calendar_id,
        "event_uid": one.event.id,
        "summary": document["name"] or "",
        "description": document["description"] or "",
        "start": _time(document, "start", asked),
        "end": _time(document, "end", asked),
        "deleted": one.deleted,
        "created": document["created"],
        "updated": document["modified"],
        "participation_status": _participation(place, document, own),
        "attendees": [_attendee(person) for person in document["attendees"]],
        "organizer": _person(document["organizer"]),
        "transparency": "transparent" if document["transparent"] else "opaque",
        "status": _status(document),
        "categories": [],
        "recurring": document["recurrence_type"] != "solo",
        "event_private": document["visibility"] in {"private", "confidential"},
        "options": {
            "delete": writable,
            "update": writable,
            "change_participation_status": writable and own is not None,
        },
    }
    location = _location(document, asked)
    if location:
        told["location"] = location
    if one.own_id is not None:
        told["event_id"] = one.own_id
    return told


def busy_object(place: Place, one: AgendaEvent, asked: Asked) -> Json | None:
    """Return C8's object; None for what takes no time at all: a cancelled event."""
    document = orjson.loads(one.event.document)
    own = _own_answer(place, document)
    if document["status"] == "cancelled":
        return None
    if document["transparent"] or own == "declined":
        status = "free"
    elif document.get("tentative") or own == "tentative":
        status = "tentative"
    else:
        status = "busy"
    return {
        "calendar_id": one.event.calendar_id,
        "start": _time(document, "start", asked),
        "end": _time(document, "end", asked),
        "free_busy_status": status,
    }


def _time(document: Json, name: str, asked: Asked) -> str | Json:
    """Return a date, or an instant in UTC; localized with the zone that it is written in."""
    text = document[name]
    when = date.fromisoformat(text) if document["all_day"] else datetime.fromisoformat(text)
    if not isinstance(when, datetime):
        return {"time": text, "tzid": asked.tzid} if asked.localized else text
    if not asked.localized:
        return rfc3339(in_utc(when))
    zone = document[f"{name}_time_zone"]
    if zone is not None:
        return {"time": text, "tzid": zone}
    return {"time": rfc3339(when.astimezone(UTC)), "tzid": UTC_ZONE}


def _location(document: Json, asked: Asked) -> Json:
    """Return what is known of the place; its coordinates are text, and only if asked for."""
    told: Json = {}
    if document["location"] is not None:
        told["description"] = document["location"]
    if asked.geo and "geo" in document:
        told |= {name: f"{value:.6f}" for name, value in document["geo"].items()}
    return told


def _status(document: Json) -> str:
    if document["status"] == "cancelled":
        return "cancelled"
    return "tentative" if document.get("tentative") else "confirmed"


def _own_answer(place: Place, document: Json) -> str | None:
    """Return what the profile itself answered, None if it is not invited."""
    own = own_addresses(place.profile)
    for person in document["attendees"]:
        if is_own(person["email"], own):
            return _answer(person)
    return None


def _participation(place: Place, document: Json, own: str | None) -> str:
    """Return the own answer; who organizes, or keeps an event alone, takes part."""
    if own is not None:
        return own
    organizer = document["organizer"]
    if organizer is None:
        return _UNKNOWN if document["attendees"] else "accepted"
    return "accepted" if is_own(organizer["email"], own_addresses(place.profile)) else _UNKNOWN


def _answer(person: Json) -> str:
    return _ANSWERS.get(person.get("status"), _UNKNOWN)


def _attendee(person: Json) -> Json:
    return {
        "email": person["email"],
        "display_name": person["name"],
        "status": _answer(person),
    }


def _person(person: Any) -> Json | None:  # noqa: ANN401 - JSON
    if person is None:
        return None
    return {"email": person["email"], "display_name": person["name"]}
