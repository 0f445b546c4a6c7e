"""Calendars of an account (api.md K12, K14)."""

import orjson
from aiohttp import web

from syncd.api.answers import answer
from syncd.api.freshness import HEADERS, freshness
from syncd.api.keys import profile_of
from syncd.api.kloudless.objects import RAW, calendar_named, calendar_object
from syncd.api.kloudless.shapes import Calendar, CalendarList
from syncd.api.pages import page_token, read_page
from syncd.api.params import Paged
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.api.versions import etag, versioned
from syncd.model.access import Scope
from syncd.model.calendar import KnownCalendar


@route(
    "GET",
    "/v1/accounts/{account_id}/cal/calendars",
    scope=Scope.LIST_CALENDARS,
    query=Paged,
    answer=CalendarList,
    headers=HEADERS,
    takes=(RAW,),
)
async def list_calendars(request: web.Request, query: Paged) -> web.Response:
    """List the calendars of the account's own list: the primary one first, then by name."""
    profile = profile_of(request)
    name = f"calendars|{profile.id}"
    place = read_page(query.page, of=name)
    store = parts_of(request).store
    cursor = place.cursor or str((await store.stream(profile.id)).latest)
    listed = sorted(await store.calendars(profile.id), key=_order)
    behind = [one for one in listed if place.behind is None or _order(one) > place.behind]
    shown, more = behind[: query.page_size], behind[query.page_size :]
    following = None
    if more:
        number, last = place.number + 1, _order(shown[-1])
        following = page_token(of=name, number=number, behind=last, cursor=cursor)
    body = {
        "count": len(shown),
        "page": str(place.number),
        "next_page": following,
        "objects": [calendar_object(request, known) for known in shown],
        "type": "object_list",
        "api": "calendar",
    }
    told = freshness(profile, cursor=cursor, polled_at=profile.polled_at)
    return answer(body, headers=told)


@route(
    "GET",
    "/v1/accounts/{account_id}/cal/calendars/{calendar_id}",
    scope=Scope.LIST_CALENDARS,
    answer=Calendar,
    more={304: None},
    headers=(*HEADERS, "ETag"),
    takes=(RAW, "If-None-Match"),
)
async def retrieve_calendar(request: web.Request) -> web.Response:
    """Return one calendar; `primary` is the account's primary one."""
    profile = profile_of(request)
    stream = await parts_of(request).store.stream(profile.id)
    known = await calendar_named(request, profile, request.match_info["calendar_id"])
    body = orjson.dumps(calendar_object(request, known))
    told = freshness(profile, cursor=str(stream.latest), polled_at=known.polled_at)
    return versioned(request, body, etag(body), told)


def _order(known: KnownCalendar) -> tuple[bool, str, str]:
    return (not known.calendar.primary, known.calendar.name.casefold(), known.id)
