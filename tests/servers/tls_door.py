"""TLS in front of a plain server: bytes are passed on as they come."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_PATIENCE = 0.05  # for a peer that leaves without a word: asyncio would wait for half a minute


@asynccontextmanager
async def tls_door(port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    """Yield the port at which the server of ``port`` is reached over TLS."""

    async def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass(reader, outer))
                group.create_task(_pass(inner, writer))
        finally:
            for one in (writer, outer):
                one.close()
                with suppress(OSError):
                    await one.wait_closed()

    server = await asyncio.start_server(
        enter, "127.0.0.1", 0, ssl=context, ssl_shutdown_timeout=_PATIENCE
    )
    async with server:
        yield int(server.sockets[0].getsockname()[1])
    await asyncio.sleep(2 * _PATIENCE)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(2**16):
            writer.write(chunk)
            await writer.drain()
    writer.close()
