"""From a blank browser to the first activity, and back after credentials died (N3-N7, I11, I12).

The daemon is the real one; Google's and Microsoft's sign-in are those of npm's ``emulate``.
"""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.looks import looks_well
from tests.browser.world import Json, world

pytestmark = pytest.mark.timeout(240)
PROVIDERS = ("google", "graph", "caldav", "icloud", "ews")
NAMES = {"caldav": "CalDAV", "icloud": "iCloud", "ews": "Exchange"}


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
