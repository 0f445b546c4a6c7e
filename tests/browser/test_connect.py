"""The connect page in a browser (api.md N6): how it looks, by keyboard, without scripts."""

from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page, Route, expect

from syncd.model.access import Application, Scope
from syncd.model.ids import ApplicationId
from syncd.model.invitation import Ends
from tests.api.serving import Api
from tests.browser.conftest import OpenPage
from tests.browser.looks import looks_well
from tests.engine.ground import USER
from tests.fakes.linker import ELSEWHERE, RIGHT

DESK = ApplicationId("app_desk")
POWERS = frozenset({Scope.LIST_CALENDARS, Scope.READ_EVENTS, Scope.CREATE_EVENT})


async def invited(api: Api, **wish: object) -> str:
    """Return the address where somebody may connect a calendar to Desk."""
    if DESK not in {one.id for one in await api.ground.store.applications()}:
        desk = Application(id=DESK, name="Desk", created=api.clock.now())
        await api.ground.store.add_application(desk)
    given = {"application_id": DESK, "user_id": USER, "scopes": POWERS, **wish}
    path, _ = await api.parts.invitations.invite(Ends.RETURN, **given)  # type: ignore[arg-type]  # of a Wish
    return api.url + path


async def test_somebody_connects_a_caldav_server(api: Api, page: Page) -> None:
    await page.goto(await invited(api))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Connect your calendar to Desk")
    await looks_well(page, "connect")
    await page.get_by_role("link", name="CalDAV").click()
    await looks_well(page, "connect-caldav")
    await page.get_by_label("Server").fill("cloud.example.org")
    await page.get_by_label("User name").fill("ada")
    await page.get_by_label("Password").fill("wrong")
    await page.get_by_role("button", name="Connect").click()
    await expect(page.get_by_role("alert")).to_have_text("The server refused the password.")
    await expect(page.get_by_label("Server")).to_have_value("cloud.example.org")
    await expect(page.get_by_label("Password")).to_be_focused()
    await looks_well(page, "connect-refused")
    await page.get_by_label("Password").fill(RIGHT)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading")).to_have_text("Your calendar is connected")
    await looks_well(page, "connect-done")


async def test_the_forms_of_icloud_and_of_exchange(api: Api, page: Page) -> None:
    url = await invited(api)
    for provider in ("icloud", "ews"):
        await page.goto(f"{url}?provider={provider}")
        await looks_well(page, f"connect-{provider}")
    await page.goto(await invited(api, providers=frozenset({"google"})))
    await looks_well(page, "connect-google")
    await page.goto(f"{api.url}/connect/none")
    await looks_well(page, "connect-dead")


async def test_a_cancelled_consent_is_explained(api: Api, page: Page) -> None:
    """N3; that the browser goes there at all shows that the policy lets the form lead there."""
    await page.route(f"{ELSEWHERE}/**", elsewhere)
    await page.goto(await invited(api))
    await page.get_by_role("button", name="Google").click()
    await expect(page.get_by_role("heading")).to_have_text("Elsewhere")
    state = parse_qs(urlsplit(page.url).query)["state"][0]
    await page.goto(f"{api.url}/oauth/callback/google?error=access_denied&state={state}")
    await expect(page.get_by_role("heading")).to_have_text("Nothing was connected")
    await looks_well(page, "consent-cancelled")
    await page.get_by_role("link", name="Back to the beginning").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Connect your calendar to Desk")
    await page.goto(f"{api.url}/oauth/callback/google?error=access_denied&state={state}")
    await expect(page.get_by_role("heading")).to_have_text("This sign-in cannot go on here")
    await looks_well(page, "consent-used")


async def elsewhere(route: Route) -> None:
    """Answer as a provider's page."""
    await route.fulfill(body="<!doctype html><h1>Elsewhere</h1>", content_type="text/html")


async def test_by_keyboard_alone_and_without_scripts(api: Api, open_page: OpenPage) -> None:
    page = await open_page(java_script_enabled=False)
    await page.goto(await invited(api))
    for name in ("Google", "Microsoft"):
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name=name)).to_be_focused()
    for name in ("iCloud", "Exchange", "CalDAV"):
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name=name)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Server")).to_be_focused()  # by itself, once it is there
    await page.keyboard.type("cloud.example.org")
    for words in ("ada", RIGHT):
        await page.keyboard.press("Tab")
        await page.keyboard.type(words)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading")).to_have_text("Your calendar is connected")


async def test_somebody_changes_their_mind(api: Api, page: Page) -> None:
    url = await invited(api)
    await page.goto(url)
    await page.get_by_role("link", name="Exchange").click()
    await page.get_by_role("link", name="Other calendars").click()
    await expect(page.get_by_role("heading", name="Where is your calendar?")).to_be_visible()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("heading")).to_have_text("Nothing was connected")
    await looks_well(page, "connect-cancelled")
    await page.goto(url)
    await expect(page.get_by_role("heading")).to_have_text("This link is no longer valid")
