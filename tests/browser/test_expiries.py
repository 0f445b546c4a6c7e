"""The pages about expiring tokens in a browser (api.md M9, M11)."""

from datetime import timedelta

from playwright.async_api import Page, expect

from tests.api.serving import Api
from tests.api.test_mytoken_feed import subscribed
from tests.browser.looks import looks_well


async def test_somebody_looks_and_stops_a_reminder(api: Api, page: Page) -> None:
    path, _ = await subscribed(api, expires_at=api.clock.now() + timedelta(days=3))
    await page.goto(f"{api.url}{path}/view")
    await looks_well(page, "expiries")
    await page.get_by_role("link", name="Make one like it").click()
    await looks_well(page, "expiries-again")
    await page.get_by_role("button", name="Show the command").click()
    await expect(page.locator("code")).to_contain_text("syncd token create")
    await looks_well(page, "expiries-command")
    await page.goto(f"{api.url}{path}/view")
    await page.get_by_role("link", name="Stop reminding").click()
    await looks_well(page, "expiries-stop")
    await page.get_by_role("button", name="Stop reminding").click()
    await expect(page.get_by_role("heading")).to_have_text("Removed")
    await page.goto(f"{api.url}{path}/view")
    await expect(page.get_by_text("No token is about to expire.")).to_be_visible()
    await looks_well(page, "expiries-none")
