"""From a blank browser to the first activity, and back after credentials died (N3-N7, I11, I12).

The daemon is the real one; Google's and Microsoft's sign-in are those of npm's ``emulate``.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.looks import looks_well
from tests.browser.places import Place, place
from tests.journeys.daemon import SETTINGS, Daemon, configured, free_port

pytestmark = pytest.mark.timeout(240)
PROVIDERS = ("google", "graph", "caldav", "icloud", "ews")
NAMES = {"caldav": "CalDAV", "icloud": "iCloud", "ews": "Exchange"}
SOON = SETTINGS.replace(
    "[outbound]", "disconnect_proof_seconds = 0\ninvalid_grant_gap_seconds = 0\n[outbound]"
)
Json = dict[str, Any]


@dataclass
class Desk:
    """An application with a page of its own, and what it asks of syncd."""

    daemon: Daemon
    session: ClientSession
    home: str
    referrers: list[str]

    async def ask(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - JSON
        async with self.session.request(method, self.daemon.address + path, **more) as answer:
            told = await answer.json()
            assert answer.status < 300, told
            return told

    async def invite(self, provider: str | None = None) -> str:
        wish = {"user": "ada", "return_to": self.home, "state": "42"}
        body = wish if provider is None else {**wish, "provider": provider}
        return str((await self.ask("POST", "/v1/connect", json=body))["url"])

    async def returned(self, page: Page) -> Json:
        """Wait until the person is back; return what the address tells."""
        await expect(page.get_by_role("heading")).to_have_text("Welcome back to Desk")
        query = parse_qs(urlsplit(page.url).query)
        return {name: one for name, (one,) in query.items()}

    async def events(self, account: str, *names: str) -> list[Json]:
        """Read the stream until it tells of these events; return all of its records."""
        found: list[Json] = []
        async with asyncio.timeout(60):
            while not set(names) <= {one["metadata"].get("name") for one in found}:
                cursor = f"&cursor={found[-1]['cursor']}" if found else ""
                path = f"/v1/accounts/{account}/events?wait=5{cursor}"
                found += (await self.ask("GET", path))["objects"]
        return found

    async def until(self, profile: str, state: str) -> Json:
        """Have it polled until it is in a state, and return it."""
        async with asyncio.timeout(60):
            while True:
                path = f"{self.daemon.address}/v1/profiles/{profile}"
                async with self.session.post(f"{path}/sync?wait=5"):
                    pass
                told: Json = await self.ask("GET", f"/v1/profiles/{profile}")
                if told["state"] == state:
                    return told
                await asyncio.sleep(1.1)  # asked for more often, it is told to wait


@asynccontextmanager
async def homepage(referrers: list[str]) -> AsyncIterator[str]:
    """Serve the application's page; what its visitors say of where they came from is kept."""

    async def back(request: web.Request) -> web.Response:
        referrers.append(request.headers.get("Referer", ""))
        text = "<!doctype html><html lang=en><title>Desk</title><h1>Welcome back to Desk</h1>"
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/back", back)
    async with TestServer(app) as server:
        yield str(server.make_url("/back"))


@dataclass
class World:
    """An application, a daemon, one kind of calendar."""

    desk: Desk
    place: Place


@asynccontextmanager
async def world(provider: str, folder: Path) -> AsyncIterator[World]:
    port, referrers = free_port(), list[str]()
    async with (
        place(provider, folder / "place", f"http://127.0.0.1:{port}") as where,
        homepage(referrers) as home,
        configured(folder / "syncd", SOON + where.settings, port=port) as daemon,
    ):
        await daemon.start()
        added = await daemon.ask("application", "add", "Desk", "--redirect-uri", home)
        bearer = {"Authorization": f"APIKey {added['api_key']}"}
        async with ClientSession(headers=bearer) as session:
            yield World(Desk(daemon, session, home, referrers), where)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_from_a_blank_browser_to_the_stream_and_back(
    provider: str, tmp_path: Path, open_page: OpenPage
) -> None:
    async with world(provider, tmp_path) as here:
        desk, where = here.desk, here.place
        await where.add("First")
        page = await open_page()
        await page.goto(await desk.invite())
        if not where.consents:
            await page.get_by_role("link", name=NAMES[provider]).click()
        await where.sign_in(page)
        names = await desk.returned(page)
        assert names["state"] == "42"
        account, profile = names["account_id"], names["profile_id"]
        await desk.events(account, "First")

        await where.lose(desk.daemon)
        dead = await desk.until(profile, "disconnected")
        await where.add("Second")
        url = dead["relink_url"]
        browser = await open_page()  # another device of the person
        await browser.goto(url)
        await expect(browser.get_by_role("heading")).to_have_text("Reconnect your calendar")
        await looks_well(browser, f"relink-{provider}")
        await where.mistake(browser)
        await looks_well(browser, f"relink-{provider}-mistaken")
        assert (await desk.ask("GET", f"/v1/profiles/{profile}"))["state"] == "disconnected"
        await browser.goto(url)
        await where.sign_in(browser)
        await expect(browser.get_by_role("heading")).to_have_text("You are connected again")
        records = await desk.events(account, "Second")
        await browser.goto(url)
        await expect(browser.get_by_role("heading")).to_have_text("This link is no longer valid")
        assert (await desk.ask("GET", f"/v1/profiles/{profile}"))["state"] == "connected"

        told = [name_of(one) for one in records]
        assert [one for one in told if one] == ["First", "disconnected", "connected", "Second"]
        positions = [int(one["id"].rpartition("-")[2]) for one in records]
        assert positions == list(range(1, len(records) + 1))
        log = (desk.daemon.folder / "log").read_text()
        for secret in ("state=", "code=", "/relink/", "/connect/", url.rpartition("/")[2]):
            assert secret not in log
        assert desk.referrers == [""]


def name_of(record: Json) -> str | None:
    """Return an event's name, or the state that a profile came to."""
    if record["metadata"]["type"] == "event":
        return str(record["metadata"]["name"])
    state = record.get("changes", {}).get("state", {"old": "initial"})
    return None if state["old"] == "initial" else str(state["new"])
