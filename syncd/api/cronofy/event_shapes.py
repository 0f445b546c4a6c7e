"""Shapes of events and of free and busy times as Cronofy names their members (api.md C6-C8)."""

from pydantic import Field

from syncd.api.route import Shape

_PAGES = {"current": 1, "total": 1}
_EVENT = {
    "calendar_id": "cal_aaah_5qd2mnzxkz",
    "event_uid": "k3f9ab2cdefgh",
    "summary": "Review",
    "description": "",
    "start": "2026-11-24T09:00:00Z",
    "end": "2026-11-24T10:00:00Z",
    "deleted": False,
    "created": "2026-11-20T08:00:00Z",
    "updated": "2026-11-20T08:00:00Z",
    "participation_status": "accepted",
    "attendees": [
        {"email": "bo@example.org", "display_name": "Bo", "status": "needs_action"},
    ],
    "organizer": {"email": "ada@example.org", "display_name": "Ada"},
    "transparency": "opaque",
    "status": "confirmed",
    "categories": [],
    "recurring": False,
    "event_private": False,
    "options": {"delete": True, "update": True, "change_participation_status": False},
    "location": {"description": "Room 2"},
    "event_id": "review-7",
}
_BUSY = {
    "calendar_id": "cal_aaah_5qd2mnzxkz",
    "start": "2026-11-24T09:00:00Z",
    "end": "2026-11-24T10:00:00Z",
    "free_busy_status": "busy",
}


class PagesShown(Shape):
    """Where the listing is; `next_page` is absent on the last page."""

    current: int
    total: int
    next_page: str | None = None


class LocalTime(Shape):
    """A time or date in a zone."""

    time: str
    tzid: str


class Whereabouts(Shape):
    """Where an event is."""

    description: str | None = None
    lat: str | None = None
    long: str | None = None


class ShownPerson(Shape):
    """An organizer."""

    email: str
    display_name: str | None


class ShownAttendee(ShownPerson):
    """An attendee and the answer."""

    status: str


class EventOptions(Shape):
    """What the token's user may do with an event."""

    delete: bool
    update: bool
    change_participation_status: bool


class ShownEvent(Shape):
    """An event; `event_id` only if this application made it, `location` only if there is one."""

    calendar_id: str
    event_uid: str
    event_id: str | None = None
    summary: str
    description: str
    start: str | LocalTime
    end: str | LocalTime
    deleted: bool
    created: str | None
    updated: str | None
    location: Whereabouts | None = None
    participation_status: str
    attendees: tuple[ShownAttendee, ...]
    organizer: ShownPerson | None
    transparency: str
    status: str
    categories: tuple[str, ...]
    recurring: bool
    event_private: bool
    options: EventOptions


class EventsOfUser(Shape, json_schema_extra={"examples": [{"pages": _PAGES, "events": [_EVENT]}]}):
    """A page of events."""

    pages: PagesShown
    events: tuple[ShownEvent, ...]


class FreeBusyPeriod(Shape):
    """A time that an event takes, without its title."""

    calendar_id: str
    start: str | LocalTime
    end: str | LocalTime
    free_busy_status: str = Field(description="`busy`, `tentative` or `free`.")


class FreeBusyOfUser(
    Shape, json_schema_extra={"examples": [{"pages": _PAGES, "free_busy": [_BUSY]}]}
):
    """A page of free and busy times."""

    pages: PagesShown
    free_busy: tuple[FreeBusyPeriod, ...]
