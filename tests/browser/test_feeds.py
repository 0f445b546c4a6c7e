"""The page about feeds in a browser: how it looks, and that it needs no script."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

from syncd.model.ids import CalendarId
from tests.api.serving import Api
from tests.api.test_feeds import polled, publish, read
from tests.browser.conftest import OpenPage
from tests.browser.looks import looks_well
from tests.browser.operator import log_in
from tests.web.test_feeds import LIST, of_application


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_feeds_are_seen_and_one_is_removed(
    api: Api, open_page: OpenPage, *, scripts: bool
) -> None:
    await polled(api.ground)
    await read(api, await publish(api, "primary", name="Team calendar of the design department"))
    soon = (api.clock.now() + timedelta(minutes=5)).isoformat()
    await publish(api, "primary", name="Board", detail="busy", expires_at=soon)
    await of_application(api, None, *(CalendarId(f"cal_{number}") for number in range(8)))
    api.clock.advance(timedelta(hours=3))
    page = await open_page(java_script_enabled=scripts)
    await log_in(page, api)
    await page.get_by_role("link", name="Feeds").click()
    await expect(page.get_by_role("heading", level=2)).to_have_count(3)
    if scripts:  # axe-core is one
        await looks_well(page, "feeds")
    await page.get_by_role("link", name="Remove Board").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Remove Board?")
    if scripts:
        await looks_well(page, "unpublish")
    await page.get_by_role("button", name="Remove it").click()
    await expect(page.get_by_role("status")).to_have_text(re.compile("The feed is removed"))
    await expect(page.get_by_role("heading", name="Board")).to_have_count(0)
    assert page.url.startswith(api.url + LIST)
