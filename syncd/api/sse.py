"""Records as server-sent events (api.md K41)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from syncd.api.parts import parts_of
from syncd.api.streams import EndedError, holding
from syncd.model.errors import SyncdError

RETRY = b"retry: 3000\n\n"
HEARTBEAT = b": \n\n"
AT_ONCE = 100  # records between two looks at the store; nothing else is held for a reader (F36)
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


def message(record: bytes, cursor: str) -> bytes:
    """Return one record; stored JSON has no line break."""
    return b"event: activity\nid: %b\ndata: %b\n\n" % (cursor.encode(), record)


async def sent(request: web.Request, chunks: AsyncIterator[bytes]) -> web.StreamResponse:
    """Answer with chunks as they come, until they end, the token dies, or the server stops.

    Nothing is queued for a reader: the next chunk is asked for when the last one is written.
    """
    response = web.StreamResponse(headers=_HEADERS)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    with suppress(EndedError, SyncdError, ConnectionError):  # the reader comes back and is told
        async with holding(request, parts_of(request).pace.longest):
            await _write(request, response, RETRY)
            async for chunk in chunks:
                await _write(request, response, chunk)
    return response


async def _write(request: web.Request, response: web.StreamResponse, chunk: bytes) -> None:
    """Write, or cut off a reader that takes nothing for 10 s."""
    try:
        async with asyncio.timeout(parts_of(request).pace.stall.total_seconds()):
            await response.write(chunk)
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionAbortedError("the reader takes nothing") from None
