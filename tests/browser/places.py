"""Each kind of calendar as a person meets it: where events are made, and how one signs in there."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aiohttp import ClientSession
from playwright.async_api import Page

from syncd.ports.vault import REFRESH_TOKEN, Secret, credential_place
from syncd.providers.oauth.endpoint import TokenEndpoint
from syncd.runtime.clock import SystemClock
from syncd.runtime.vault import open_ring
from tests.journeys.daemon import Daemon
from tests.providers.ews import at as ews_at
from tests.providers.ews import event as ews_event
from tests.servers.caldav import CalDavServer, Radicale
from tests.servers.dav_client import event as dav_event
from tests.servers.emulate import PERSON, STRANGER, Site, emulate
from tests.servers.ews import EwsServer
from tests.servers.fronts import GoogleFront, GraphFront
from tests.servers.google import at as google_at
from tests.servers.graph import at as graph_at
from tests.servers.icloud import Icloud

_CONTINUE = re.compile("^(Continue with )?(Google|Microsoft)")
PASSWORD_NOW = "changed-since"  # noqa: S105 - of a server of the tests


class Place(Protocol):
    """One kind; ``settings`` are what the operator writes for it."""

    @property
    def provider(self) -> str: ...

    @property
    def settings(self) -> str: ...

    @property
    def consents(self) -> bool: ...

    async def add(self, title: str) -> None:
        """Make an event, as another device does."""
        ...

    async def sign_in(self, page: Page) -> None:
        """Do what the person does after choosing this kind, or on the relink page."""
        ...

    async def lose(self, daemon: Daemon) -> None:
        """End what syncd was given."""
        ...

    async def mistake(self, page: Page) -> None:
        """Sign in as somebody else, or with a wrong password."""
        ...


@dataclass
class Consenting:
    """Google or Microsoft: people sign in at the peer."""

    provider: str
    site: Site
    front: GoogleFront | GraphFront
    consents: bool = True

    @property
    def settings(self) -> str:
        told = {
            **self.front.settings[self.provider],
            "client_id": self.site.client.client_id,
            "client_secret": self.site.client.client_secret.reveal(),
            "authorize_url": self.site.authorize_url,
            "token_url": self.site.client.token_url,
        }
        if self.provider == "google":
            told["revoke_url"] = self.site.client.revoke_url
        lines = "".join(f'{key} = "{value}"\n' for key, value in told.items())
        return f"[providers.{self.provider}]\n{lines}"

    async def add(self, title: str) -> None:
        if isinstance(self.front, GoogleFront):
            self.front.work.put(title, summary=title, start=google_at(24), end=google_at(24, 10))
        else:
            self.front.work.put(title, subject=title, start=graph_at(24), end=graph_at(24, 10))

    async def sign_in(self, page: Page) -> None:
        await self._as(page, PERSON)

    async def mistake(self, page: Page) -> None:
        await self._as(page, STRANGER)

    async def _as(self, page: Page, who: str) -> None:
        await page.get_by_role("button", name=_CONTINUE).click()
        await page.get_by_role("button", name=who).click()

    async def lose(self, daemon: Daemon) -> None:
        """Revoke at the provider, and end the access tokens, which the peer lets live."""
        async with ClientSession() as session:
            endpoint = TokenEndpoint(self.site.client, lambda: session, SystemClock())
            await endpoint.revoke(_sealed(daemon, REFRESH_TOKEN))
        self.front.gate.cut()


@dataclass
class Dav:
    """CalDAV or iCloud: a form with a password."""

    provider: str
    server: CalDavServer
    settings: str = ""
    consents: bool = False

    async def add(self, title: str) -> None:
        await self.server.put("work", f"{title}.ics", dav_event(title, title))

    async def sign_in(self, page: Page) -> None:
        await _typed(
            page,
            server=self.server.url,
            user=self.server.username,
            password=self.server.password,
        )

    async def mistake(self, page: Page) -> None:
        await _typed(page, server=self.server.url, user=self.server.username, password="wrong")  # noqa: S106

    async def lose(self, daemon: Daemon) -> None:
        del daemon
        self.server.set_password(PASSWORD_NOW)


@dataclass
class Exchange:
    """Exchange: a form with a password."""

    server: EwsServer
    provider: str = "ews"
    settings: str = ""
    consents: bool = False

    async def add(self, title: str) -> None:
        self.server.put(title.casefold(), *ews_event(title, ews_at(24)))

    async def sign_in(self, page: Page) -> None:
        await _typed(
            page,
            server=self.server.url,
            user=self.server.username,
            password=self.server.password,
        )

    async def mistake(self, page: Page) -> None:
        await _typed(page, server=self.server.url, user=self.server.username, password="wrong")  # noqa: S106

    async def lose(self, daemon: Daemon) -> None:
        del daemon
        self.server.password = PASSWORD_NOW


@asynccontextmanager
async def place(provider: str, folder: Path, address: str) -> AsyncIterator[Place]:
    """Run one kind for a syncd at ``address``."""
    await asyncio.to_thread(folder.mkdir)
    if provider in {"google", "graph"}:
        callback = f"{address}/oauth/callback/{provider}"
        name = "google" if provider == "google" else "microsoft"
        async with emulate(folder, callback) as sites, ClientSession() as session:
            front = (GoogleFront if provider == "google" else GraphFront)(sites[name], session)
            async with front.running():
                yield Consenting(provider, sites[name], front)
                assert front.complaints == []
    elif provider == "ews":
        async with EwsServer().running() as exchange:
            yield Exchange(exchange)
    elif provider == "icloud":
        async with Icloud(folder) as apple:
            await apple.mkcalendar("work")
            urls = "".join(f'{key} = "{url}"\n' for key, url in apple.settings["icloud"].items())
            yield Dav(provider, apple, f"[providers.icloud]\n{urls}")
    else:
        async with Radicale(folder) as radicale:
            await radicale.mkcalendar("work")
            yield Dav(provider, radicale)


async def _typed(page: Page, *, server: str, user: str, password: str) -> None:
    """Fill in what a form asks for: at a relink only the password."""
    for selector, words in (("#url", server), ("#username", user), ("#password", password)):
        if await page.locator(selector).count():
            await page.locator(selector).fill(words)
    await page.locator("#password").press("Enter")


def _sealed(daemon: Daemon, name: str) -> Secret:
    """Return what the vault of a daemon keeps of its only profile."""
    ring = open_ring(daemon.folder / "syncd.keys")
    with sqlite3.connect(f"file:{daemon.folder / 'syncd.db'}?mode=ro", uri=True) as database:
        query = "SELECT profile_id, sealed FROM credentials WHERE field = ?"
        ((profile, sealed),) = database.execute(query, [name]).fetchall()
    return ring.open(sealed, place=credential_place(profile, name))
