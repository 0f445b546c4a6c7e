"""When the user is busy, without titles (api.md C8)."""

from aiohttp import web

from syncd.api.cronofy.answers import told
from syncd.api.cronofy.asking import Reach, reach
from syncd.api.cronofy.event import busy_object
from syncd.api.cronofy.event_shapes import FreeBusyOfUser
from syncd.api.cronofy.pages import Asked, pages_object, read_page
from syncd.api.cronofy.reading import PeriodQuery, first, headers, listed, places_by_id
from syncd.api.freshness import HEADERS
from syncd.api.route import route
from syncd.model.access import Scope

_HEADERS = (*HEADERS, "X-Syncd-Truncated")


@route(
    "GET",
    "/v1/free_busy",
    scope=Scope.READ_FREE_BUSY,
    query=PeriodQuery,
    answer=FreeBusyOfUser,
    headers=_HEADERS,
    errors=(404,),
)
async def list_free_busy(request: web.Request, query: PeriodQuery) -> web.Response:
    """List when the calendars are busy, tentatively busy or marked as free, 200 a page."""
    asked, whole = await first(request, "free_busy", query)
    return await _page(request, asked, whole)


@route(
    "GET",
    "/v1/free_busy/pages/{page_id}",
    scope=Scope.READ_FREE_BUSY,
    answer=FreeBusyOfUser,
    headers=_HEADERS,
)
async def list_more_free_busy(request: web.Request) -> web.Response:
    """Return the page that a `next_page` named, for the same token, within an hour."""
    asked = read_page(request, "free_busy")
    return await _page(request, asked, await reach(request, deleted=True))


async def _page(request: web.Request, asked: Asked, whole: Reach) -> web.Response:
    page, following = await listed(request, asked, whole)
    places = places_by_id(whole)
    found = (busy_object(places[one.event.calendar_id], one, asked) for one in page.events)
    periods = [one for one in found if one is not None]
    body = {"pages": pages_object(request, asked, following), "free_busy": periods}
    return told(body, headers=headers(asked, whole, page))
