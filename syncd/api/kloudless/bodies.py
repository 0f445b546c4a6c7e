"""Bodies of writing requests in the Kloudless dialect (api.md K11, K13, K15, K19, K21).

A member that is missing stays as it is, null clears it; which of the two it was,
``model_fields_set`` tells.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from syncd.api.kloudless.examples import CALENDAR_BODY, EVENT_BODY, EVENT_PATCH
from syncd.api.params import Moment
from syncd.api.route import Shape

Text = str | None
Truth = Annotated[bool | None, Field(strict=True)]
Zone = Annotated[str | None, Field(description="An IANA name; null for the default.")]


class RawBody(Shape):
    """Members in the provider's own words, merged over what is sent."""

    object: dict[str, Any]


class CalendarPatch(Shape, json_schema_extra={"examples": [CALENDAR_BODY]}):
    """What to change of a calendar."""

    name: str = ""
    description: Text = None
    location: Text = None
    timezone: Zone = None
    raw: RawBody | None = None


class CalendarBody(CalendarPatch):
    """A new calendar."""

    name: str


class PersonBody(Shape):
    """An organizer."""

    email: str
    name: Text = None


class AttendeeBody(Shape):
    """Who is invited; with `status` also an answer."""

    email: str
    name: str | None
    status: Literal["accepted", "declined", "tentative", "pending"] | None = None
    required: Truth = None


class EmailBody(Shape):
    """What an e-mail reminder sends."""

    summary: str
    description: str
    to: tuple[str, ...]


class ReminderBody(Shape):
    """`popup`, a text, and `email` are needed for CalDAV and iCloud, each for its method."""

    minutes: Annotated[int, Field(ge=0, le=5_256_000, strict=True)]
    method: Literal["popup", "email"] = "popup"
    popup: Text = None
    email: EmailBody | None = None


class RecurrenceBody(Shape):
    """One line of RFC 5545: RRULE, whose name may be left out, EXDATE or RDATE."""

    rrule: str


class PropertyBody(Shape):
    """A pair to set; `value` null deletes it."""

    key: str
    value: str | None
    private: Truth = None


class EventPatch(Shape, json_schema_extra={"examples": [EVENT_PATCH]}):
    """What to change of an event; custom properties are merged by key."""

    name: Text = None
    description: Text = None
    start: Moment | None = None
    start_time_zone: Zone = None
    end: Moment | None = None
    end_time_zone: Zone = None
    all_day: Truth = None
    organizer: PersonBody | None = None
    attendees: tuple[AttendeeBody, ...] | None = None
    location: Text = None
    use_default_reminder: Truth = None
    reminders: tuple[ReminderBody, ...] | None = None
    recurrence: tuple[RecurrenceBody, ...] | None = None
    custom_properties: tuple[PropertyBody, ...] | None = None
    visibility: Literal["default", "public", "private", "confidential"] | None = None
    transparent: Truth = None
    raw: RawBody | None = None


class EventBody(EventPatch, json_schema_extra={"examples": [EVENT_BODY]}):
    """A new event."""

    name: str
    start: Moment
    end: Moment
