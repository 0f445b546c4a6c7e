"""Edits as Microsoft Graph's JSON: only what changes (P10, providers.md §9); pure."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from syncd.formats.colors import nearest
from syncd.formats.outlook import Json, write_recurrence
from syncd.formats.zones import iana
from syncd.model.edit import UNSET, EventEdit
from syncd.model.event import Person, Visibility
from syncd.model.when import When
from syncd.providers.graph.translate import FREE, midnight

_SENSITIVITIES = {Visibility.PRIVATE: "private", Visibility.CONFIDENTIAL: "confidential"}
_BUSY = frozenset({"busy", "tentative", "oof"})


def event_body(
    edit: EventEdit,
    before: Mapping[str, Any] | None,
    start: When,
    zone: str | None,
    palette: Mapping[str, str] | None = None,
) -> Json:
    """Return what is to be sent; ``before`` is the event as Graph holds it, None for a new one.

    ``start`` in ``zone`` is the event's start after the edit, ``palette`` the colours of
    categories. Custom properties and an answer to an invitation are requests of their own and not
    in here. Raises InvalidError ``unsupported_recurrence``.
    """
    body = _texts(edit) | _times(edit)
    if isinstance(edit.organizer, Person):
        body["organizer"] = {"emailAddress": _address(edit.organizer)}
    if edit.color is not UNSET and palette:
        body["categories"] = _categories(edit.color, before or {}, palette)
    if edit.attendees is not UNSET:
        body["attendees"] = [_attendee(person) for person in edit.attendees]
    if edit.reminders is not UNSET:
        body["isReminderOn"] = bool(edit.reminders)
        if edit.reminders:  # at most one (K27)
            body["reminderMinutesBeforeStart"] = edit.reminders[0].minutes
    if edit.recurrence is not UNSET:
        body["recurrence"] = None
        if edit.recurrence:
            place = (iana(zone) if zone else None) or UTC
            named = zone if isinstance(start, datetime) else None
            body["recurrence"] = write_recurrence(edit.recurrence, start, place, named)
    if edit.visibility is not UNSET:
        body["sensitivity"] = _sensitivity(edit.visibility, before or {})
    if edit.transparent is not UNSET:
        body["showAs"] = _shown(free=edit.transparent, before=before or {})
    return {**body, **edit.raw}


def _texts(edit: EventEdit) -> Json:
    body = Json()
    if edit.name is not UNSET:
        body["subject"] = edit.name or ""
    if edit.description is not UNSET:
        body["body"] = {"contentType": "text", "content": edit.description or ""}
    if edit.location is not UNSET:
        body["location"] = {"displayName": edit.location or ""}
    return body


def _times(edit: EventEdit) -> Json:
    """Return start and end; all-day ones are midnights of one zone (MG11)."""
    body = Json()
    for name, when, zone in (
        ("start", edit.start, edit.start_zone),
        ("end", edit.end, edit.end_zone),
    ):
        if when is not UNSET:
            body[name] = _when(when, zone if isinstance(zone, str) else "UTC")
            body["isAllDay"] = not isinstance(when, datetime)
    return body


def _when(when: When, zone: str) -> Json:
    if not isinstance(when, datetime):
        return {"dateTime": midnight(when), "timeZone": "UTC"}
    wall = when.astimezone(iana(zone) or UTC).replace(tzinfo=None)
    return {"dateTime": wall.isoformat(), "timeZone": zone}


def _attendee(person: Person) -> Json:
    kind = "required" if person.required else "optional"
    return {"emailAddress": _address(person), "type": "resource" if person.resource else kind}


def _address(person: Person) -> Json:
    named = {} if person.name is None else {"name": person.name}
    return {"address": person.email, **named}


def _categories(
    color: str | None, before: Mapping[str, Any], palette: Mapping[str, str]
) -> list[str]:
    """Return the categories with the one that shows the colour first; the others stay."""
    first, *others = list(before.get("categories") or ()) or [""]
    rest = others if first in palette or not first else [first, *others]
    named = None if color is None else nearest(color, palette)
    return [*([] if named is None else [named]), *(one for one in rest if one != named)]


def _sensitivity(visibility: Visibility | None, before: Mapping[str, Any]) -> str:
    """Return the word; ``personal`` stays where private is asked for."""
    wanted = _SENSITIVITIES.get(visibility or Visibility.DEFAULT, "normal")
    held = before.get("sensitivity")
    return "personal" if (wanted, held) == ("private", "personal") else wanted


def _shown(*, free: bool, before: Mapping[str, Any]) -> str:
    """Return the word; a finer one of the same side stays, such as ``oof``."""
    held = before.get("showAs")
    if held in (FREE if free else _BUSY):
        return str(held)
    return "free" if free else "busy"
