"""Real CalDAV servers for tests: Radicale in a thread, Xandikos in a process."""

import asyncio
import contextlib
import json
import os
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import radicale.app
import radicale.config
import vobject.icalendar
from aiohttp import ClientConnectionError, ClientSession, encode_basic_auth, web

from tests.servers.dav_client import DavClient
from tests.servers.forked import Forked, forks

USERNAME, PASSWORD = "alice", "alicepw"
_TOKEN = re.compile(rb"(<[^<>]*sync-token[^<>]*>)([^<>]+)")


def _remembered(find: Callable[..., Any]) -> Callable[..., Any]:
    """Find the change of a zone's clocks in a year once.

    vobject looks through its days for each event that Radicale is handed: a quarter of what tests
    with it took.
    """
    found = lru_cache(4096)(find)

    def transition(kind: str, year: int, zone: Any) -> Any:  # noqa: ANN401 - vobject has no types
        return found(kind, year, zone) if zone.__hash__ else find(kind, year, zone)

    return transition


vobject.icalendar.getTransition = _remembered(vobject.icalendar.getTransition)


class CalDavServer:
    """What the servers have in common; a person's other device speaks through ``device``."""

    name: str
    provider = "caldav"
    url: str
    home: str
    username = USERNAME
    password = PASSWORD

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"

    @property
    def held(self) -> "CalDavServer":
        """The server that keeps what this one shows."""
        return self

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        """What an operator sets so that syncd meets this server: keys by provider."""
        return {}

    @property
    def device(self) -> DavClient:
        return DavClient(self.url, self.home, self.username, self.password)

    async def mkcalendar(self, calendar: str, *, name: str | None = None) -> None:
        await self.device.mkcalendar(calendar, name=name)

    async def put(self, calendar: str, name: str, ics: str | bytes) -> None:
        await self.device.put(calendar, name, ics)

    async def delete(self, calendar: str, name: str | None = None) -> None:
        await self.device.delete(calendar, name)

    async def set_name(self, calendar: str, name: str) -> None:
        await self.device.set_property(calendar, "D:displayname", name)

    def set_password(self, password: str) -> None:
        """Change the person's password; the server asks for it at once."""
        self.password = password

    def forget_tokens(self) -> None:
        """Refuse every sync token given so far."""
        raise NotImplementedError

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    async def restart(self) -> None:
        """Stop and start on the same folder and the same port."""
        await self.stop()
        await self.start()

    async def __aenter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


class Radicale(CalDavServer):
    """Radicale in a thread of this process."""

    name = "radicale"

    def __init__(self, folder: Path, *, token_age: int = 2592000, read_only: str = "") -> None:
        """Serve ``folder``; a calendar called ``read_only`` is there to be read."""
        super().__init__(folder)
        self._read_only = read_only
        self.home = f"/{self.username}/"
        self._users = folder / "users"
        self._others = dict[str, str]()
        self._token_age = token_age
        self._running: tuple[WSGIServer, threading.Thread] | None = None

    def set_password(self, password: str) -> None:
        """Change the person's password; the server asks for it at once."""
        self.password = password
        everyone = {self.username: password, **self._others}
        self._users.write_text("".join(f"{name}:{word}\n" for name, word in everyone.items()))

    def let_in(self, username: str, password: str) -> DavClient:
        """Give one more person a home, or a new password; returns her other device."""
        self._others[username] = password
        self.set_password(self.password)
        return DavClient(self.url, f"/{username}/", username, password)

    def forget_tokens(self) -> None:
        """Lose the states that tokens stand for."""
        for kept in self.folder.glob("collections/collection-*/**/.Radicale.cache/sync-token/*"):
            kept.unlink()

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.set_password(self.password)
        settings = radicale.config.load()
        settings.update(
            {
                "auth": {
                    "type": "htpasswd",
                    "htpasswd_filename": str(self._users),
                    "htpasswd_encryption": "plain",
                    "delay": "0",
                },
                "storage": {
                    "filesystem_folder": str(self.folder / "collections"),
                    "max_sync_token_age": str(self._token_age),
                    "_filesystem_fsync": "False",
                },
                "rights": self._rights(),
                "logging": {"level": "critical"},
            },
            "test",
            privileged=True,
        )
        server = make_server(
            "127.0.0.1", self.port, radicale.app.Application(settings), _Threads, _Quiet
        )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        self._running = server, thread

    def _rights(self) -> dict[str, str]:
        if not self._read_only:
            return {"type": "owner_only"}
        told = json.dumps({"tag": "VCALENDAR", "D:displayname": self._read_only})
        self.place(self._read_only, ".Radicale.props", told)
        rules = (
            ("public", f"{{user}}/{self._read_only}(/.*)?", "r"),
            ("own", "{user}(/.*)?", "RrWw"),
            ("root", "", "R"),
        )
        lines = (
            f"[{name}]\nuser: .+\ncollection: {at}\npermissions: {may}\n" for name, at, may in rules
        )
        (self.folder / "rights").write_text("".join(lines))
        return {"type": "from_file", "file": str(self.folder / "rights")}

    def place(self, calendar: str, name: str, text: str) -> None:
        """Put a file where the server keeps them, as no client may."""
        home = self.folder / "collections" / "collection-root" / self.username / calendar
        home.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, newline="")

    async def stop(self) -> None:
        if self._running is None:
            return
        server, thread = self._running
        self._running = None
        await asyncio.to_thread(server.shutdown)
        await asyncio.to_thread(thread.join)
        server.server_close()


