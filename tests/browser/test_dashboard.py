"""The operator's dashboard in a browser."""

from playwright.async_api import Page, expect

from tests.api.serving import Api
from tests.browser.looks import looks_well
from tests.browser.operator import busy, log_in


async def test_every_page_looks_well(api: Api, page: Page) -> None:
    await busy(api)
    await page.goto(api.url)
    await looks_well(page, "login")
    await log_in(page, api)
    await looks_well(page, "overview")
    await page.get_by_role("link", name="ada@example.org").click()
    await looks_well(page, "profile")
    await page.get_by_role("link", name="Look, and decide").first.click()
    await looks_well(page, "confirm")
    await page.get_by_role("link", name="Activity").click()
    await looks_well(page, "activity")
    await page.goto(f"{api.url}/dashboard/activity?profile={api.account}")
    await looks_well(page, "activity-one")
    await page.get_by_role("link", name="Access").click()
    await looks_well(page, "access")
    await page.get_by_role("link", name="System").click()
    await looks_well(page, "system")
    await expect(page.get_by_role("heading", name="System")).to_be_visible()
