"""Events of a calendar (api.md K17-K23)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.auth import check_scope
from syncd.api.freshness import HEADERS, WRITTEN, freshness, written
from syncd.api.idempotency import object_name
from syncd.api.keys import profile_of, tokens_of
from syncd.api.kloudless.activity import refused_cursors
from syncd.api.kloudless.bodies import EventBody, EventPatch
from syncd.api.kloudless.drafts import event_draft
from syncd.api.kloudless.objects import (
    ERRORS,
    RAW,
    calendar_href,
    calendar_named,
    event_object,
    wants_raw,
)
from syncd.api.kloudless.room_events import room_events
from syncd.api.kloudless.shapes import Event, EventList, EventsQuery
from syncd.api.kloudless.windows import window_of
from syncd.api.pages import joined
from syncd.api.parts import parts_of
from syncd.api.problems import invalid
from syncd.api.route import route
from syncd.api.versions import demanded, etag, versioned
from syncd.engine.browse import EventQuery
from syncd.engine.event_writes import EventCheck, Outcome
from syncd.engine.occurrences import ListedEvent
from syncd.model.access import Scope, grants
from syncd.model.calendar import KnownCalendar
from syncd.model.ids import CalendarId, EventId, ResourceKey, is_room_calendar
from syncd.model.resource import RawResource


@route(
    "GET",
    "/v1/accounts/{account_id}/cal/calendars/{calendar_id}/events",
    scope=Scope.READ_EVENTS,
    query=EventsQuery,
    answer=EventList,
    headers=(*HEADERS, "X-Syncd-Truncated"),
    takes=(RAW,),
    errors=(410, 423, 429, 502, 503, 504),
)
async def list_events(request: web.Request, query: EventsQuery) -> web.Response:
    """List events by start; series appear as their occurrences unless `instances` is false.

    Without `end`, occurrences are computed for 366 days from now, or from a later `start`; at most
    2,000 of a series and 20,000 of a listing. A cut is told by `X-Syncd-Truncated: true`.
    `as_of`, a retained cursor of the account's activity, lists the calendar as it was there, also
    one that is gone since.

    The calendar of a room that `cal/resources` names is read from the provider at each request:
    without `end` single events end with the 366 days, too, instances at most five years ahead;
    `as_of` is refused. Nothing of it is in the stream, so there is no `X-Syncd-Cursor`, and
    `X-Syncd-Polled-At` is when it was read. 403 `upstream_forbidden` where the provider does not
    show it to the account.
    """
    profile, name = profile_of(request), request.match_info["calendar_id"]
    if is_room_calendar(name):
        return await room_events(request, profile, CalendarId(name), query)
    if query.as_of is not None and wants_raw(request):
        why = "the provider's own objects are kept of the present only: leave them or as_of out"
        raise invalid(why, field="as_of")
    known = await calendar_named(request, profile, name, removed=query.as_of is not None)
    asked = _asked(query, known)
    async with refused_cursors(request):
        listing = await parts_of(request).browser.list_events(profile.id, known.id, asked)
    raw = await _raw(request, known, listing.events)
    body = joined(
        [event_object(request, profile, event, raw) for event in listing.events],
        count=len(listing.events),
        total=listing.total,
        page=listing.page_number,
        next_page=listing.next_page,
        type="object_list",
        api="calendar",
    )
    told = freshness(
        profile,
        cursor=str(listing.cursor),
        polled_at=known.polled_at,
        truncated=listing.truncated,
    )
    return answer(body, headers=told)


@route(
    "GET",
    "/v1/accounts/{account_id}/cal/calendars/{calendar_id}/events/{event_id}",
    scope=Scope.READ_EVENTS,
    answer=Event,
    more={304: None},
    headers=(*HEADERS, "ETag"),
    takes=(RAW, "If-None-Match"),
)
async def retrieve_event(request: web.Request) -> web.Response:
    """Return one event, series, exception, or an occurrence that its series' rule yields."""
    profile = profile_of(request)
    parts = parts_of(request)
    stream = await parts.store.stream(profile.id)
    known = await calendar_named(request, profile, request.match_info["calendar_id"])
    name = EventId(request.match_info["event_id"])
    event = await parts.browser.event(profile.id, known.id, name)
    raw = await _raw(request, known, [event])
    body = event_object(request, profile, event, raw)
    told = freshness(profile, cursor=str(stream.latest), polled_at=known.polled_at)
    return versioned(request, body, _version(event, *raw.values()), told)


