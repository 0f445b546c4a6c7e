"""The activity stream as server-sent events (api.md K41)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from syncd.api.keys import profile_of, tokens_of
from syncd.api.kloudless.activity import bodies_of, end_of, filter_of, refused_cursors
from syncd.api.kloudless.shapes import ActivityMessage, FollowQuery
from syncd.api.pages import spliced
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.api.streams import EndedError, open_requests
from syncd.model.access import Scope
from syncd.model.activity import Batch, Filter, Kind, Type
from syncd.model.errors import SyncdError
from syncd.model.ids import Cursor

RETRY = b"retry: 3000\n\n"
HEARTBEAT = b": \n\n"
AT_ONCE = 100  # records between two looks at the store; nothing else is held for a reader (F36)
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


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
    cursor = request.headers.get("Last-Event-ID") or query.cursor
    wanted = await filter_of(request, query)
    stream, account = parts_of(request).stream, profile_of(request).id
    async with refused_cursors(request):
        batch = await stream.read(account, cursor=cursor, limit=AT_ONCE, wanted=wanted)
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    (token,) = tokens_of(request)
    with suppress(EndedError, SyncdError, ConnectionError):  # the reader comes back and is told
        async with open_requests(request).held(token, parts_of(request).pace.longest):
            await _write(request, response, RETRY)
            async for chunk in _chunks(request, batch, wanted):
                await _write(request, response, chunk)
    return response


async def _chunks(request: web.Request, batch: Batch, wanted: Filter) -> AsyncIterator[bytes]:
    """Yield what is to be written, until the account is removed.

    Each read begins where the last one ended, so nothing is lost or doubled.
    """
    parts, account = parts_of(request), profile_of(request).id
    while True:
        bodies = await bodies_of(request, batch.activities)
        for activity, body in zip(batch.activities, bodies, strict=True):
            yield _told(Cursor(batch.stream.epoch, activity.position), body)
            if (activity.kind, activity.type) == (Kind.ACCOUNT, Type.DELETE):
                return
        if not batch.activities:
            yield HEARTBEAT
        batch = await parts.stream.read(
            account,
            cursor=end_of(batch),
            limit=AT_ONCE,
            wanted=wanted,
            wait=parts.pace.heartbeat,
        )


def _told(cursor: Cursor, body: bytes) -> bytes:
    """Return one record; stored JSON has no line break."""
    record = spliced(body, ("cursor", str(cursor)))
    return b"event: activity\nid: %b\ndata: %b\n\n" % (str(cursor).encode(), record)


async def _write(request: web.Request, response: web.StreamResponse, chunk: bytes) -> None:
    """Write, or cut off a reader that takes nothing for 10 s."""
    try:
        async with asyncio.timeout(parts_of(request).pace.stall.total_seconds()):
            await response.write(chunk)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionAbortedError("the reader takes nothing") from None
