"""Edits as Google's JSON: only what changes, arrays whole (G8, P10)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syncd.formats.colors import nearest
from syncd.model.edit import UNSET, EventEdit, Reply
from syncd.model.errors import InvalidError
from syncd.model.event import Answer, CustomProperty, Person, Reminder
from syncd.model.when import When, rfc3339
from syncd.providers.google.client import Json

_ANSWERS = {
    Answer.ACCEPTED: "accepted",
    Answer.DECLINED: "declined",
    Answer.TENTATIVE: "tentative",
    Answer.PENDING: "needsAction",
}
_TEXTS = {"name": "summary", "description": "description", "location": "location"}


def event_body(edit: EventEdit, before: Json | None, palette: Mapping[str, str]) -> Json:
    """Return what is to be sent; null clears, ``before`` is None for a new event.

    Raises InvalidError where Google does not tell us all attendees, as we would drop the others.
    """
    body: Json = {
        theirs: getattr(edit, ours)
        for ours, theirs in _TEXTS.items()
        if getattr(edit, ours) is not UNSET
    }
    body |= _times(edit) | _people(edit, before or {}) | _looks(edit, palette)
    if edit.reminders is not UNSET or edit.use_default_reminder is not UNSET:
        body["reminders"] = _reminders(edit)
    if edit.recurrence is not UNSET:
        body["recurrence"] = list(edit.recurrence) or None
    if edit.custom_properties is not UNSET:
        body["extendedProperties"] = _properties(edit.custom_properties, before or {})
    if before is None:
        body = _present(body)
    return {**body, **edit.raw}


def _times(edit: EventEdit) -> Json:
    body = Json()
    if edit.start is not UNSET:
        body["start"] = _when(edit.start, edit.start_zone)
    if edit.end is not UNSET:
        body["end"] = _when(edit.end, edit.end_zone)
    return body


def _people(edit: EventEdit, before: Json) -> Json:
    if edit.attendees is not UNSET:
        return {"attendees": _attendees(edit.attendees, before)}
    return {} if edit.reply is UNSET else _answered(edit.reply, before)


def _looks(edit: EventEdit, palette: Mapping[str, str]) -> Json:
    body = Json()
    if edit.visibility is not UNSET:
        body["visibility"] = edit.visibility or "default"
    if edit.transparent is not UNSET:
        body["transparency"] = "transparent" if edit.transparent else "opaque"
    if edit.color is not UNSET:
        body["colorId"] = edit.color and nearest(edit.color, palette)
    return body


def _when(when: When, zone: object) -> Json:
    """Return a start or end that leaves nothing of the other form."""
    if not isinstance(when, datetime):
        return {"date": when.isoformat(), "dateTime": None, "timeZone": None}
    name = zone if isinstance(zone, str) else "UTC"
    return {"date": None, "dateTime": rfc3339(when), "timeZone": name}


def _attendees(people: tuple[Person, ...], before: Json) -> list[Json]:
    known = {_folded(one): one for one in _known(before)}
    return [_attendee(person, known.get(person.email.casefold(), {})) for person in people]


def _attendee(person: Person, known: Json) -> Json:
    told = {**known, "email": person.email}
    if person.name is not None:
        told["displayName"] = person.name
    if person.required == bool(known.get("optional")):
        told["optional"] = not person.required
    if person.answer is not None:
        told["responseStatus"] = _ANSWERS[person.answer]
    return told


def _answered(reply: Reply, before: Json) -> Json:
    """Return who is sent with an answer: a guest only itself, the organizer all (G8)."""
    own, status = reply.email.casefold(), _ANSWERS[reply.answer]
    if not (before.get("organizer") or {}).get("self"):
        mine = {"email": reply.email, "responseStatus": status}
        return {"attendees": [mine], "attendeesOmitted": True}
    people = [
        {**one, "responseStatus": status} if _folded(one) == own else one for one in _known(before)
    ]
    return {"attendees": people}


def _known(before: Json) -> list[Json]:
    if before.get("attendeesOmitted"):
        raise InvalidError("Google does not tell who else is invited", field="attendees")
    return list(before.get("attendees") or [])


def _folded(attendee: Json) -> str:
    return str(attendee.get("email", "")).casefold()


def _reminders(edit: EventEdit) -> Json:
    if edit.reminders is UNSET:
        default = edit.use_default_reminder is True
        return {"useDefault": True, "overrides": None} if default else {"useDefault": False}
    return {"useDefault": False, "overrides": [_override(one) for one in edit.reminders]}


def _override(reminder: Reminder) -> Json:
    return {"method": reminder.method, "minutes": reminder.minutes}


def _properties(given: tuple[CustomProperty, ...], before: Json) -> Json:
    """Return both stores; what is no longer there is null, as a patch would keep it."""
    held = before.get("extendedProperties") or {}
    told = dict[str, Any]()
    for store, private in (("private", True), ("shared", False)):
        gone = dict.fromkeys(held.get(store) or {})
        there = {pair.key: pair.value for pair in given if pair.private is private}
        if gone or there:
            told[store] = {**gone, **there}
    return told


def _present(body: Json) -> Json:
    """Return a body without its nulls: there is nothing yet to clear."""
    return {
        name: _present(value) if isinstance(value, dict) else value
        for name, value in body.items()
        if value is not None
    }
