"""The relink page in a browser (api.md N1, N2)."""

from playwright.async_api import Page, expect

from tests.api.serving import Api
from tests.browser.conftest import OpenPage
from tests.browser.looks import looks_well
from tests.fakes.linker import RIGHT


async def relink_url(api: Api) -> str:
    profile = await api.disconnect()
    api.linker.identity = profile.identity
    return str((await api.json("/v1/accounts/me"))["relink_url"])


async def test_a_person_mistypes_and_then_reconnects(api: Api, page: Page) -> None:
    url = await relink_url(api)
    await page.goto(url)
    await looks_well(page, "relink")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Reconnect").click()
    await expect(page.get_by_role("alert")).to_have_text("The server refused the password.")
    await looks_well(page, "relink-refused")
    await page.get_by_label("Password").fill(RIGHT)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading")).to_have_text("You are connected again")
    await looks_well(page, "relink-done")
    await page.goto(url)
    await expect(page.get_by_role("heading")).to_have_text("This link is no longer valid")


async def test_it_needs_no_script(api: Api, open_page: OpenPage) -> None:
    page = await open_page(java_script_enabled=False)
    await page.goto(await relink_url(api))
    await page.get_by_label("Password").fill(RIGHT)
    await page.get_by_role("button", name="Reconnect").click()
    await expect(page.get_by_role("heading")).to_have_text("You are connected again")
