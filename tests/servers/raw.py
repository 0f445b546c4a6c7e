"""A server that answers every request with the same bytes, whatever they are, and closes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext


class RawServer:
    """``told`` is what it answers; ``asked`` holds the heads of the requests."""

    def __init__(self) -> None:
        self.told = b""
        self.asked: list[bytes] = []
        self.url = ""
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def running(cls, tls: SSLContext | None = None) -> "AsyncIterator[RawServer]":
        raw = cls()
        server = await asyncio.start_server(raw._serve, "127.0.0.1", 0, ssl=tls)
        raw.port = server.sockets[0].getsockname()[1]
        raw.url = f"http://127.0.0.1:{raw.port}/"
        async with server:
            yield raw

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                await reader.readexactly(int(line.partition(b":")[2]))
        writer.write(self.told)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


def answer(status: int, body: bytes = b"", *headers: str, kind: str = "text/xml") -> bytes:
    """Return an answer of HTTP/1.1 that ends with the connection."""
    head = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", "Connection: close", *headers]
    head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
