"""The eyes themselves: they see what is wrong."""

import pytest
from playwright.async_api import Page

from tests.browser.conftest import OpenPage
from tests.browser.looks import assert_accessible, assert_fits, violations

FAULTS = """<!doctype html><title>Faults</title><main><h1>Faults</h1><img src="data:,">
<input type="text"><p style="color:#bbb;background:#fff">pale</p>
<div style="width:2000px">wide</div></main>"""


async def test_grave_faults_and_wide_pages_are_seen(page: Page) -> None:
    await page.set_content(FAULTS)
    found = {one.partition(":")[0] for one in await violations(page)}
    assert found >= {"image-alt", "label", "color-contrast", "html-has-lang"}
    with pytest.raises(AssertionError, match="image-alt"):
        await assert_accessible(page)
    with pytest.raises(AssertionError, match="wider than its window"):
        await assert_fits(page)


async def test_people_share_nothing(open_page: OpenPage) -> None:
    """Each window is another person's: no cookie goes from one to another."""
    one, other = await open_page(), await open_page()
    await one.context.add_cookies([{"name": "a", "value": "b", "url": "http://127.0.0.1"}])
    assert await one.context.cookies()
    assert await other.context.cookies() == []
