"""Readers of server-sent events in a process of their own, so that their work is not ours.

``python -m tests.bench.sse_clients`` reads one JSON object a line and answers each with a line:
``{"open": {"port", "path", "tokens", "count", "idle"}}`` opens connections, the last ``idle`` of
which never read, and answers when all others have got a response; ``{"until": N}`` answers when
each of these has got N records since it was opened; ``{"reset": true}`` closes all.
"""

import asyncio
import json
import socket
import sys
from typing import Any

_MARK = b"event: activity\n"
_SMALL = 4096  # of the kernel's buffer: who never reads takes little


class Reader(asyncio.Protocol):
    """Counts records, without looking into them."""

    def __init__(self, request: bytes, news: asyncio.Event, *, idle: bool) -> None:
        self.request, self.news, self.idle = request, news, idle
        self.seen = 0
        self.answered = idle
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)
        if self.idle:
            transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        if not self.answered:
            assert b" 200 OK" in data[:20], data[:200]
            self.answered = True
        text = self.tail + data
        self.seen += text.count(_MARK)
        self.tail = text[-len(_MARK) + 1 :]
        self.news.set()


class Readers:
    """All of them."""

    def __init__(self) -> None:
        self.readers = list[Reader]()
        self.news = asyncio.Event()

    async def do(self, told: dict[str, Any]) -> None:
        if "open" in told:
            await self.open(**told["open"])
            await self.wait(lambda: all(one.answered for one in self.readers))
        if "until" in told:
            count = told["until"]
            await self.wait(lambda: all(one.seen >= count for one in self.readers if not one.idle))
        if "reset" in told:
            for one in self.readers:
                one.transport.abort()
            self.readers.clear()

    async def wait(self, fulfilled: Any) -> None:  # noqa: ANN401 - a function without arguments
        while not fulfilled():
            self.news.clear()
            await self.news.wait()
            await asyncio.sleep(0.002)  # others come meanwhile

    async def open(self, *, port: int, path: str, tokens: list[str], count: int, idle: int) -> None:
        loop = asyncio.get_running_loop()
        for number in range(count):
            token = tokens[number % len(tokens)]
            request = (
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
            )
            last = number >= count - idle
            one = socket.socket()
            if last:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
            one.setblocking(False)  # noqa: FBT003 - the socket's own
            await loop.sock_connect(one, ("127.0.0.1", port))
            made = Reader(request.encode(), self.news, idle=last)
            await loop.create_connection(lambda made=made: made, sock=one)  # type: ignore[misc]
            self.readers.append(made)


async def main() -> None:
    readers = Readers()
    while line := await asyncio.to_thread(sys.stdin.readline):
        await readers.do(json.loads(line))
        print("done", flush=True)  # noqa: T201


asyncio.run(main())
