"""What a write sets on an event or a calendar; what is ``UNSET`` stays as the provider has it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Literal

from syncd.model.event import Answer, CustomProperty, Geo, Person, Reminder, Visibility
from syncd.model.when import When


class Unset(Enum):
    """A member that a caller did not give; None clears instead."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
Not = Literal[Unset.UNSET]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The profile's own answer to an invitation (api.md K26, C9); ``email`` names it there."""

    email: str
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEdit:
    """Final values, ready for any provider: no defaults, no merging and no zones to look up.

    Times are both dates (all-day) or both aware; they come together with their zones, IANA names.
    Lists are whole. ``recurrence`` holds RFC 5545 lines as ``Event.recurrence`` does; ``()`` ends
    the series. A ``reply`` is never given together with ``attendees``. ``raw`` is merged last over
    what is sent (api.md K11): members of a JSON object, or iCalendar properties by name.
    """

    name: str | Not | None = UNSET
    description: str | Not | None = UNSET
    location: str | Not | None = UNSET
    geo: Geo | Not | None = UNSET
    start: When | Not = UNSET
    end: When | Not = UNSET
    start_zone: str | Not | None = UNSET
    end_zone: str | Not | None = UNSET
    organizer: Person | Not | None = UNSET
    attendees: tuple[Person, ...] | Not = UNSET
    reply: Reply | Not = UNSET
    reminders: tuple[Reminder, ...] | Not = UNSET
    use_default_reminder: bool | Not = UNSET
    recurrence: tuple[str, ...] | Not = UNSET
    custom_properties: tuple[CustomProperty, ...] | Not = UNSET
    visibility: Visibility | Not | None = UNSET
    transparent: bool | Not = UNSET
    color: str | Not | None = UNSET
    url: str | Not | None = UNSET
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEdit:
    """Values of a calendar; ``raw`` as in EventEdit."""

    name: str | Not = UNSET
    description: str | Not | None = UNSET
    location: str | Not | None = UNSET
    timezone: str | Not | None = UNSET
    color: str | Not | None = UNSET  # #RRGGBB
    raw: Mapping[str, Any] = field(default_factory=dict)
