"""W4: the real @kloudless/authenticator opens its popup against the daemon (api.md K6, R19)."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.looks import looks_well
from tests.browser.world import Desk, Json, World, world

pytestmark = pytest.mark.timeout(240)


async def opened(page: Page, desk: Desk, **query: str) -> Page:
    """Press the application's button; return the popup."""
    base = {"base": desk.daemon.address, "client": desk.client_id}
    await page.goto(f"{desk.origin}/popup?{urlencode({**base, **query})}")
    async with page.expect_popup() as found:
        await page.get_by_role("button", name="Connect").click()
    return await found.value


async def told(page: Page) -> Json:
    """Return what the authenticator handed to the application."""
    await expect(page.locator("#told")).not_to_be_empty()
    answer: Json = json.loads(await page.locator("#told").inner_text())
    return answer


async def connected(here: World, page: Page, popup: Page) -> Json:
    await here.place.sign_in(popup)
    answer = await told(page)
    assert popup.is_closed()
    account: Json = answer["account"]
    assert account["service_name"]
    assert "calendar" in account["apis"]
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    address = f"{here.desk.daemon.address}/v1/accounts/me"
    async with here.desk.session.get(address, headers=bearer) as mine:
        assert (await mine.json())["id"] == account["id"]
    return answer


@pytest.mark.parametrize("provider", ["caldav", "google"])
async def test_the_popup_hands_over_a_token_that_works(
    provider: str, tmp_path: Path, open_page: OpenPage
) -> None:
    async with world(provider, tmp_path) as here:
        await here.place.add("First")
        page = await open_page()
        popup = await opened(page, here.desk)
        await looks_well(popup, "popup")
        if not here.place.consents:
            await popup.get_by_role("link", name="CalDAV").click()
        first = await connected(here, page, popup)
        assert first["token_type"] == "Bearer"  # noqa: S105 - its kind
        await here.desk.events(str(first["account"]["id"]), "First")
        popup = await opened(page, here.desk)  # the same login again keeps its id
        if not here.place.consents:
            await popup.get_by_role("link", name="CalDAV").click()
        again = await connected(here, page, popup)
        assert again["account"]["id"] == first["account"]["id"]
        assert again["access_token"] != first["access_token"]


async def test_who_cancels_hands_over_an_error(tmp_path: Path, open_page: OpenPage) -> None:
    async with world("caldav", tmp_path) as here:
        page = await open_page()
        popup = await opened(page, here.desk, scope="caldav:normal.calendar")
        await expect(popup.get_by_label("Server")).to_be_visible()  # straight to the one service
        await popup.get_by_role("button", name="Cancel").click()
        answer = await told(page)
        assert (answer["error"], "access_token" in answer) == ("access_denied", False)
        assert popup.is_closed()


async def test_an_origin_that_is_not_registered_gets_nothing(
    tmp_path: Path, open_page: OpenPage
) -> None:
    """Negative control: the same page at another address of this machine."""
    async with world("caldav", tmp_path) as here:
        here.desk.origin = here.desk.origin.replace("127.0.0.1", "localhost")
        page = await open_page()
        popup = await opened(page, here.desk)
        await expect(popup.get_by_role("heading")).to_have_text("This link cannot be used")
        await expect(page.locator("#told")).to_be_empty()