class _Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        pass


class Xandikos(CalDavServer):
    """Xandikos in a process of its own, with Basic authentication in front of it."""

    name = "xandikos"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.home = "/alice/calendars/"
        self._inner = free_port()
        self._given = set[bytes]()
        self._forgotten = set[bytes]()
        self._process: Forked | None = None
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None

    def forget_tokens(self) -> None:
        """Hand on another token in place of those given so far: one out of its history."""
        self._forgotten |= self._given

    async def start(self) -> None:
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        self._process = await asyncio.to_thread(
            forks("xandikos").start,
            *("serve", "-d", str(self.folder / "files"), "--state-dir", str(state)),
            *("--current-user-principal", "/alice/", "--defaults"),
            *("-l", "127.0.0.1", "-p", str(self._inner), "--no-detect-systemd"),
        )
        self._session = ClientSession(auto_decompress=False)
        await self._ready()
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._forward)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()

    async def _ready(self) -> None:
        assert self._session is not None
        for _ in range(2000):
            with contextlib.suppress(ClientConnectionError):
                async with self._session.get(f"http://127.0.0.1:{self._inner}/"):
                    return
            await asyncio.sleep(0.01)
        raise AssertionError("Xandikos did not start")

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()
        if self._process is not None:
            await self._process.end()
        self._runner = self._session = self._process = None

    async def _forward(self, request: web.Request) -> web.Response:
        wanted = encode_basic_auth(self.username, self.password)
        if request.headers.get("Authorization") != wanted:
            asked = {"WWW-Authenticate": 'Basic realm="xandikos"'}
            return web.Response(status=401, headers=asked)
        body = _TOKEN.sub(self._known, await request.read())
        inner = f"http://127.0.0.1:{self._inner}"
        answer = await forward(self._session, request, inner, body=body)
        assert isinstance(answer.body, bytes)
        told = {found[2] for found in _TOKEN.finditer(answer.body)}
        self._given |= told
        self._forgotten -= told
        return answer

    def _known(self, found: re.Match[bytes]) -> bytes:
        return found[1] + (b"0" * 40 if found[2] in self._forgotten else found[2])


async def forward(  # noqa: PLR0913 - what may be changed on the way
    session: ClientSession | None,
    request: web.Request,
    upstream: str,
    *,
    body: bytes | None = None,
    method: str = "",
    path: str = "",
    authorization: str = "",
    dropped: frozenset[str] = frozenset(),
) -> web.Response:
    """Hand a request on, changed where something is given, and bring the answer back."""
    assert session is not None
    kept = {"Content-Type", "Depth", "If-Match", "If-None-Match", "Authorization"}
    headers = {name: value for name, value in request.headers.items() if name in kept - dropped}
    headers |= {"Authorization": authorization} if authorization else {}
    body = await request.read() if body is None else body
    async with session.request(
        method or request.method,
        upstream + (path or request.raw_path),
        headers=headers,
        data=body or None,
        allow_redirects=False,
    ) as answer:
        returned = ("Content-Type", "ETag", "Location", "WWW-Authenticate", "DAV")
        told = {name: answer.headers[name] for name in returned if name in answer.headers}
        return web.Response(status=answer.status, body=await answer.read(), headers=told)


def _own_ports() -> Iterator[int]:
    """Yield ports that no other worker of a run takes, and that outgoing connections do not."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    size = 12_000 // workers
    first = 20_000 + size * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = [*range(first, first + size)]
    begin = secrets.randbelow(size)  # another run may be at work beside this one
    return cycle([*ports[begin:], *ports[:begin]])


_PORTS = _own_ports()


def free_port() -> int:
    """Return a port that nobody has, and that is not given out again soon."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
