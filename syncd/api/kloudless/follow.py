"""The activity stream as server-sent events (api.md K41)."""

from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from syncd.api.keys import profile_of
from syncd.api.kloudless.activity import bodies_of, end_of, filter_of, refused_cursors
from syncd.api.kloudless.shapes import FollowQuery
from syncd.api.pages import spliced
from syncd.api.parts import parts_of
from syncd.api.records import ActivityMessage
from syncd.api.route import route
from syncd.api.sse import AT_ONCE, HEARTBEAT, message, sent
from syncd.model.access import Scope
from syncd.model.activity import Batch, Filter, Kind, Type
from syncd.model.ids import Cursor


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
    return await followed(request, query, lambda: filter_of(request, query))


async def followed(
    request: web.Request, query: FollowQuery, wanted: Callable[[], Awaitable[Filter]]
) -> web.StreamResponse:
    """Answer with the account's stream (K41); what is ``wanted`` is asked before each read."""
    cursor = request.headers.get("Last-Event-ID") or query.cursor
    stream, account = parts_of(request).stream, profile_of(request).id
    first = await wanted()
    async with refused_cursors(request):
        batch = await stream.read(account, cursor=cursor, limit=AT_ONCE, wanted=first)
    return await sent(request, _chunks(request, batch, wanted))


async def _chunks(
    request: web.Request, batch: Batch, wanted: Callable[[], Awaitable[Filter]]
) -> AsyncIterator[bytes]:
    """Yield what is to be written, until the account is removed or nothing is wanted any more.

    Each read begins where the last one ended, so nothing is lost or doubled.
    """
    parts, account = parts_of(request), profile_of(request).id
    while True:
        bodies = await bodies_of(request, batch.activities)
        for activity, body in zip(batch.activities, bodies, strict=True):
            cursor = str(Cursor(batch.stream.epoch, activity.position))
            yield message(spliced(body, ("cursor", cursor)), cursor)
            if (activity.kind, activity.type) == (Kind.ACCOUNT, Type.DELETE):
                return
        if not batch.activities:
            yield HEARTBEAT
        batch = await parts.stream.read(
            account,
            cursor=end_of(batch),
            limit=AT_ONCE,
            wanted=await wanted(),
            wait=parts.pace.heartbeat,
        )
