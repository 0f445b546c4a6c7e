"""Profiles whose edits are pushed: seconds although polls are far apart, and never lost."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.daemon import SETTINGS, Daemon, configured
from tests.servers import graph
from tests.servers.google import GoogleServer, at
from tests.servers.graph import GraphServer

pytestmark = pytest.mark.timeout(180)
HOST = "https://syncd.example"
FAR_APART = SETTINGS.replace("interval_seconds = 5", "interval_seconds = 3600").replace(
    'public_url = "http://127.0.0.1:{port}"', f'public_url = "{HOST}"'
)
SOONER = "[hints]\ninterval_seconds = 10\n"


@asynccontextmanager
async def following(
    server: GoogleServer | GraphServer, folder: Path, more: str = ""
) -> AsyncIterator[Daemon]:
    """Run a daemon that is called at ``HOST``, with one profile that was connected and read."""
    ((name, keys),) = server.settings.items()
    told = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    base = FAR_APART.replace("= 3600", "= 5") if more else FAR_APART
    settings = f"{base}{more}[providers.{name}]\n{told}"
    async with configured(folder / "syncd", settings) as daemon:
        callers = server.channels if isinstance(server, GoogleServer) else server.subscriptions
        callers.doors[HOST] = daemon.address
        await daemon.ask("init")
        await daemon.start()
        grant = ("profile", "add", name, "--refresh-token-stdin")
        await daemon.ask(*grant, text=server.tokens.refresh_token)
        yield daemon


async def stream(daemon: Daemon) -> aiohttp.ClientSession:
    made = await daemon.ask("token", "create", "--profile", "1", "--scope=read_events")
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {made['token']}"})


class Reader:
    """Follows the stream by long polls."""

    def __init__(self, daemon: Daemon, session: aiohttp.ClientSession) -> None:
        self.url = f"{daemon.address}/v1/accounts/1/events"
        self.session = session
        self.cursor: dict[str, str] = {}
        self.names = set[str]()

    async def seen(self, name: str, within: float) -> float:
        """Return after how many seconds an event of this name is in the stream."""
        began = time.monotonic()
        async with asyncio.timeout(within):
            while name not in self.names:
                query = {"wait": "20", **self.cursor}
                async with self.session.get(self.url, params=query) as answer:
                    body: Any = await answer.json()
                    assert answer.status == 200, body
                self.cursor = {"cursor": body["cursor"]}
                self.names |= {one["metadata"].get("name") for one in body["objects"]}
        return time.monotonic() - began


async def opened(event: asyncio.Event) -> None:
    """Return when a first call was taken, and the look that it asked for is over."""
    async with asyncio.timeout(60):
        await event.wait()
    event.clear()
    await asyncio.sleep(6)  # and the window of five seconds after it


async def test_an_edit_arrives_within_seconds_of_its_push(tmp_path: Path) -> None:
    """P16, G12: the schedule alone would take an hour; what is removed is called for no more."""
    async with (
        GoogleServer().running() as server,
        following(server, tmp_path) as daemon,
        await stream(daemon) as session,
        server.channels.calling(),
    ):
        await opened(server.channels.heard)
        reader = Reader(daemon, session)
        for number in range(3):
            server.work.put(f"e{number}", summary=f"Edit {number}", start=at(24), end=at(24, 10))
            taken = await reader.seen(f"Edit {number}", 60)
            assert taken < (4 if number == 0 else 10)  # a second edit waits for its window
        async with session.get(f"{daemon.address}/metrics") as answer:
            metrics = await answer.text()
        assert 'syncd_pushes_total{outcome="heard",provider="google"}' in metrics
        assert 'syncd_channels_total{outcome="opened",provider="google"} 1.0' in metrics
        assert set(server.channels.answers) == {202}
        (channel,) = server.channels.living
        await daemon.ask("profile", "remove", "1")
        assert channel.stopped
        server.work.put("late", summary="Late", start=at(24), end=at(24, 10))
        await server.channels.call(stopped=True)
        assert server.channels.answers[-1] == 404
        assert server.complaints == []


async def test_what_is_not_pushed_is_found_by_polling(tmp_path: Path) -> None:
    """F40: a channel that falls silent costs time and nothing else; so does one that is refused."""
    async with GoogleServer().running() as server:
        server.channels.unwatchable.add("holidays")
        server.add_calendar("holidays", summary="Holidays")
        async with (
            following(server, tmp_path, SOONER) as daemon,
            await stream(daemon) as session,
            server.channels.calling(),
        ):
            await opened(server.channels.heard)
            server.channels.fate = lambda _: []
            calls = len(server.channels.answers)
            server.calendars["holidays"].put("h", summary="Holiday", start=at(25), end=at(25, 10))
            server.work.put("e", summary="Unpushed", start=at(24), end=at(24, 10))
            reader = Reader(daemon, session)
            for name in ("Holiday", "Unpushed"):
                await reader.seen(name, 60)
            assert len(server.channels.answers) == calls
            async with session.get(f"{daemon.address}/metrics") as answer:
                metrics = await answer.text()
            assert 'syncd_channels_total{outcome="refused",provider="google"} 1.0' in metrics
        assert server.complaints == []


async def test_an_edit_at_microsoft_arrives_within_seconds_of_its_notice(tmp_path: Path) -> None:
    """P16, MG16: also after Graph wanted to be authorized anew, and after it dropped us."""
    async with (
        GraphServer().running() as server,
        following(server, tmp_path) as daemon,
        await stream(daemon) as session,
        server.subscriptions.calling(),
    ):
        reader, calls = Reader(daemon, session), server.subscriptions
        await opened(calls.opened)
        (first,) = calls.living
        for number, word in enumerate(("missed", "reauthorizationRequired", "subscriptionRemoved")):
            await calls.say(word)
            if word == "subscriptionRemoved":
                await opened(calls.opened)
            start, end = graph.at(24), graph.at(24, 10)
            server.work.put(f"e{number}", subject=f"Edit {number}", start=start, end=end)
            assert await reader.seen(f"Edit {number}", 60) < 15
        (last,) = calls.living
        assert first != last
        assert set(calls.answers) == {202}
        await daemon.ask("profile", "remove", "1")
        assert calls.living == {}
        assert server.complaints == []
