"""How calendars and events are asked for, page by page and in batches (MG2, MG3, MG6, MG10)."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

import orjson

from syncd.formats.outlook import Json
from syncd.model.calendar import Calendar
from syncd.model.errors import MalformedReplyError, SyncdError
from syncd.model.ids import CalendarKey, ResourceKey, short
from syncd.model.when import utc
from syncd.providers.graph.batch import Part
from syncd.providers.graph.client import DELTA, NEXT, Ask, GraphClient
from syncd.providers.graph.properties import EXTENSION
from syncd.providers.graph.translate import BROKEN, calendar_of
from syncd.providers.graph.window import Window

CALENDARS = ("me", "calendars")
_CALENDARS = {"$top": "100"}
_EXPANDED = {"$expand": f"extensions($filter=id eq '{EXTENSION}')"}
_EVENTS = {"$top": "500", **_EXPANDED}
_INSTANCES = {"$top": "500", "$select": "type,start,end,isAllDay,originalStart,iCalUId"}
_BY_START = {"$top": "500", "$orderby": "start/dateTime"}
_FEED_PAGE = 200
PARAMETERS = short(orjson.dumps((_EVENTS, _INSTANCES, _FEED_PAGE)).decode(), length=8)


async def calendar_list(client: GraphClient) -> list[Calendar]:
    """Return every calendar of the mailbox."""
    found = list[Calendar]()
    async for page in client.pages(Ask(path=CALENDARS, query=_CALENDARS)):
        try:
            found += [calendar_of(entry) for entry in page["value"]]
        except BROKEN as error:
            raise MalformedReplyError(f"a calendar cannot be read: {error!r}") from None
    return found


async def event_pages(client: GraphClient, calendar: CalendarKey) -> AsyncIterator[list[Json]]:
    """Yield all single events and series of a calendar, without exceptions (MG6)."""
    async for page in client.pages(Ask(path=(*CALENDARS, calendar, "events"), query=_EVENTS)):
        yield _entries(page)


async def feed_pages(
    client: GraphClient, calendar: CalendarKey, window: Window
) -> AsyncIterator[Json]:
    """Yield a first round of the change feed within a window; the last page has the deltaLink."""
    path = (*CALENDARS, calendar, "calendarView", "delta")
    async for page in _feed(client, Ask(path=path, query=window.query, page=_FEED_PAGE)):
        yield page


async def changed_pages(client: GraphClient, link: str) -> AsyncIterator[Json]:
    """Yield what changed since a deltaLink, which holds window and parameters (MG2)."""
    async for page in _feed(client, Ask(link=link, page=_FEED_PAGE)):
        yield page


async def room_view_pages(
    client: GraphClient, room: str, after: datetime, before: datetime
) -> AsyncIterator[list[Json]]:
    """Yield single events, occurrences and exceptions of a room that meet a window, by start."""
    window = {"startDateTime": utc(after), "endDateTime": utc(before)}
    ask = Ask(path=(*_calendar_of(room), "calendarView"), query={**window, **_BY_START})
    async for page in client.pages(ask):
        yield _entries(page)


async def room_event_pages(client: GraphClient, room: str) -> AsyncIterator[list[Json]]:
    """Yield all single events and series of a room, without exceptions, by start."""
    ask = Ask(path=(*_calendar_of(room), "events"), query=_BY_START)
    async for page in client.pages(ask):
        yield _entries(page)


async def room_series(
    client: GraphClient, room: str, series: Iterable[ResourceKey]
) -> dict[ResourceKey, Json | None]:
    """Return these series of a room as they are now, None for what is gone."""
    wanted = list(series)
    asks = [Ask(path=(*_calendar_of(room), "events", key)) for key in wanted]
    found = dict[ResourceKey, Json | None]()
    for key, told in zip(wanted, await client.batch(asks), strict=True):
        if isinstance(told, SyncdError):
            raise told
        found[key] = None if told is None else _entry(told)
    return found


def _calendar_of(room: str) -> tuple[str, ...]:
    return ("users", room, "calendar")


async def looked_up(
    client: GraphClient, calendar: CalendarKey, ids: Iterable[str]
) -> dict[str, Part]:
    """Return events whole as they are now, with our extension (MG19), None for what is gone.

    Of what Graph cannot tell it is the error. They are asked for below their calendar: an id
    outlives the move to another one (MG3, P7).
    """
    wanted = list(dict.fromkeys(ids))
    told = await client.batch([event_ask(calendar, one) for one in wanted])
    for item in told:
        if isinstance(item, dict):
            _entry(item)
    return dict(zip(wanted, told, strict=True))


def event_ask(calendar: CalendarKey, key: str) -> Ask:
    """Return the request for one event, whole."""
    return Ask(path=(*CALENDARS, calendar, "events", key), query=_EXPANDED)


async def instances_of(
    client: GraphClient, series: Sequence[ResourceKey], window: Window
) -> dict[ResourceKey, list[Json] | SyncdError | None]:
    """Return what of each series lies within a window, as entries of few members; None if gone.

    Of what Graph cannot tell it is the error.
    """
    told = await client.batch([instances_ask(key, window) for key in series])
    found = dict[ResourceKey, list[Json] | SyncdError | None]()
    for key, first in zip(series, told, strict=True):
        if first is None or isinstance(first, SyncdError):
            found[key] = first
            continue
        entries = _entries(first)
        if isinstance(link := first.get(NEXT), str):
            async for page in client.pages(Ask(link=link)):
                entries += _entries(page)
        found[key] = entries
    return found


def instances_ask(series: ResourceKey, window: Window) -> Ask:
    """Return the request for what a series yields within a window (MG7)."""
    return Ask(path=("me", "events", series, "instances"), query={**window.query, **_INSTANCES})


async def _feed(client: GraphClient, ask: Ask) -> AsyncIterator[Json]:
    async for page in client.pages(ask):
        _entries(page)
        if page.get(NEXT) is None and not isinstance(page.get(DELTA), str):
            raise MalformedReplyError("Microsoft Graph's last page has no deltaLink")
        yield page


def _entries(page: Json) -> list[Json]:
    """Return the entries of a page; raises MalformedReplyError if one has no id."""
    value = page.get("value")
    if not isinstance(value, list):
        raise MalformedReplyError("Microsoft Graph answered with a page without a value")
    return [_entry(one) for one in value]


def _entry(one: object) -> Json:
    if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"]:
        return one
    raise MalformedReplyError("Microsoft Graph gave an event without an id")
