"""Records as server-sent events (api.md K41)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from aiohttp import HttpVersion11, web

from syncd.api.parts import parts_of
from syncd.api.streams import EndedError, holding
from syncd.api.together import AT_MOST, Piece
from syncd.model.errors import SyncdError

RETRY = b"retry: 3000\n\n"
AT_ONCE = 100  # records between two looks at the store; nothing else is held for a reader (F36)
_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


def message(record: bytes, cursor: str) -> bytes:
    """Return one record; stored JSON has no line break."""
    return b"event: activity\nid: %b\ndata: %b\n\n" % (cursor.encode(), record)


def heartbeat(cursor: str) -> bytes:
    """Return a comment with the place where the reader stands.

    Readers keep that as their last id, so one that comes back before its first record (``latest``),
    or from where nothing is wanted for long, goes on there. It is told to nobody: it has no data.
    """
    return b": \nid: %b\n\n" % cursor.encode()


async def sent(
    request: web.Request, first: Piece, follow: Callable[[str], Awaitable[Piece]]
) -> web.StreamResponse:
    """Answer with a piece and what follows it, until the last, the token dies, or the server stops.

    Nothing is queued for a reader: the next piece is asked for when the last one is written.
    """
    response = web.StreamResponse(headers=_HEADERS)
    if request.version >= HttpVersion11:
        response.enable_chunked_encoding()
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    pace, transport = parts_of(request).pace, request.transport
    if transport is None:
        return response  # gone already
    with suppress(EndedError, ConnectionError):
        await response.write(RETRY)  # behind the head; what follows may pass by the response
        async with holding(request, pace.longest), asyncio.TaskGroup() as group:
            # in a task of its own, or each wake would come down through all that handles a request
            group.create_task(_told(transport, response, first, follow, pace.stall))
    return response


async def _told(
    transport: asyncio.Transport,
    response: web.StreamResponse,
    piece: Piece,
    follow: Callable[[str], Awaitable[Piece]],
    stall: timedelta,
) -> None:
    """Write a piece and what follows it, up to the last, or to an error.

    To frame a chunk takes as long as to write it, and a thousand readers are written the same one.
    """
    framed = response.chunked
    with suppress(SyncdError, ConnectionError):  # the reader comes back and is told
        while True:
            for part, chunk in zip(piece.parts, piece.chunks, strict=True):
                if len(part) > AT_MOST or transport.get_write_buffer_size():
                    await _press(transport, response, part, stall)
                elif framed and not transport.is_closing():
                    transport.write(chunk)
                else:
                    await response.write(part)  # has room, so it cannot wait
            if piece.last:
                return
            piece = await follow(piece.cursor)


async def _press(
    transport: asyncio.Transport, response: web.StreamResponse, part: bytes, stall: timedelta
) -> None:
    """Write, or cut off a reader that takes nothing for so long."""
    try:
        async with asyncio.timeout(stall.total_seconds()):
            await response.write(part)
    except TimeoutError:
        transport.abort()
        raise ConnectionAbortedError("the reader takes nothing") from None
