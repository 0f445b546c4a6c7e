"""syncd as it is run, with a calendar server behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.journeys.daemon import SETTINGS, Daemon, configured
from tests.servers.caldav import Radicale


@dataclass(frozen=True, slots=True)
class Site:
    """A running daemon that follows a calendar called Work, and a token for everything."""

    daemon: Daemon
    server: Radicale
    token: str

    @property
    def url(self) -> str:
        return self.daemon.address


@asynccontextmanager
async def running(folder: Path, settings: str = SETTINGS) -> AsyncIterator[Site]:
    """Start both, and connect a profile."""
    place = folder / "server"
    place.mkdir()
    async with Radicale(place) as server, configured(folder / "syncd", settings) as daemon:
        await server.mkcalendar("work", name="Work")
        await daemon.start()
        await daemon.ask(
            "profile", "add", "caldav", "--url", server.url, "--username", server.username,
            "--password-stdin", text=server.password,
        )  # fmt: skip
        made = await daemon.ask("token", "create", "--admin")
        yield Site(daemon, server, made["token"])
        assert await daemon.stop() == 0
