"""W4: Kloudless' own authenticator opens its pop-up against syncd and gets a token that works."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from syncd.engine.applications import Applications
from syncd.model.invitation import OUT_OF_BAND
from tests.api.serving import Api
from tests.browser.looks import looks_well
from tests.fakes.linker import RIGHT
from tests.fakes.vault import FakeVault
from tests.node import installed

SCRIPT = "@kloudless/authenticator/build/kloudless-authenticator.js"
PAGE = """<!doctype html><title>Desk</title><h1>Desk</h1>
<button id="connect">Connect</button><script src="/authenticator.js"></script>
<script>
  window.told = null;
  Kloudless.auth.setGlobalOptions({baseUrl: "%s"});
  Kloudless.auth.authenticator(document.getElementById("connect"),
    {client_id: "%s", scope: "%s"}, (result) => { window.told = result; });
</script>"""


@dataclass
class Desk:
    """An application's page, at an origin of its own."""

    api: Api
    page: Page
    client_id: str
    server: TestServer

    async def open(self, scope: str = "all") -> Page:
        """Open the page, press the button, and return the pop-up."""
        await self.page.goto(str(self.server.make_url(f"/?scope={scope}")))
        async with self.page.expect_popup() as opened:
            await self.page.get_by_role("button", name="Connect").click()
        return await opened.value

    async def told(self) -> dict[str, Any]:
        """Return what the authenticator gave its application."""
        found = await self.page.wait_for_function("window.told")
        result: dict[str, Any] = await found.json_value()
        return result


@pytest_asyncio.fixture(loop_scope="session")
async def desk(api: Api, page: Page) -> AsyncIterator[Desk]:
    script = (installed() / SCRIPT).read_text()
    app = web.Application()
    server = TestServer(app)

    async def show(request: web.Request) -> web.Response:
        text = PAGE % (api.url, made.application.id, request.query["scope"])
        return web.Response(text=text, content_type="text/html")

    async def authenticator(_: web.Request) -> web.Response:
        return web.Response(text=script, content_type="text/javascript")

    app.router.add_get("/", show)
    app.router.add_get("/authenticator.js", authenticator)
    await server.start_server()
    origin = str(server.make_url("")).rstrip("/")
    applications = Applications(api.ground.store, FakeVault(), api.clock)
    made = await applications.add("Desk", origins=[origin], redirect_uris=[OUT_OF_BAND])
    yield Desk(api, page, made.application.id, server)
    await server.close()


async def test_the_authenticator_gets_a_token_that_works(desk: Desk) -> None:
    popup = await desk.open()
    await popup.get_by_role("link", name="CalDAV").click()
    await popup.get_by_label("Server").fill("cloud.example.org")
    await popup.get_by_label("User name").fill("bo@example.org")
    await popup.get_by_label("Password").fill(RIGHT)
    async with popup.expect_event("close"):
        await popup.get_by_role("button", name="Connect").click()
    told = await desk.told()
    assert told["token_type"] == "Bearer"  # noqa: S105 - the kind of it
    assert told["account"]["account"] == "bo@example.org"
    assert told["account"]["service"] == "caldav"
    me = await desk.api.json("/v1/accounts/me", token=told["access_token"])
    assert me["id"] == told["account"]["id"]


async def test_the_authenticator_is_told_of_a_person_who_declines(desk: Desk) -> None:
    popup = await desk.open("caldav")
    async with popup.expect_event("close"):
        await popup.get_by_role("button", name="Cancel").click()
    told = await desk.told()
    assert told["error"] == "access_denied"
    assert "access_token" not in told


async def test_a_page_of_another_origin_gets_nothing(desk: Desk) -> None:
    """The control: the same page, at a name that is not registered."""
    url = str(desk.server.make_url("/?scope=all")).replace("127.0.0.1", "localhost")
    await desk.page.goto(url)
    async with desk.page.expect_popup() as opened:
        await desk.page.get_by_role("button", name="Connect").click()
    popup = await opened.value
    await expect(popup.get_by_role("heading")).to_have_text("This link cannot be used")
    await looks_well(popup, "authorize-refused")
    assert await desk.page.evaluate("window.told") is None
