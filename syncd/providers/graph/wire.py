"""How calendars and events are asked for (MG2, MG3, MG6)."""

from collections.abc import AsyncIterator
from datetime import datetime

from syncd.model.calendar import Calendar
from syncd.model.errors import MalformedReplyError
from syncd.model.ids import CalendarKey
from syncd.model.when import utc
from syncd.providers.graph.client import DELTA, NEXT, Ask, GraphClient
from syncd.providers.graph.translate import BROKEN, Json, calendar_of

_CALENDARS = {"$top": "100"}
_EVENTS = {"$top": "500"}
_FEED_PAGE = 200


async def calendar_list(client: GraphClient) -> list[Calendar]:
    """Return every calendar of the mailbox."""
    found = list[Calendar]()
    async for page in client.pages(Ask(path=("me", "calendars"), query=_CALENDARS)):
        try:
            found += [calendar_of(entry) for entry in page["value"]]
        except BROKEN as error:
            raise MalformedReplyError(f"a calendar cannot be read: {error!r}") from None
    return found


def event_pages(client: GraphClient, calendar: CalendarKey) -> AsyncIterator[Json]:
    """Yield all single events and series of a calendar, without exceptions (MG6)."""
    return client.pages(Ask(path=("me", "calendars", calendar, "events"), query=_EVENTS))


async def feed_pages(
    client: GraphClient, calendar: CalendarKey, after: datetime, before: datetime
) -> AsyncIterator[Json]:
    """Yield a first round of the change feed within a window; the last page has the deltaLink."""
    path = ("me", "calendars", calendar, "calendarView", "delta")
    window = {"startDateTime": utc(after), "endDateTime": utc(before)}
    async for page in _feed(client, Ask(path=path, query=window, page=_FEED_PAGE)):
        yield page


async def changed_pages(client: GraphClient, link: str) -> AsyncIterator[Json]:
    """Yield what changed since a deltaLink, which holds window and parameters (MG2)."""
    async for page in _feed(client, Ask(link=link, page=_FEED_PAGE)):
        yield page


async def _feed(client: GraphClient, ask: Ask) -> AsyncIterator[Json]:
    async for page in client.pages(ask):
        if page.get(NEXT) is None and not isinstance(page.get(DELTA), str):
            raise MalformedReplyError("Microsoft Graph's last page has no deltaLink")
        yield page
