"""Endpoints that are bad in ten ways, in a process of their own.

``python -m tests.bench.bad_serve EACH`` listens at EACH addresses for each way, prints their URLs
in JSON, and serves until its input ends.
"""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
REFUSED = "refused"
FOREVER = asyncio.Event()  # keeps what waits for it


async def hang(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await FOREVER.wait()


async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    one: socket.socket = writer.get_extra_info("socket")
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def drip(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say that all is well, and come to no end of it."""
    writer.write(b"HTTP/1.1 500 No\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


async def headers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: %b\r\n" % (b"x" * 1000))
        await writer.drain()


async def noise(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer a TLS handshake with something else."""
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()
    await asyncio.sleep(1)


def saying(status: str, *more: str) -> Handle:
    text = "\r\n".join([f"HTTP/1.1 {status}", *more, "Content-Length: 0", "", ""])

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(text.encode())
        await writer.drain()

    return answer


WAYS: dict[str, Handle] = {
    "hangs": hang,
    "resets": reset,
    "drips": drip,
    "headers": headers,
    "tls": noise,
    "500": saying("500 No"),
    "503": saying("503 Later", "Retry-After: 2"),
    "302": saying("302 There", "Location: http://127.0.0.1:1/"),
    "410": saying("410 Gone"),
}


def serving(handle: Handle) -> Handle:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65536)
            await handle(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    return serve


def closed_port(host: str) -> int:
    with socket.socket() as one:
        one.bind((host, 0))
        return int(one.getsockname()[1])


async def main(each: int) -> None:
    urls, servers = list[str](), list[asyncio.Server]()
    for number in range(each * (len(WAYS) + 1)):
        host = f"127.0.2.{number + 1}"
        way = [REFUSED, *WAYS][number % (len(WAYS) + 1)]
        if way == REFUSED:
            urls.append(f"http://{host}:{closed_port(host)}/")
            continue
        server = await asyncio.start_server(serving(WAYS[way]), host, 0)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        urls.append(f"{'https' if way == 'tls' else 'http'}://{host}:{port}/")
    print(json.dumps(urls), flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)  # what hangs is not waited for


asyncio.run(main(int(sys.argv[1])))
