"""Queries, bodies and answers of the native dialect."""

from typing import Literal

from pydantic import Field

from syncd.api.native.examples import PROFILE
from syncd.api.route import Shape
from syncd.model.profile import Reason, State

Text = str | None


class SyncQuery(Shape):
    """Whether to wait for the poll: seconds, more than 60 count as 60."""

    wait: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class ConfirmBody(Shape):
    """Which calendar's suspect absences are deletes; none: all of the profile."""

    calendar_id: str | None = None


class LastFault(Shape):
    """The last error, in words for people."""

    at: str
    code: str
    message: str


class ProfileCalendar(Shape):
    """How one calendar of a profile is doing."""

    calendar_id: str
    name: str
    primary: bool
    readonly: bool
    events: int
    polled_at: Text
    lag_seconds: float | None
    reconciled_at: Text
    mode: Literal["token", "listing"]
    suspect_deletes: int
    unparsed: int
    last_error: Text


class Profile(Shape, json_schema_extra={"examples": [PROFILE]}):
    """A profile with its health."""

    profile_id: str
    account_id: str
    user_id: str
    provider: str
    service: str
    login: str
    name: Text
    state: State
    state_reason: Reason | None
    state_since: str
    relink_url: Text
    created: str
    polled_at: Text
    next_poll_at: Text
    consecutive_failures: int
    last_error: LastFault | None
    cursor: str
    oldest_cursor: str
    calendars: tuple[ProfileCalendar, ...]


class PolledProfile(Profile, json_schema_extra={"examples": [PROFILE | {"activities": 3}]}):
    """A profile after a poll that was asked for, and how many activities that recorded."""

    activities: int | None


class LastPoll(Shape):
    """When the profile was last polled to the end."""

    polled_at: Text


class RelinkUrl(Shape):
    """Where a person signs in again."""

    relink_url: str


class Unread(Shape):
    """An event that could not be read; the stream keeps its last good state."""

    calendar_id: str
    href: str
    first_seen: Text
    count: int
    message: str


class UnreadList(Shape):
    """A page of such events, newest first."""

    count: int
    page: int
    next_page: Text
    objects: tuple[Unread, ...]
