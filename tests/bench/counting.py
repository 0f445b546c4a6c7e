"""A TCP forwarder that counts the requests and bytes of what passes through."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_REQUEST = b" HTTP/1.1\r\n"


@dataclass(slots=True)
class Traffic:
    """What has passed since ``reset``; bytes of both directions, headers included.

    ``asked`` is when each request came, by the machine's monotonic clock.
    """

    port: int = 0
    requests: int = 0
    bytes: int = 0
    asked: list[float] = field(default_factory=list)

    def reset(self) -> None:
        self.requests = self.bytes = 0
        self.asked.clear()


@contextmanager
def counted(port: int) -> Iterator[Traffic]:
    """Forward a new local port to ``port``, from a thread of its own."""
    traffic, ready, loop = Traffic(), threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inward, outward = await asyncio.open_connection("127.0.0.1", port)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, outward, traffic, requests=True))
                group.create_task(_pump(inward, writer, traffic, requests=False))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        traffic.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stop.wait()
        server.close()

    def run() -> None:
        loop.run_until_complete(serve())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield traffic
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, traffic: Traffic, *, requests: bool
) -> None:
    try:
        while piece := await reader.read(65536):
            traffic.bytes += len(piece)
            if requests and (count := piece.count(_REQUEST)):
                traffic.requests += count
                traffic.asked += [time.monotonic()] * count
            writer.write(piece)
            await writer.drain()
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        writer.close()
