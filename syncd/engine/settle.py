"""Draft to edit: every rule of the API about an event's members, applied once (ADR 11): pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from syncd.engine.draft import EventDraft, PropertyDraft
from syncd.engine.guests import checked_address, settle_guests
from syncd.engine.repeat import settle_recurrence
from syncd.engine.timing import default_zone, known_zone, settle_times
from syncd.model.abilities import Abilities
from syncd.model.edit import UNSET, CalendarEdit, EventEdit, Not
from syncd.model.errors import InvalidError, UnsupportedError
from syncd.model.event import CustomProperty, Event, Person, Reminder

NAME_MOST, TEXT_MOST, PROPERTIES_MOST = 1_024, 65_536, 300  # R23
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_COLOR = re.compile("#[0-9A-Fa-f]{6}")
_MEMBERS = {  # of EventDraft, where api.md has another name for it
    "start_zone": "start_time_zone",
    "end_zone": "end_time_zone",
}
_OPTIONAL = (
    *("name", "description", "location", "geo", "organizer", "attendees", "use_default_reminder"),
    *("reminders", "custom_properties", "visibility", "transparent", "color", "url"),
)
_NOT_OURS = frozenset({  # K11: what names the object, its version or the way to it
    *("id", "uid", "icaluid", "icalid", "recurringeventid", "recurrence-id", "seriesmasterid"),
    *("etag", "@odata.etag", "@odata.id", "changekey", "href", "self", "selflink", "htmllink"),
    *("weblink", "link", "links"),
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a draft is settled against: where it goes, and what is there.

    ``before`` is the event as the snapshot has it, None for a new one; ``occurrence`` if it is
    one of a series. ``own`` are the profile's addresses, ``email`` is the one that it signs with.
    """

    abilities: Abilities
    before: Event | None = None
    occurrence: bool = False
    calendar_zone: str | None = None
    user_zone: str | None = None
    own: frozenset[str] = frozenset()
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The edit, and the names of members that the provider has no room for (R13)."""

    edit: EventEdit
    ignored: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to change."""
        return self.edit == EventEdit()


def settle(draft: EventDraft, scene: Scene) -> Settled:
    """Return what is to be written; raises InvalidError, and UnsupportedError for a series.

    The caller answers to ``field`` in its own words; here they are api.md's.
    """
    draft, ignored = _able(draft, scene)
    _check_texts(draft, scene.before)
    zone = default_zone(scene.user_zone, scene.calendar_zone)
    times = settle_times(draft, scene.before, zone)
    attendees, reply = settle_guests(draft, scene.before, scene.own)
    reminders = draft.reminders
    if scene.before is not None and reminders == scene.before.reminders:
        reminders = UNSET  # written back as they were read, whoever wrote them
    if reminders is not UNSET:
        reminders = _reminders(reminders, draft, scene)
    recurrence = draft.recurrence
    if recurrence is not UNSET:
        recurrence = _recurrence(recurrence, scene)
    properties: tuple[CustomProperty, ...] | Not = UNSET
    if draft.custom_properties is None:
        properties = ()
    elif draft.custom_properties is not UNSET:
        properties = _merged(draft.custom_properties, scene.before)
    edit = EventEdit(
        name=draft.name,
        description=draft.description,
        location=draft.location,
        geo=draft.geo,
        start=UNSET if times is None else times.start,
        end=UNSET if times is None else times.end,
        start_zone=UNSET if times is None else times.start_zone,
        end_zone=UNSET if times is None else times.end_zone,
        organizer=_organizer(draft, scene, invites=attendees is not UNSET and bool(attendees)),
        attendees=attendees,
        reply=reply,
        reminders=reminders,
        use_default_reminder=draft.use_default_reminder,
        recurrence=recurrence,
        custom_properties=properties,
        visibility=draft.visibility,
        transparent=draft.transparent,
        color=draft.color,
        url=draft.url,
        raw=_checked_raw(draft.raw),
    )
    return Settled(edit=edit, ignored=ignored)


