"""Calendars of an account (api.md K12-K16)."""

import orjson
from aiohttp import web

from syncd.api.answers import answer
from syncd.api.freshness import HEADERS, WRITTEN, freshness, written
from syncd.api.idempotency import object_name
from syncd.api.keys import profile_of
from syncd.api.kloudless.bodies import CalendarBody, CalendarPatch
from syncd.api.kloudless.drafts import calendar_edit
from syncd.api.kloudless.objects import ERRORS, RAW, calendar_named, calendar_object
from syncd.api.kloudless.shapes import Calendar, CalendarList
from syncd.api.pages import page_token, read_page
from syncd.api.params import Paged
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.api.versions import demanded, etag, versioned
from syncd.engine.calendar_writes import CalendarCheck
from syncd.engine.records import calendar_document
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
    return versioned(request, body, _version(known), told)


@route(
    "POST",
    "/v1/accounts/{account_id}/cal/calendars",
    scope=Scope.CREATE_CALENDAR,
    body=CalendarBody,
    answer=Calendar,
    status=201,
    errors=ERRORS,
    headers=(*WRITTEN, "Location"),
    takes=(RAW,),
    idempotent=True,
)
async def create_calendar(request: web.Request, body: CalendarBody) -> web.Response:
    """Make a calendar, at the provider first; the stream tells of it when this returns.

    Members that the provider does not keep are named in `X-Syncd-Ignored`.
    """
    made = await parts_of(request).writer.create_calendar(
        profile_of(request), calendar_edit(body), name=object_name(request)
    )
    shown = calendar_object(request, made.calendar)
    told = written(made.cursor, made.ignored) | {"Location": shown["href"]}
    version = _version(made.calendar)
    return versioned(request, orjson.dumps(shown), version, told, status=201)


@route(
    "PATCH",
    "/v1/accounts/{account_id}/cal/calendars/{calendar_id}",
    scope=Scope.CREATE_CALENDAR,
    body=CalendarPatch,
    answer=Calendar,
    errors=(*ERRORS, 412),
    headers=WRITTEN,
    takes=(RAW, "If-Match"),
)
async def update_calendar(request: web.Request, body: CalendarPatch) -> web.Response:
    """Change what is given of a calendar; null clears, what is missing stays."""
    profile = profile_of(request)
    known = await calendar_named(request, profile, request.match_info["calendar_id"])
    made = await parts_of(request).writer.update_calendar(
        profile, known, calendar_edit(body), check=_check(request)
    )
    shown = orjson.dumps(calendar_object(request, made.calendar))
    told = written(made.cursor, made.ignored)
    return versioned(request, shown, _version(made.calendar), told)


@route(
    "DELETE",
    "/v1/accounts/{account_id}/cal/calendars/{calendar_id}",
    scope=Scope.CREATE_CALENDAR,
    status=204,
    errors=(*ERRORS, 412),
    headers=("X-Syncd-Cursor",),
    takes=("If-Match",),
)
async def delete_calendar(request: web.Request) -> web.Response:
    """Delete a calendar with all of its events."""
    profile = profile_of(request)
    known = await calendar_named(request, profile, request.match_info["calendar_id"])
    cursor = await parts_of(request).writer.delete_calendar(profile, known, check=_check(request))
    return web.Response(status=204, headers=written(cursor))


def _version(known: KnownCalendar) -> str:
    return etag(orjson.dumps(calendar_document(known)))


def _check(request: web.Request) -> CalendarCheck | None:
    """Return what If-Match asks for, None without it (R18)."""
    named = demanded(request)
    return None if named is None else lambda known: named(_version(known))


def _order(known: KnownCalendar) -> tuple[bool, str, str]:
    return (not known.calendar.primary, known.calendar.name.casefold(), known.id)
