"""Events of a calendar (api.md K17, K18, K20, K23)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.freshness import HEADERS, freshness
from syncd.api.keys import profile_of
from syncd.api.kloudless.objects import RAW, calendar_named, event_object, wants_raw
from syncd.api.kloudless.shapes import Event, EventList, EventsQuery
from syncd.api.pages import joined
from syncd.api.params import instant
from syncd.api.parts import parts_of
from syncd.api.problems import invalid
from syncd.api.route import route
from syncd.api.versions import etag, versioned
from syncd.engine.browse import EPOCH, EventQuery
from syncd.engine.occurrences import ListedEvent
from syncd.model.access import Scope
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import UnsupportedError
from syncd.model.ids import EventId, ResourceKey
from syncd.model.resource import RawResource


@route(
    "GET",
    "/v1/accounts/{account_id}/cal/calendars/{calendar_id}/events",
    scope=Scope.READ_EVENTS,
    query=EventsQuery,
    answer=EventList,
    headers=(*HEADERS, "X-Syncd-Truncated"),
    takes=(RAW,),
)
async def list_events(request: web.Request, query: EventsQuery) -> web.Response:
    """List events by start; series appear as their occurrences unless `instances` is false.

    Without `end`, occurrences are computed for 366 days from now, or from a later `start`; at most
    2,000 of a series and 20,000 of a listing. A cut is told by `X-Syncd-Truncated: true`.
    """
    profile = profile_of(request)
    if query.as_of is not None:
        raise UnsupportedError("as_of is not supported yet: follow the activity stream instead")
    known = await calendar_named(request, profile, request.match_info["calendar_id"])
    asked = _asked(query, known)
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
    version = etag(event.document, *(one.etag.encode() + one.raw for one in raw.values()))
    return versioned(request, body, version, told)


def _asked(query: EventsQuery, known: KnownCalendar) -> EventQuery:
    zone = _zone(known)
    start = EPOCH if query.start is None else instant(query.start, zone)
    end = None if query.end is None else instant(query.end, zone)
    if end is not None and query.start is not None and start > end:
        raise invalid("start must not be after end", field="start")
    return EventQuery(
        start=start.astimezone(UTC),
        end=None if end is None else end.astimezone(UTC),
        instances=query.instances,
        page=query.page,
        page_size=query.page_size,
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
