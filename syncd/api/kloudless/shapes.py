"""Queries and answers of the Kloudless dialect."""

from typing import Annotated, Any, Literal

from pydantic import Field

from syncd.api.kloudless.examples import ACCOUNT, ACTIVITY_PAGE, CALENDAR, EVENT
from syncd.api.params import Flag, Moment, Paged, PageSize, Words
from syncd.api.records import Activity
from syncd.api.route import Shape
from syncd.model.activity import SHOWN, Kind, Type
from syncd.model.profile import Reason, State

Text = str | None
Cursor = Annotated[
    str | None,
    Field(description="A cursor of this stream, `after-auth`, or `latest`; none: the oldest."),
]


class AccountQuery(Paged):
    """Which accounts."""

    service: str | None = None
    active: Flag | None = None


class EventsQuery(Paged):
    """Which events: ending after `start`, starting before `end`."""

    start: Moment | None = None
    end: Moment | None = None
    instances: Flag = True
    as_of: str | None = Field(
        default=None, description="A retained cursor: the calendar as it was there."
    )


class FollowQuery(Shape):
    """What to follow of an account's activity."""

    cursor: Cursor = None
    types: Annotated[frozenset[Type], Words] = frozenset(Type)
    objects: Annotated[frozenset[Kind], Words] = SHOWN
    calendar_ids: Annotated[tuple[str, ...] | None, Words] = None


class ActivityQuery(FollowQuery):
    """One page of activity; `wait` is in seconds, more than 60 count as 60."""

    page_size: PageSize = 100
    wait: float = Field(default=0, ge=0, allow_inf_nan=False)


class Account(Shape, json_schema_extra={"examples": [ACCOUNT]}):
    """One sign-in at one provider; syncd's native routes call it a profile."""

    id: int
    account: str
    service: str
    service_name: str
    active: bool
    enabled: bool
    admin: bool
    apis: tuple[str, ...]
    effective_scope: str
    created: str
    modified: str
    state: State
    state_reason: Reason | None
    relink_url: Text
    polled_at: Text
    profile_id: str
    type: Literal["account"]
    api: Literal["core"]
    href: str


class AccountList(Shape):
    """A page of accounts."""

    count: int
    page: int
    next_page: Text
    objects: tuple[Account, ...]
    type: Literal["object_list"]
    api: Literal["core"]


class Raw(Shape):
    """The provider's own object; for CalDAV `href`, `etag` and `ical`."""

    id: str
    object: dict[str, Any]


class Calendar(Shape, json_schema_extra={"examples": [CALENDAR]}):
    """A calendar; `raw` only with `X-Kloudless-Raw-Data: true`."""

    id: str
    account_id: str
    name: str
    description: Text
    location: Text
    timezone: Text
    raw: Raw | None = None
    type: Literal["calendar"]
    api: Literal["calendar"]
    href: str


class CalendarList(Shape):
    """A page of calendars."""

    count: int
    page: str
    next_page: Text
    objects: tuple[Calendar, ...]
    type: Literal["object_list"]
    api: Literal["calendar"]


class Person(Shape):
    """An organizer, creator or attendee; `status` only of attendees that have one."""

    id: Text
    name: Text
    email: str
    required: bool
    resource: bool
    status: Literal["accepted", "declined", "tentative", "pending"] | None = None


class File(Shape):
    """An attachment."""

    id: Text
    name: Text
    url: str
    mime_type: Text


class Email(Shape):
    """What an e-mail reminder sends."""

    summary: str
    description: str
    to: tuple[str, ...]


class Reminder(Shape):
    """`minutes` before the start."""

    minutes: int
    method: Literal["popup", "email"]
    popup: str | None = None
    email: Email | None = None


class Recurrence(Shape):
    """One line of RFC 5545."""

    rrule: str


class CustomProperty(Shape):
    """A pair of the application's own."""

    key: str
    value: str
    private: bool


class Geo(Shape):
    """A place in degrees, north and east positive."""

    lat: float
    long: float


class Event(Shape, json_schema_extra={"examples": [EVENT]}):
    """An event, a series, an exception or an occurrence.

    `original_start`, `original_start_time_zone` and `recurring_master_id` are there for
    `recurrence_type` `recurring` only, `use_default_reminder` for Google only, `geo` where it is
    known.
    """

    id: str
    account_id: str
    calendar_id: str
    ical_uid: str
    name: Text
    description: Text
    location: Text
    geo: Geo | None = None
    created: Text
    modified: Text
    all_day: bool
    start: str
    start_time_zone: Text
    end: str
    end_time_zone: Text
    original_start: str | None = None
    original_start_time_zone: str | None = None
    organizer: Person | None
    creator: Person | None
    attendees: tuple[Person, ...]
    attachments: tuple[File, ...]
    reminder: int | None
    use_default_reminder: bool | None = None
    reminders: tuple[Reminder, ...]
    recurrence: tuple[Recurrence, ...]
    recurrence_type: Literal["solo", "recurring", "recurring_master"]
    recurring_master_id: str | None = None
    custom_properties: tuple[CustomProperty, ...]
    visibility: Literal["default", "public", "private", "confidential"] | None
    transparent: bool
    status: Literal["confirmed", "cancelled"]
    tentative: bool
    color: Text
    raw: Raw | None = None
    type: Literal["event"]
    api: Literal["calendar"]
    href: str


class EventList(Shape):
    """A page of events; `total` is null unless it is known."""

    count: int
    total: int | None
    page: int
    next_page: Text
    objects: tuple[Event, ...]
    type: Literal["object_list"]
    api: Literal["calendar"]


class ActivityPage(Shape, json_schema_extra={"examples": [ACTIVITY_PAGE]}):
    """What follows a cursor."""

    count: int
    objects: tuple[Activity, ...]
    cursor: str
    type: Literal["object_list"]
    api: Literal["events"]
