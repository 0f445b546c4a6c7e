"""An account's activity through a subscription: K35-K42, of what it monitors (api.md K44)."""

from aiohttp import web

from syncd.api.kloudless.activity import end_of_stream, filter_of, page_of
from syncd.api.kloudless.follow import followed
from syncd.api.kloudless.shapes import ActivityPage, ActivityQuery, FollowQuery
from syncd.api.kloudless.subscriptions import ONE, subscription_named
from syncd.api.records import ActivityMessage, LatestCursor
from syncd.api.route import route
from syncd.model.access import Scope
from syncd.model.activity import Filter
from syncd.model.errors import ConflictError
from syncd.model.selection import Selection

_ACTIVITY = f"{ONE}/activity"


@route(
    "GET",
    _ACTIVITY,
    scope=Scope.READ_EVENTS,
    query=ActivityQuery,
    answer=ActivityPage,
    errors=(409, 410),
)
async def list_subscription_activity(request: web.Request, query: ActivityQuery) -> web.Response:
    """List what happened after a cursor in the calendars that a subscription monitors.

    Cursors are those of the account's stream. What happened to the account itself is always among
    it. A subscription that is not active answers 409; no cursor suffers from that.
    """
    return await page_of(request, query, await _wanted(request, query))


@route(
    "GET",
    f"{_ACTIVITY}/latest",
    scope=Scope.READ_EVENTS,
    answer=LatestCursor,
    errors=(409,),
)
async def latest_subscription_cursor(request: web.Request) -> web.Response:
    """Return the cursor at the current end of the account's stream."""
    await _active(request)
    return await end_of_stream(request)


@route(
    "GET",
    f"{_ACTIVITY}/stream",
    scope=Scope.READ_EVENTS,
    query=FollowQuery,
    answer=ActivityMessage,
    content_type="text/event-stream",
    errors=(409, 410),
    takes=("Last-Event-ID",),
)
async def follow_subscription_activity(
    request: web.Request, query: FollowQuery
) -> web.StreamResponse:
    """Follow the calendars that a subscription monitors as server-sent events.

    A change of the subscription counts from the next comment on; its end, and its being made
    inactive, end the stream.
    """
    now = await _wanted(request, query)
    return await followed(request, query, now, lambda: _wanted(request, query))


async def _wanted(request: web.Request, query: FollowQuery) -> Filter:
    return (await _active(request)).within(await filter_of(request, query))


async def _active(request: web.Request) -> Selection:
    """Return the subscription of the path; 409 unless it is active."""
    found = await subscription_named(request)
    if not found.active:
        raise ConflictError(f"subscription {found.id} is not active: PATCH it with active true")
    return found