def settle_calendar(
    edit: CalendarEdit, able: Abilities, *, create: bool
) -> tuple[CalendarEdit, frozenset[str]]:
    """Return the members that can be stored, and the names of the others (R13).

    Raises InvalidError, and UnsupportedError where calendars cannot be changed (K15).
    """
    if not create and not able.calendar_updates:
        raise UnsupportedError("this provider does not change calendars")
    if (edit.name is UNSET and create) or (edit.name is not UNSET and not edit.name.strip()):
        raise InvalidError("required", field="name", fault="required")
    given = [name for name in ("name", "description", "location", "timezone", "color")
             if getattr(edit, name) is not UNSET]  # fmt: skip
    ignored = {name for name in given if name not in able.calendar}
    kept: dict[str, Any] = dict.fromkeys(ignored, UNSET)
    if edit.raw and "raw" not in able.calendar:
        ignored.add("raw")
        kept["raw"] = {}
    edit = replace(edit, **kept)
    _check_text("name", edit.name, NAME_MOST)
    _check_text("description", edit.description, TEXT_MOST)
    _check_text("location", edit.location, TEXT_MOST)
    if isinstance(edit.timezone, str):
        known_zone(edit.timezone, "timezone")
    if isinstance(edit.color, str) and not _COLOR.fullmatch(edit.color):
        raise InvalidError("must be written like #AABBCC", field="color")
    _checked_raw(edit.raw)
    return edit, frozenset(ignored)


def _able(draft: EventDraft, scene: Scene) -> tuple[EventDraft, frozenset[str]]:
    """Return the draft without what cannot be stored, and what that was."""
    able = scene.abilities
    given = {name for name in _OPTIONAL if getattr(draft, name) is not UNSET}
    lacking = {name for name in given if name not in able.event}
    if able.organizer_moves and scene.before is not None and draft.organizer:
        lacking.discard("organizer")
    kept: dict[str, Any] = dict.fromkeys(lacking, UNSET)
    if draft.raw and "raw" not in able.event:
        lacking.add("raw")
        kept["raw"] = {}
    if draft.recurrence is not UNSET and draft.recurrence and "recurrence" not in able.event:
        raise UnsupportedError("this provider keeps no series")
    draft = replace(draft, **kept)
    if draft.use_default_reminder is True:
        draft = replace(draft, reminders=UNSET)
    return draft, frozenset(_MEMBERS.get(name, name) for name in lacking)


def _check_texts(draft: EventDraft, before: Event | None) -> None:
    if before is None and not isinstance(draft.name, str):
        raise InvalidError("required", field="name", fault="required")
    if before is None or draft.name != before.name:
        _check_text("name", draft.name, NAME_MOST)
    for field, text in (
        ("description", draft.description),
        ("location", draft.location),
        ("color", draft.color),
        ("url", draft.url),
    ):
        _check_text(field, text, TEXT_MOST)
    for pair in () if draft.custom_properties is UNSET else draft.custom_properties or ():
        _check_text("custom_properties", pair.key, NAME_MOST)
        _check_text("custom_properties", pair.value, TEXT_MOST)
    people = () if draft.attendees is UNSET else draft.attendees
    for guest in (*people, *draft.invite):
        _check_text("attendees", guest.name, NAME_MOST)
    if isinstance(draft.organizer, Person):
        _check_text("organizer", draft.organizer.name, NAME_MOST)


def _check_text(field: str, text: str | Not | None, most: int) -> None:
    if text is UNSET or text is None:
        return
    if len(text) > most:
        raise InvalidError(f"longer than {most} characters", field=field, fault="too_long")
    if _CONTROL.search(text):
        raise InvalidError("has control characters, which no calendar keeps", field=field)


def _organizer(draft: EventDraft, scene: Scene, *, invites: bool) -> Person | Not | None:
    """Return who invites; where that must be said it is the profile itself unless told."""
    if isinstance(draft.organizer, Person):
        if _is_organizer(draft.organizer, scene.before):
            return UNSET
        address = checked_address(draft.organizer.email, "organizer")
        return replace(draft.organizer, email=address)
    nobody = scene.before is None or scene.before.organizer is None
    if invites and nobody and scene.abilities.names_organizer and scene.email is not None:
        return Person(email=scene.email)
    return draft.organizer


