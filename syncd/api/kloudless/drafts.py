"""Bodies of requests to what the engine takes: what is missing is UNSET, null clears (K21)."""

from collections.abc import Callable, Mapping
from typing import Any

from syncd.api.kloudless.bodies import (
    AttendeeBody,
    CalendarPatch,
    EventPatch,
    ReminderBody,
)
from syncd.api.problems import invalid
from syncd.engine.draft import EventDraft, Guest, PropertyDraft
from syncd.model.edit import CalendarEdit
from syncd.model.event import Answer, Email, Person, Reminder, Visibility

_CALENDAR = ("name", "description", "location", "timezone")


def calendar_edit(body: CalendarPatch) -> CalendarEdit:
    """Return the members that were given."""
    given = {name: getattr(body, name) for name in _CALENDAR if name in body.model_fields_set}
    return CalendarEdit(**given, raw=body.raw.object if body.raw else {})


def event_draft(body: EventPatch, *, answer_only: bool = False) -> EventDraft:
    """Return the members that were given; 400 for a time that is null."""
    told = dict[str, Any](answer_only=answer_only)
    for name in body.model_fields_set:
        value = getattr(body, name)
        if value is None and name in _NEEDED:
            raise invalid(f"{name}: cannot be removed; give a date or a time", field=name)
        if value is None and name == "use_default_reminder":
            continue  # it has no state beside true and false
        told[_OTHERS.get(name, name)] = _TAKEN[name](value) if name in _TAKEN else value
    return EventDraft(**told)


def _guest(one: AttendeeBody) -> Guest:
    answer = None if one.status is None else Answer(one.status)
    return Guest(email=one.email, name=one.name, required=one.required, answer=answer)


def _reminder(one: ReminderBody) -> Reminder:
    if one.method == "popup":
        return Reminder(minutes=one.minutes, popup=one.popup)
    told = one.email
    if told is None:
        return Reminder(minutes=one.minutes, email=Email(summary="", description="", to=()))
    return Reminder(
        minutes=one.minutes,
        email=Email(summary=told.summary, description=told.description, to=told.to),
    )


_NEEDED = frozenset({"start", "end"})
_OTHERS = {"start_time_zone": "start_zone", "end_time_zone": "end_zone"}
_TAKEN: Mapping[str, Callable[[Any], Any]] = {
    "all_day": bool,
    "transparent": bool,
    "organizer": lambda one: one and Person(email=one.email, name=one.name),
    "attendees": lambda some: tuple(map(_guest, some or ())),
    "reminders": lambda some: tuple(map(_reminder, some or ())),
    "recurrence": lambda some: tuple(one.rrule for one in some or ()),
    "custom_properties": lambda some: (
        some
        and tuple(PropertyDraft(key=one.key, value=one.value, private=one.private) for one in some)
    ),
    "visibility": lambda word: word and Visibility(word),
    "raw": lambda raw: raw.object if raw else {},
}
