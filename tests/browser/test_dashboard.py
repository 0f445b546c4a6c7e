"""The operator's dashboard in a browser: how it looks, and that it works by every means."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.api.serving import Api
from tests.browser.conftest import OpenPage
from tests.browser.looks import looks_well
from tests.browser.operator import busy, log_in


async def test_the_door_and_all_profiles_look_well(api: Api, page: Page) -> None:
    await page.goto(api.url)
    await looks_well(page, "login")
    await page.get_by_label("Token").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("There is no such token")
    await looks_well(page, "login-refused")
    await busy(api)
    await log_in(page, api)
    await looks_well(page, "overview")


async def test_a_profile_looks_well(api: Api, page: Page) -> None:
    await busy(api)
    await log_in(page, api)
    await page.get_by_role("link", name="ada@example.org").click()
    await looks_well(page, "profile")
    await page.get_by_role("link", name="Look, and decide").first.click()
    await looks_well(page, "confirm")
    await page.goto(f"{api.url}/dashboard/profiles/24")
    await page.get_by_role("button", name="Relink").click()
    await expect(page.get_by_label("Relink URL")).to_have_value(re.compile(r"/relink/"))
    await looks_well(page, "profile-disconnected")


async def test_activity_access_and_system_look_well(api: Api, page: Page) -> None:
    await log_in(page, api)
    await page.get_by_role("link", name="Activity").click()
    await looks_well(page, "activity")
    await page.get_by_role("link", name="Access").click()
    await page.get_by_text("Make a token").click()
    await page.get_by_text("Register an application").click()
    await looks_well(page, "access")
    await page.get_by_role("link", name="System").click()
    await looks_well(page, "system")


async def test_what_is_shown_once_and_asked_first_looks_well(api: Api, page: Page) -> None:
    await log_in(page, api, "/dashboard/access")
    await page.get_by_text("Register an application").click()
    await page.get_by_label("Name").last.fill("Desk")
    await page.get_by_role("button", name="Register").click()
    await expect(page.get_by_label("API key")).to_have_value(re.compile(r"syncd_"))
    await looks_well(page, "secrets")
    await page.get_by_role("link", name="Access").last.click()
    await page.get_by_role("link", name="Rotate or remove Desk").click()
    await looks_well(page, "application")
    await page.get_by_role("link", name="Access").last.click()
    await page.get_by_role("link", name="Revoke").first.click()
    await looks_well(page, "revoke")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_everything_is_done_with_and_without_scripts(
    api: Api, open_page: OpenPage, *, scripts: bool
) -> None:
    await busy(api)
    page = await open_page(java_script_enabled=scripts)
    await log_in(page, api)
    mine = page.get_by_role("listitem").filter(has_text="ada@example.org")
    await mine.get_by_role("button", name="Pause").click()
    done = page.get_by_role("status").first
    await expect(done).to_have_text(re.compile("Paused"))
    await page.get_by_role("button", name="Resume").click()
    await expect(done).to_have_text(re.compile("Resumed"))
    api.clock.advance(api.parts.pace.longest_wait)
    await page.get_by_role("button", name="Poll now").click()
    await expect(done).to_have_text("Polled.")
    await page.get_by_role("button", name="Relink").click()
    await expect(page.get_by_label("Relink URL")).to_have_value(re.compile(r"/relink/"))
    await page.get_by_role("link", name="Look, and decide").first.click()
    await page.get_by_role("button", name="Delete 37 events").click()
    await expect(done).to_have_text(re.compile("are deleted"))
    await expect(page.get_by_text("Connected", exact=True).first).to_be_visible()
    await page.get_by_role("link", name="Profiles").first.click()
    await page.get_by_label("Login, name or number").fill("grace")
    await page.get_by_role("button", name="Search").click()
    await expect(page.get_by_role("link", name="grace@example.com")).to_be_visible()
    await expect(page.get_by_role("link", name="ada@example.org")).to_have_count(0)
    await page.get_by_role("link", name="Activity").click()
    missing = page.get_by_text("Live activity needs JavaScript")
    await expect(missing).to_be_visible(visible=not scripts)
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="Log in to syncd")).to_be_visible()


async def test_a_search_answers_while_one_types(api: Api, page: Page) -> None:
    """The address follows, so that it can be kept; the field keeps the focus."""
    await busy(api)
    await log_in(page, api)
    field = page.get_by_label("Login, name or number")
    await field.press_sequentially("margaret", delay=20)
    await expect(page.get_by_role("link", name="grace@example.com")).to_have_count(0)
    await expect(page.get_by_role("link", name="margaret@icloud.example")).to_be_visible()
    await expect(page).to_have_url(re.compile(r"\?q=margaret"))
    await expect(field).to_be_focused()
    await page.reload()
    await expect(field).to_have_value("margaret")


async def test_it_is_walked_by_keyboard(api: Api, page: Page) -> None:
    """The first stop skips to the content; each stop can be seen; a button is pressed by space."""
    await log_in(page, api)
    await page.reload()
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    names = list[str]()
    while "Relink of ada@example.org" not in names:
        await page.keyboard.press("Tab")
        name, outline = await page.evaluate(
            "() => { const one = document.activeElement;"
            " return [one.textContent.trim() || one.id, getComputedStyle(one).outlineStyle] }"
        )
        assert outline != "none", name
        names.append(" ".join(name.split()))
    assert len(names) < 12
    assert names.index("Search") < names.index("ada@example.org")
    await page.get_by_role("button", name="Pause of ada@example.org").focus()
    await page.keyboard.press("Space")
    await expect(page.get_by_role("status").first).to_have_text(re.compile("Paused"))
