"""How calendars and events are asked for, page by page, and where we stand (G1, G2, P2)."""

from collections.abc import AsyncIterator, Mapping

from syncd.model.errors import MalformedReplyError
from syncd.model.ids import CalendarKey, SyncToken
from syncd.model.when import utc
from syncd.ports.rooms import RoomWindow
from syncd.providers.google import paging
from syncd.providers.google.client import GoogleClient, Json

CALENDAR_LIST = ("users", "me", "calendarList")
PRIMARY = "primary"
_CALENDARS = {"maxResults": "250"}
_EVENTS = {"maxResults": "2500", "singleEvents": "false"}  # the same on every page (G2)
_INSTANCES = {"maxResults": "500", "singleEvents": "true", "orderBy": "startTime"}


def events_of(calendar: CalendarKey, *more: str) -> tuple[str, ...]:
    """Return the path of a calendar's events."""
    return ("calendars", calendar, "events", *more)


async def calendar_list(client: GoogleClient) -> list[Json]:
    """Return every entry of the profile's list that is shown."""
    found = list[Json]()
    async for page in _pages(client, CALENDAR_LIST, _CALENDARS):
        found += page["items"]
    return found


def event_pages(
    client: GoogleClient, calendar: CalendarKey, sync: str | None
) -> AsyncIterator[Json]:
    """Yield the pages of a listing, or of what changed since ``sync``; the last has a token."""
    since = {} if sync is None else {"syncToken": sync}
    return _pages(client, events_of(calendar), {**_EVENTS, **since})


def series_pages(client: GoogleClient, calendar: CalendarKey, uid: str) -> AsyncIterator[Json]:
    """Yield a series with its exceptions and cancelled instances: all share the iCalUID."""
    return _pages(client, events_of(calendar), {**_EVENTS, "iCalUID": uid})


def window_pages(
    client: GoogleClient, calendar: CalendarKey, window: RoomWindow
) -> AsyncIterator[Json]:
    """Yield what meets a window, by start if it is instances; not for a change feed.

    ``timeMin`` and ``timeMax`` are exclusive bounds of end and start, in whole seconds.
    """
    bounds = {"timeMin": utc(window.after)}
    if window.before is not None:
        bounds["timeMax"] = utc(window.before)
    asked = _INSTANCES if window.instances else _EVENTS
    return _pages(client, events_of(calendar), {**asked, **bounds})


def _pages(
    client: GoogleClient, path: tuple[str, ...], query: Mapping[str, str]
) -> AsyncIterator[Json]:
    return paging.pages(client, path, query, _check)


def _check(page: Json) -> None:
    """Raise MalformedReplyError for a page without items; it may have none of them (G1)."""
    items = page.get("items")
    if not isinstance(items, list) or not all(map(_is_item, items)):
        raise MalformedReplyError("Google answered with a page without items")


def _is_item(one: object) -> bool:
    return isinstance(one, dict) and isinstance(one.get("id"), str) and bool(one["id"])


def state_text(sync: object) -> SyncToken:
    """Return our token; raises MalformedReplyError if the last page had none (G1)."""
    return paging.state_text(sync, _EVENTS)


def read_state(token: SyncToken) -> str:
    """Return Google's token; raises SyncTokenExpiredError for another version or parameters."""
    return paging.read_state(token, _EVENTS)