@route(
    "POST",
    "/v1/accounts/{account_id}/cal/calendars/{calendar_id}/events",
    scope=Scope.CREATE_EVENT,
    body=EventBody,
    answer=Event,
    status=201,
    errors=ERRORS,
    headers=(*WRITTEN, "Location"),
    takes=(RAW,),
    idempotent=True,
)
async def create_event(request: web.Request, body: EventBody) -> web.Response:
    """Make an event, at the provider first; the stream tells of it when this returns.

    A local time is wall time in its zone, else in the calendar's. With `all_day`, dates or times
    are taken and dates kept; `end` is exclusive. Members that the provider does not keep are
    named in `X-Syncd-Ignored`.
    """
    profile = profile_of(request)
    known = await calendar_named(request, profile, request.match_info["calendar_id"])
    made = await parts_of(request).writer.create_event(
        profile, known, event_draft(body), name=object_name(request)
    )
    place = f"{calendar_href(request, profile.id, known.id)}/events/{made.event.id}"
    return await _written(request, known, made, {"Location": place}, status=201)


@route(
    "PATCH",
    "/v1/accounts/{account_id}/cal/calendars/{calendar_id}/events/{event_id}",
    scope=Scope.CHANGE_PARTICIPATION_STATUS,
    body=EventPatch,
    answer=Event,
    errors=(*ERRORS, 412),
    headers=WRITTEN,
    takes=(RAW, "If-Match"),
)
async def update_event(request: web.Request, body: EventPatch) -> web.Response:
    """Change what is given of an event; null clears, what is missing stays.

    On a series this changes all of it, on an occurrence it makes an exception. A list of
    `attendees` from a guest is the guest's own answer, and so is one that names only the
    organizer with a `status`; any other list of the organizer's replaces who is invited. More
    than an answer needs the scope `create_event`. At Google a new `organizer` moves the event to
    the organizer's calendar, which must be a writable one of the account; the id stays.
    """
    profile = profile_of(request)
    answer_only = not any(grants(one.scopes, Scope.CREATE_EVENT) for one in tokens_of(request))
    if answer_only and body.model_fields_set - {"attendees"}:
        check_scope(tokens_of(request), Scope.CREATE_EVENT)
    known = await calendar_named(request, profile, request.match_info["calendar_id"])
    made = await parts_of(request).writer.update_event(
        profile,
        known,
        EventId(request.match_info["event_id"]),
        event_draft(body, answer_only=answer_only),
        check=_check(request),
    )
    if made.event.calendar_id != known.id:  # a new organizer's (K26)
        known = await parts_of(request).store.calendar(made.event.calendar_id)
    return await _written(request, known, made, {})


@route(
    "DELETE",
    "/v1/accounts/{account_id}/cal/calendars/{calendar_id}/events/{event_id}",
    scope=Scope.DELETE_EVENT,
    status=204,
    errors=(*ERRORS, 412),
    headers=("X-Syncd-Cursor",),
    takes=("If-Match",),
)
async def delete_event(request: web.Request) -> web.Response:
    """Delete an event, a series with its exceptions, or one occurrence of a series."""
    profile = profile_of(request)
    known = await calendar_named(request, profile, request.match_info["calendar_id"])
    name = EventId(request.match_info["event_id"])
    cursor = await parts_of(request).writer.delete_event(
        profile, known, name, check=_check(request)
    )
    return web.Response(status=204, headers=written(cursor))


async def _written(
    request: web.Request,
    known: KnownCalendar,
    made: Outcome,
    headers: dict[str, str],
    *,
    status: int = 200,
) -> web.Response:
    raw = await _raw(request, known, [made.event])
    body = event_object(request, profile_of(request), made.event, raw)
    told = written(made.cursor, made.ignored) | headers
    version = _version(made.event, *raw.values())
    return versioned(request, body, version, told, status=status)


def _version(event: ListedEvent, *raw: RawResource) -> str:
    return etag(event.document, *(one.etag.encode() + one.raw for one in raw))


def _check(request: web.Request) -> EventCheck | None:
    """Return what If-Match asks for, None without it: a version read with or without raw (R18)."""
    named = demanded(request)
    if named is None:
        return None
    return lambda event, resource: named(_version(event), _version(event, resource))


def _asked(query: EventsQuery, known: KnownCalendar) -> EventQuery:
    start, end = window_of(query, _zone(known))
    return EventQuery(
        start=start,
        end=end,
        instances=query.instances,
        page=query.page,
        page_size=query.page_size,
        as_of=query.as_of,
    )


def _zone(known: KnownCalendar) -> tzinfo:
    """Return the zone of a local time in a query (R12)."""
    try:
        return ZoneInfo(known.calendar.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


async def _raw(
    request: web.Request, known: KnownCalendar, events: Sequence[ListedEvent]
) -> Mapping[ResourceKey, RawResource]:
    if not wants_raw(request) or not events:
        return {}
    return await parts_of(request).store.raw(known.id, {event.key for event in events})
