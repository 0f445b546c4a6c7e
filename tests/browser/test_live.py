"""The live view, from a real calendar server through the real daemon into a real browser."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect

from syncd import __version__
from tests.browser.conftest import OpenPage
from tests.browser.looks import looks_well
from tests.browser.operator import at_door
from tests.browser.site import Site, running
from tests.journeys.test_relink import ICS

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path) as made:
        yield made


async def test_what_somebody_adds_appears_by_itself(site: Site, open_page: OpenPage) -> None:
    """In both views; as text whatever it says; and not while it is paused."""
    page = await open_page(permissions=["clipboard-read", "clipboard-write"])
    await at_door(page, site.url, site.token, "/dashboard/activity")
    other = await page.context.new_page()
    await other.goto(f"{site.url}/dashboard/profiles/1")
    for one in (page, other):
        await expect(one.get_by_role("status").filter(has_text="Live")).to_be_visible()
    hostile = ICS.format(name="one").replace("SUMMARY:one", f"SUMMARY:Review {HOSTILE}")
    await site.server.put("work", "one.ics", hostile)
    await site.server.put("work", "two.ics", ICS.format(name="Lunch"))
    for one in (page, other):
        await expect(one.get_by_text("Lunch", exact=True)).to_be_visible(timeout=30_000)
        await expect(one.get_by_text(f"Review {HOSTILE}")).to_be_visible()
        assert await one.locator("img").count() == 0
    await looks_well(page, "live")
    await page.get_by_role("button", name="Pause").click()
    await site.server.put("work", "three.ics", ICS.format(name="Dentist"))
    await expect(other.get_by_text("Dentist", exact=True)).to_be_visible(timeout=30_000)
    await expect(page.get_by_text("Dentist")).to_have_count(0)
    await page.get_by_role("link", name="Profile 1").first.click()
    await expect(page.get_by_role("heading", name="alice")).to_be_visible()
    await other.goto(f"{site.url}/dashboard/activity?profile=1&kind=event")
    await other.get_by_role("button", name="Copy").click()
    await expect(other.get_by_role("button", name="Copied")).to_be_visible()
    copied = await other.evaluate("() => navigator.clipboard.readText()")
    assert copied == (
        f'curl -N -H "Authorization: Bearer $TOKEN" \'{site.url}/v1/accounts/1/events/stream'
        "?objects=event'"
    )


async def test_the_daemon_tells_how_it_is_doing(site: Site, page: Page) -> None:
    await at_door(page, site.url, site.token, "/dashboard/system")
    await expect(page.get_by_text("All is well")).to_be_visible()
    text = " ".join((await page.locator("main").inner_text()).split())
    for words in (f"syncd {__version__}", "SQLite 3.", "Retention every 1 h"):
        assert words in text
    assert re.search(r"Memory [\d.]+ MiB", text)
    assert re.search(r"Event loop lag [\d.]+ ms", text)
    assert re.search(r"Disk [\d.]+ (MiB|GiB|TiB)", text)
    assert re.search(r"providers\.google not registered", text)
    await looks_well(page, "system-real")


async def test_a_revoked_token_ends_the_page_that_is_open(site: Site, page: Page) -> None:
    """The stream within a second; the page renews itself and is at the door."""
    await at_door(page, site.url, site.token, "/dashboard/activity")
    status = page.locator("[data-status]")
    await expect(status).to_have_text("Live")
    await site.daemon.ask("token", "revoke", site.token)
    await expect(status).to_have_text("Ended. Load the page again.", timeout=10_000)
    await page.goto(site.url)
    await expect(page.get_by_role("heading", name="Log in to syncd")).to_be_visible()
