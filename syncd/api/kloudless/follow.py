"""The activity stream as server-sent events (api.md K41)."""

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.keys import profile_of
from syncd.api.kloudless.activity import bodies_of, end_of, filter_of, refused_cursors
from syncd.api.kloudless.shapes import FollowQuery
from syncd.api.pages import spliced
from syncd.api.parts import parts_of
from syncd.api.records import ActivityMessage
from syncd.api.route import route
from syncd.api.sse import AT_ONCE, heartbeat, message, sent
from syncd.api.together import Lane, Look, Piece, packed, together
from syncd.model.access import Scope
from syncd.model.activity import Batch, Filter, Kind, Type
from syncd.model.ids import PRIMARY, Cursor


@route(
    "GET",
    "/v1/accounts/{account_id}/events/stream",
    scope=Scope.READ_EVENTS,
    query=FollowQuery,
    answer=ActivityMessage,
    content_type="text/event-stream",
    errors=(410,),
    takes=("Last-Event-ID",),
)
async def follow_activity(request: web.Request, query: FollowQuery) -> web.StreamResponse:
    """Follow what happens in an account as server-sent events, each with its cursor as `id`.

    `Last-Event-ID` wins over `cursor`. A comment is sent every 15 s; the server ends the stream
    after 4 h, when it stops and when the token dies.
    """
    wanted = await filter_of(request, query)
    if PRIMARY in (query.calendar_ids or ()):  # may be another one later
        return await followed(request, query, wanted, lambda: filter_of(request, query))
    return await followed(request, query, wanted)


async def followed(
    request: web.Request,
    query: FollowQuery,
    now: Filter,
    later: Callable[[], Awaitable[Filter]] | None = None,
) -> web.StreamResponse:
    """Answer with the account's stream (K41): what is wanted ``now``.

    ``later`` is asked before each further read where that may change. Each read begins where the
    last one ended, so nothing is lost or doubled.
    """
    cursor = request.headers.get("Last-Event-ID") or query.cursor
    stream, account, base = parts_of(request).stream, profile_of(request).id, base_url(request)
    async with refused_cursors(request):
        batch = await stream.read(account, cursor=cursor, limit=AT_ONCE, wanted=now)

    def lane_of(wanted: Filter) -> tuple[Lane, Look]:
        return together(request).lane((account, wanted, base)), partial(_look, request, wanted)

    lane, look = lane_of(now)

    async def changing(cursor: str) -> Piece:
        nonlocal now, lane, look
        if later is not None and (after := await later()) is not now:
            now, (lane, look) = after, lane_of(after)
        return await lane.ask(cursor, look)

    def same(cursor: str) -> Awaitable[Piece]:
        return lane.ask(cursor, look)

    first = await _piece(request, batch)
    return await sent(request, first, same if later is None else changing)


async def _look(request: web.Request, wanted: Filter, cursor: str) -> Piece:
    """Return what follows a cursor, or a heartbeat."""
    parts = parts_of(request)
    account, wait = profile_of(request).id, parts.pace.heartbeat
    batch = await parts.stream.read(account, cursor=cursor, limit=AT_ONCE, wanted=wanted, wait=wait)
    return await _piece(request, batch)


async def _piece(request: web.Request, batch: Batch) -> Piece:
    """Return a batch as it is written; the last one is that which removes the account."""
    messages, last = list[bytes](), False
    bodies = await bodies_of(request, batch.activities)
    for activity, body in zip(batch.activities, bodies, strict=True):
        cursor = str(Cursor(batch.stream.epoch, activity.position))
        messages.append(message(spliced(body, ("cursor", cursor)), cursor))
        if last := (activity.kind, activity.type) == (Kind.ACCOUNT, Type.DELETE):
            break
    end = end_of(batch)
    return Piece(parts=packed(messages or [heartbeat(end)]), cursor=end, last=last)
