"""Events of all profiles, read (api.md C6, C7)."""

from aiohttp import web

from syncd.api.cronofy.answers import told
from syncd.api.cronofy.asking import Reach, reach
from syncd.api.cronofy.event import event_object
from syncd.api.cronofy.event_shapes import EventsOfUser
from syncd.api.cronofy.pages import Asked, pages_object, read_page
from syncd.api.cronofy.reading import EventsOfUserQuery, first, headers, listed, places_by_id
from syncd.api.freshness import HEADERS
from syncd.api.route import route
from syncd.model.access import Scope

_HEADERS = (*HEADERS, "X-Syncd-Truncated")


@route(
    "GET",
    "/v1/events",
    scope=Scope.READ_EVENTS,
    query=EventsOfUserQuery,
    answer=EventsOfUser,
    headers=_HEADERS,
    errors=(404,),
)
async def list_all_events(request: web.Request, query: EventsOfUserQuery) -> web.Response:
    """List events of all calendars by start, 200 a page; series appear as their occurrences.

    An event is in the window if it starts before `to` and ends at or after `from`. What this
    application made is left out unless asked for, and not bound to the default window.
    """
    asked, whole = await first(request, "events", query)
    return await _page(request, asked, whole)


@route(
    "GET",
    "/v1/events/pages/{page_id}",
    scope=Scope.READ_EVENTS,
    answer=EventsOfUser,
    headers=_HEADERS,
)
async def list_more_events(request: web.Request) -> web.Response:
    """Return the page that a `next_page` named, for the same token, within an hour."""
    asked = read_page(request, "events")
    return await _page(request, asked, await reach(request, deleted=True))


async def _page(request: web.Request, asked: Asked, whole: Reach) -> web.Response:
    page, following = await listed(request, asked, whole)
    places = places_by_id(whole)
    events = [event_object(places[one.event.calendar_id], one, asked) for one in page.events]
    body = {"pages": pages_object(request, asked, following), "events": events}
    return told(body, headers=headers(asked, whole, page))