def _is_organizer(given: Person, before: Event | None) -> bool:
    """Tell whether it is who invites already, written back as it was read."""
    held = None if before is None else before.organizer
    if held is None or held.email.casefold() != given.email.casefold():
        return False
    return given.name in {None, held.name}


def _reminders(
    given: tuple[Reminder, ...], draft: EventDraft, scene: Scene
) -> tuple[Reminder, ...]:
    able, most = scene.abilities, scene.abilities.reminders
    name = draft.name if isinstance(draft.name, str) else scene.before and scene.before.name
    if draft.lenient:
        given = tuple(one for one in given if one.method in able.reminder_methods)[:most]
        if able.reminder_texts:
            given = tuple(one if one.popup or one.email else replace(one, popup=name or "Reminder")
                          for one in given)  # fmt: skip
    for one in given:
        _check_reminder(one, able)
    if most is not None and len(given) > most:
        raise InvalidError(
            f"this provider keeps at most {most}",
            field="reminders",
            code="too_many_reminders",
            fault="too_long",
            members={"max": most},
        )
    return given


def _check_reminder(one: Reminder, able: Abilities) -> None:
    if one.minutes < 0:
        raise InvalidError("minutes must not be negative", field="reminders")
    if one.method not in able.reminder_methods:
        known = " or ".join(sorted(able.reminder_methods))
        raise InvalidError(f"this provider reminds by {known} only", field="reminders")
    if one.email is not None:
        if able.reminder_texts and not one.email.to:
            raise InvalidError(
                "a reminder by email needs its email: summary, description and to",
                field="reminders",
            )
        for name in one.email.to:
            checked_address(name, "reminders")
        _check_text("reminders", one.email.summary, NAME_MOST)
        _check_text("reminders", one.email.description, TEXT_MOST)
    elif able.reminder_texts and not one.popup:
        raise InvalidError("a reminder by popup needs the text in popup", field="reminders")
    _check_text("reminders", one.popup, TEXT_MOST)


def _recurrence(given: tuple[str, ...], scene: Scene) -> tuple[str, ...] | Not:
    if scene.occurrence:
        if given:
            raise InvalidError(
                "an occurrence does not repeat by itself: change its series", field="recurrence"
            )
        return UNSET
    before = () if scene.before is None else scene.before.recurrence
    return settle_recurrence(given, any_rule=scene.abilities.any_rule, before=before)


def _merged(given: tuple[PropertyDraft, ...], before: Event | None) -> tuple[CustomProperty, ...]:
    """Return all custom properties: new keys added, known ones replaced or deleted (K26).

    A key is there once, but in both of Google's stores where another program put it there.
    """
    there = () if before is None else before.custom_properties
    found = {(pair.key, pair.private): pair for pair in there}
    for pair in given:
        if not pair.key.strip():
            raise InvalidError("a key must not be blank", field="custom_properties")
        known = [place for place in found if place[0] == pair.key]
        twice = len(known) > 1
        private = pair.private
        if private is None:
            private = twice or not known or known[0][1]
        place = (pair.key, private)
        everywhere = pair.value is None and pair.private is None
        for one in [place] if twice and not everywhere else known:
            if pair.value is None or one != place:
                found.pop(one, None)
        if pair.value is not None:
            found[place] = CustomProperty(key=pair.key, value=pair.value, private=private)
    if len(found) > PROPERTIES_MOST:
        raise InvalidError(
            f"an event has at most {PROPERTIES_MOST}", field="custom_properties", fault="too_long"
        )
    return tuple(found.values())


def _checked_raw(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in raw:
        if name.lower() in _NOT_OURS:
            raise InvalidError(f"{name} belongs to the provider and cannot be set", field="raw")
    return raw
