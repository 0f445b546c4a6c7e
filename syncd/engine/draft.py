"""What a caller asks of an event, as it was written: no default, no rule applied yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from syncd.model.edit import UNSET, Not
from syncd.model.event import Answer, Geo, Person, Reminder, Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """An attendee as a caller names one; None is what was not said."""

    email: str
    name: str | None = None
    required: bool | None = None
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyDraft:
    """A custom property to set, or with value None to delete (K26)."""

    key: str
    value: str | None
    private: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDraft:
    """Members that were given; UNSET stays as it is, None clears.

    A naive datetime is wall time in its zone (R12). ``attendees`` is the whole list, or an answer
    to an invitation, as K26 tells the two apart; with ``answer_only`` it is always the latter.
    ``invite`` and ``dismiss`` (addresses) change the list that is there, ``reply`` is the
    profile's own answer. ``lenient`` drops reminders that the provider has no room for (C10).
    """

    name: str | Not | None = UNSET
    description: str | Not | None = UNSET
    location: str | Not | None = UNSET
    geo: Geo | Not | None = UNSET
    start: date | datetime | Not = UNSET
    end: date | datetime | Not = UNSET
    start_zone: str | Not | None = UNSET
    end_zone: str | Not | None = UNSET
    all_day: bool | Not = UNSET
    organizer: Person | Not | None = UNSET
    attendees: tuple[Guest, ...] | Not = UNSET
    answer_only: bool = False
    invite: tuple[Guest, ...] = ()
    dismiss: frozenset[str] = frozenset()
    reply: Answer | Not = UNSET
    reminders: tuple[Reminder, ...] | Not = UNSET
    lenient: bool = False
    use_default_reminder: bool | Not = UNSET
    recurrence: tuple[str, ...] | Not = UNSET
    custom_properties: tuple[PropertyDraft, ...] | Not | None = UNSET
    visibility: Visibility | Not | None = UNSET
    transparent: bool | Not = UNSET
    color: str | Not | None = UNSET
    url: str | Not | None = UNSET
    raw: Mapping[str, Any] = field(default_factory=dict)
