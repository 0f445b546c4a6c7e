"""Events of a room's calendar, which are read from the provider at each request (api.md K18)."""

from datetime import datetime

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.freshness import live
from syncd.api.kloudless.objects import event_object, wants_raw
from syncd.api.kloudless.shapes import EventsQuery
from syncd.api.kloudless.windows import window_of
from syncd.api.pages import Place, joined, page_token, read_page
from syncd.api.params import near
from syncd.api.parts import parts_of
from syncd.api.problems import invalid
from syncd.engine.room_calendars import LiveEvent, RoomQuery
from syncd.model.errors import InvalidError
from syncd.model.ids import CalendarId, EventId, short
from syncd.model.profile import Profile
from syncd.model.when import from_milliseconds, milliseconds


async def room_events(
    request: web.Request, profile: Profile, calendar: CalendarId, query: EventsQuery
) -> web.Response:
    """Answer as for a calendar of the snapshot, but for what an answer tells of the stream."""
    if query.as_of is not None:
        raise invalid("the calendar of a room has no past here: leave as_of out", field="as_of")
    start, end = window_of(query)
    name = short(calendar, str(start), str(end), str(query.instances))
    place = read_page(query.page, of=name)
    behind, until = _read(place)
    asked = RoomQuery(
        start=start,
        end=end,
        instances=query.instances,
        page_size=query.page_size,
        behind=behind,
        until=until,
    )
    listing = await parts_of(request).room_calendars.list_events(profile, calendar, asked)
    following = _following(listing.events[-1], listing.until, name, place) if listing.more else None
    raw = wants_raw(request)
    body = joined(
        [
            event_object(request, profile, one.event, {one.event.key: one.raw} if raw else {})
            for one in listing.events
        ],
        count=len(listing.events),
        total=None if listing.more or behind else len(listing.events),
        page=place.number,
        next_page=following,
        type="object_list",
        api="calendar",
    )
    return answer(body, headers=live(profile, read_at=listing.read_at, truncated=listing.cut))


def _read(place: Place) -> tuple[tuple[datetime, EventId] | None, datetime | None]:
    """Return what the page before ended with, and where the listing ends."""
    if place.behind is None:
        return None, None
    try:
        begins, event, until = place.behind
        end = None if until is None else from_milliseconds(until)
        return (near(from_milliseconds(begins)), EventId(str(event))), end
    except (ValueError, TypeError, OverflowError):
        raise InvalidError("this page belongs to no listing", field="page") from None


def _following(last: LiveEvent, until: datetime | None, name: str, place: Place) -> str:
    end = None if until is None else milliseconds(until)
    behind = (milliseconds(last.begins_at), last.event.id, end)
    return page_token(of=name, number=place.number + 1, behind=behind, cursor=None)
