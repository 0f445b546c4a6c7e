"""The demo's CalDAV server: Radicale in a process of its own, and a person who edits there."""

import asyncio
import importlib.util
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp import ClientError, ClientSession, encode_basic_auth

from syncd.model.errors import MisconfiguredError, TransientError

LOGIN = "ada"
START_SECONDS = 20.0

_MKCALENDAR = (
    '<?xml version="1.0"?><C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
    "<set><prop><displayname>{name}</displayname></prop></set></C:mkcalendar>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event as the demo's person writes it; ``hours`` 0 is all day."""

    name: str
    start: datetime
    hours: float = 1
    location: str = ""
    rule: str = ""

    def ics(self, uid: str) -> str:
        """Return it as a calendar object (RFC 5545)."""
        end = self.start + (timedelta(hours=self.hours) if self.hours else timedelta(days=1))
        shape = "%Y%m%dT%H%M%SZ" if self.hours else "%Y%m%d"
        kind = "" if self.hours else ";VALUE=DATE"
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//syncd//demo//EN",
            "BEGIN:VEVENT",
            f"UID:{uid}@demo.example",
            f"DTSTAMP:{self.start:%Y%m%dT%H%M%SZ}",
            f"DTSTART{kind}:{self.start.strftime(shape)}",
            f"DTEND{kind}:{end.strftime(shape)}",
            f"SUMMARY:{self.name}",
            *([f"LOCATION:{self.location}"] if self.location else []),
            *([f"RRULE:{self.rule}"] if self.rule else []),
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
        return "\r\n".join(lines)


class CalendarServer:
    """A running server, and the requests by which a person's own program edits there."""

    def __init__(self, url: str, password: str, session: ClientSession) -> None:
        """Sign in as the demo's person."""
        self.url = url
        self.password = password
        self._session = session
        self._headers = {"Authorization": encode_basic_auth(LOGIN, password)}

    async def make_calendar(self, calendar: str, name: str) -> None:
        """Add a calendar."""
        await self._send("MKCALENDAR", f"{calendar}/", _MKCALENDAR.format(name=name))

    async def put(self, calendar: str, uid: str, entry: Entry) -> None:
        """Add an event, or write it anew."""
        await self._send("PUT", f"{calendar}/{uid}.ics", entry.ics(uid))

    async def delete(self, calendar: str, uid: str) -> None:
        """Remove an event."""
        await self._send("DELETE", f"{calendar}/{uid}.ics", "")

    async def _send(self, method: str, path: str, body: str) -> None:
        kind = "text/calendar" if method == "PUT" else "application/xml"
        headers = {**self._headers, "Content-Type": f"{kind}; charset=utf-8"}
        url = f"{self.url}/{LOGIN}/{path}"
        async with self._session.request(
            method, url, data=body.encode() or None, headers=headers
        ) as answer:
            answer.raise_for_status()


@asynccontextmanager
async def calendar_server(folder: Path) -> AsyncIterator[CalendarServer]:
    """Run Radicale on a free port inside of this; raises MisconfiguredError if it is missing."""
    if importlib.util.find_spec("radicale") is None:
        raise MisconfiguredError(
            "the demo needs Radicale, a small CalDAV server: pip install 'syncd[demo]'"
        )
    password, port = secrets.token_urlsafe(12), free_port()
    await asyncio.to_thread(_prepare, folder, password)
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "radicale",
        *_options(folder, port),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C ends the demo, and the demo ends the server
    )
    try:
        async with ClientSession(trust_env=False) as session:
            server = CalendarServer(f"http://127.0.0.1:{port}", password, session)
            await _answers(session, server.url)
            yield server
    finally:
        with suppress(ProcessLookupError):
            running.terminate()
        await running.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _prepare(folder: Path, password: str) -> None:
    folder.mkdir(parents=True)
    (folder / "users").write_text(f"{LOGIN}:{password}\n")


def _options(folder: Path, port: int) -> Sequence[str]:
    return (
        *("--config", ""),
        *("--server-hosts", f"127.0.0.1:{port}"),
        *("--auth-type", "htpasswd"),
        *("--auth-htpasswd-filename", str(folder / "users")),
        *("--auth-htpasswd-encryption", "plain"),
        *("--storage-filesystem-folder", str(folder / "calendars")),
    )


async def _answers(session: ClientSession, url: str) -> None:
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await _answers_once(session, url):  # noqa: ASYNC110 - another program
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise TransientError("the demo's calendar server did not start") from None


async def _answers_once(session: ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/.web/"):
            return True
    except ClientError:
        return False
