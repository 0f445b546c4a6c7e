"""An application with a page of its own, a daemon, and one kind of calendar."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from syncd.model.invitation import OUT_OF_BAND
from tests import node
from tests.browser.places import Place, place
from tests.journeys.daemon import SETTINGS, Daemon, configured, free_port

SOON = SETTINGS.replace(
    "[outbound]", "disconnect_proof_seconds = 0\ninvalid_grant_gap_seconds = 0\n[outbound]"
)
POPUP = """<!doctype html><html lang=en><title>Desk</title><button id=connect>Connect</button>
<pre id=told></pre><script src="/authenticator.js"></script><script>
const query = new URLSearchParams(location.search);
Kloudless.auth.setGlobalOptions({baseUrl: query.get("base")});
Kloudless.auth.authenticator(
  document.getElementById("connect"),
  {client_id: query.get("client"), scope: query.get("scope") || "any"},
  (told) => { document.getElementById("told").textContent = JSON.stringify(told); },
);
</script></html>"""
Json = dict[str, Any]


@dataclass
class Desk:
    """An application with a page of its own, and what it asks of syncd."""

    daemon: Daemon
    session: ClientSession
    client_id: str
    origin: str
    referrers: list[str]

    async def ask(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 - JSON
        async with self.session.request(method, self.daemon.address + path, **more) as answer:
            told = await answer.json()
            assert answer.status < 300, told
            return told

    async def invite(self, provider: str | None = None) -> str:
        wish = {"user": "ada", "return_to": f"{self.origin}/back", "state": "42"}
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
        async with asyncio.timeout(40):
            while not set(names) <= {one["metadata"].get("name") for one in found}:
                cursor = f"&cursor={found[-1]['cursor']}" if found else ""
                path = f"/v1/accounts/{account}/events?wait=5{cursor}"
                found += (await self.ask("GET", path))["objects"]
        return found

    async def until(self, profile: str, state: str) -> Json:
        """Have it polled until it is in a state, and return it."""
        async with asyncio.timeout(40):
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
    """Serve the application's pages; what their visitors say of where they came from is kept."""

    async def back(request: web.Request) -> web.Response:
        referrers.append(request.headers.get("Referer", ""))
        text = "<!doctype html><html lang=en><title>Desk</title><h1>Welcome back to Desk</h1>"
        return web.Response(text=text, content_type="text/html")

    app = web.Application()

    async def popup(_: web.Request) -> web.Response:
        return web.Response(text=POPUP, content_type="text/html")

    async def authenticator(_: web.Request) -> web.Response:
        file = await asyncio.to_thread(node.installed)
        script = file / "@kloudless" / "authenticator" / "build" / "kloudless-authenticator.js"
        return web.Response(text=script.read_text(), content_type="text/javascript")

    app.router.add_get("/back", back)
    app.router.add_get("/popup", popup)
    app.router.add_get("/authenticator.js", authenticator)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


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
        homepage(referrers) as origin,
        configured(folder / "syncd", SOON + where.settings, port=port) as daemon,
    ):
        await daemon.start()
        added = await daemon.ask(
            *("application", "add", "Desk", "--origin", origin),
            *("--redirect-uri", f"{origin}/back", "--redirect-uri", OUT_OF_BAND),
        )
        bearer = {"Authorization": f"APIKey {added['api_key']}"}
        async with ClientSession(headers=bearer) as session:
            yield World(Desk(daemon, session, added["client_id"], origin, referrers), where)
