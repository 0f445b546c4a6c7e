"""A reverse proxy on 127.0.0.1 that answers in a provider's place as networks and servers do.

It stands in front of every address that a provider has, also of those that its answers name first:
whatever says ``127.0.0.1:<port>`` is rewritten in both directions. Bytes go out by hand, as no
server would send what a broken one does.
"""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import ClientConnectionError, ClientSession, DummyCookieJar
from multidict import CIMultiDict

_PLACE = re.compile(rb"127\.0\.0\.1:(\d{4,5})\b")
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}
_LARGEST = 2**24  # bytes of a request
_ABORTIVE = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it came; ``path`` with its query."""

    method: str
    path: str
    headers: CIMultiDict[str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A whole answer."""

    status: int
    kind: str = ""
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def head(self, *extra: str, length: int | None = None) -> bytes:
        """Return the head; ``length`` is what it claims of the body, -1 nothing."""
        known = {one.value: one.phrase for one in HTTPStatus}
        rows = [f"HTTP/1.1 {self.status} {known.get(self.status, 'Said')}"]
        rows += [f"{name}: {value}" for name, value in self.headers]
        rows += [f"Content-Type: {self.kind}"] if self.kind else []
        claimed = len(self.body) if length is None else length
        rows += [f"Content-Length: {claimed}"] if claimed >= 0 and self.status != 204 else []
        return "\r\n".join([*rows, *extra, "", ""]).encode("latin-1")


class BrokenOffError(Exception):
    """A fault ended the connection."""


class Wire:
    """The way back to who asked."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()

    async def answer(self, told: Answered) -> None:
        """Send an answer as it should be; the connection stays."""
        await self.send(told.head() + (b"" if told.status == 204 else told.body))

    async def close(self, *pieces: bytes) -> None:
        """Send this, then say goodbye."""
        await self.send(*pieces)
        raise BrokenOffError

    async def half_close(self, *pieces: bytes) -> None:
        """Send this, then nothing more, but listen on for a moment."""
        await self.send(*pieces)
        self._writer.write_eof()
        await asyncio.sleep(0.01)
        raise BrokenOffError

    def reset(self) -> None:
        """Let the other side see a reset."""
        raw: socket.socket = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)
        self._writer.transport.abort()
        raise BrokenOffError


Passed = Callable[[], Awaitable[Answered]]
Fault = Callable[[Asked, Passed, Wire], Awaitable[bool | None]]  # False: it did nothing


class Chaos:
    """``fault`` meets the requests for which ``hits`` says so; ``met`` counts them."""

    def __init__(self, session: ClientSession) -> None:
        self.fault: Fault | None = None
        self.hits: Callable[[Asked], bool] = lambda _: True
        self.met = 0
        self._session = session
        self._servers = list[asyncio.Server]()
        self._fronts = dict[int, int]()  # their port: ours
        self._writers = set[asyncio.StreamWriter]()
        self._tasks = set[asyncio.Task[None]]()

    @classmethod
    @asynccontextmanager
    async def running(cls) -> "AsyncIterator[Chaos]":
        async with ClientSession(auto_decompress=True, cookie_jar=DummyCookieJar()) as session:
            chaos = cls(session)
            try:
                yield chaos
            finally:
                await chaos._stop()

    async def cover(self, texts: Iterable[str]) -> None:
        """Stand in front of every address in these texts."""
        for text in texts:
            await self._cover(text.encode())

    def seen(self, text: str) -> str:
        """Return a text with our addresses in place of theirs."""
        return self._rewritten(text.encode(), self._fronts).decode()

    def begin(self, fault: Fault, hits: Callable[[Asked], bool]) -> None:
        self.fault, self.hits, self.met = fault, hits, 0

    def end(self) -> None:
        self.fault = None

    async def _cover(self, text: bytes) -> None:
        for found in _PLACE.finditer(text):
            port = int(found[1])
            if port not in self._fronts and port not in self._fronts.values():
                self._fronts[port] = 0
                server = await asyncio.start_server(self._serving(port), "127.0.0.1", 0)
                self._servers.append(server)
                self._fronts[port] = server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        for writer in self._writers:
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    def _serving(
        self, port: int
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            self._writers.add(writer)
            with suppress(BrokenOffError, ConnectionError, asyncio.IncompleteReadError):
                while True:
                    await self._turn(await _read(reader), port, Wire(writer))
            writer.close()
            self._writers.discard(writer)
            self._tasks.discard(task)

        return serve

    async def _turn(self, asked: Asked, port: int, wire: Wire) -> None:
        async def passed() -> Answered:
            try:
                return await self._passed(asked, port)
            except (ClientConnectionError, TimeoutError):
                wire.reset()
                raise

        if self.fault is None or not self.hits(asked):
            await wire.answer(await passed())
            return
        self.met += 1
        if await self.fault(asked, passed, wire) is False:
            self.met -= 1

    async def _passed(self, asked: Asked, port: int) -> Answered:
        back = {ours: theirs for theirs, ours in self._fronts.items()}
        there = replace(
            asked,
            path=self._rewritten(asked.path.encode(), back).decode(),
            body=self._rewritten(asked.body, back),
        )
        headers = CIMultiDict(
            (name, value)
            for name, value in there.headers.items()
            if name.lower() not in _HOP | {"host", "accept-encoding"}
        )
        async with self._session.request(
            there.method,
            f"http://127.0.0.1:{port}{there.path}",
            headers=headers,
            data=there.body or None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        ) as response:
            body = await response.read()
            told = [(name, value) for name, value in response.headers.items()]
        await self._cover(body)
        for _, value in told:
            await self._cover(value.encode())
        return Answered(
            status=response.status,
            body=self._rewritten(body, self._fronts),
            headers=tuple(
                (name, self.seen(value)) for name, value in told if name.lower() not in _HOP
            ),
        )

    def _rewritten(self, text: bytes, ports: dict[int, int]) -> bytes:
        def other(found: re.Match[bytes]) -> bytes:
            return b"127.0.0.1:%d" % ports.get(int(found[1]), int(found[1]))

        return _PLACE.sub(other, text)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = CIMultiDict(
        (name, value.strip()) for name, _, value in (row.partition(":") for row in head[1:] if row)
    )
    length = int(headers.get("Content-Length", "0"))
    if length > _LARGEST or "Expect" in headers or "Transfer-Encoding" in headers:
        raise BrokenOffError  # none of our clients does so
    return Asked(method=method, path=path, headers=headers, body=await reader.readexactly(length))
