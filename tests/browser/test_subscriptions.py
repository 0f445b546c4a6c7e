"""The pages about subscriptions in a browser: how they look, and that they need no script."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from syncd.engine.fanout import settle_fanout
from syncd.model.subscription import Format
from tests.api.serving import Api
from tests.browser.conftest import OpenPage
from tests.browser.looks import looks_well
from tests.browser.operator import log_in
from tests.fakes.sink import FakeSink, refused
from tests.web.test_subscriptions import LIST, URL, down, record, subscribe

FAR = "https://integration.desk.example/v2/hooks/calendar-changes?customer=7f3a91&region=eu"


async def pushed(api: Api) -> FakeSink:
    """Have some subscriptions of every kind, doing as differently as they can."""
    sink = api.parts.deliverer._sender.sinks[Format.STANDARD]
    assert isinstance(sink, FakeSink)
    first = await subscribe(api, description="Desk")
    gone = await subscribe(api, "https://gone.example/hook", format=Format.CLOUDEVENTS)
    await subscribe(api, FAR)
    paused = await subscribe(api, "https://paused.example/hook")
    await api.parts.subscriptions.enable(paused.id, enabled=False)
    await settle_fanout(api.ground.store, api.clock, "nats://10.0.0.5:4222,nats://10.0.0.6:4222")
    await record(api, "Design review", "Lunch")
    sink.answers = lambda url, _message: (
        {
            FAR: refused(503, error="answered 503", answer=b"<h1>503 Service Unavailable</h1>"),
            gone.url: refused(410, gone=True),
        }.get(url)
        or refused(204, error=None)
    )
    api.clock.advance(timedelta(minutes=3))
    await record(api, "Planning")
    assert first.url == URL
    return sink


async def test_subscriptions_look_well(api: Api, page: Page) -> None:
    await pushed(api)
    await log_in(page, api, LIST)
    await looks_well(page, "subscriptions")
    await page.get_by_role("link", name="integration.desk.example").click()
    await looks_well(page, "subscription")
    await page.get_by_role("link", name="Failed").click()
    await page.get_by_role("link", name="Look at").first.click()
    await looks_well(page, "delivery")
    await page.get_by_role("link", name="integration.desk.example").click()
    await page.get_by_role("link", name="Remove").click()
    await looks_well(page, "unsubscribe")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
async def test_everything_about_them_is_done_with_and_without_scripts(
    api: Api, open_page: OpenPage, *, scripts: bool
) -> None:
    sink = await pushed(api)
    page = await open_page(java_script_enabled=scripts)
    await log_in(page, api, LIST)
    done = page.get_by_role("status").first
    await page.get_by_role("button", name=f"Pause {URL}").click()
    await expect(done).to_have_text(re.compile("Paused"))
    await page.get_by_role("button", name="Resume").click()
    await expect(done).to_have_text(re.compile("Resumed"))
    await page.get_by_role("button", name="Send a test").click()
    await expect(done).to_have_text(re.compile("The test message arrived"))
    sink.answers = down
    await page.get_by_role("button", name="Send a test").click()
    await expect(done).to_have_text(re.compile("did not arrive: answered 503"))
    await page.get_by_role("link", name="Look at").first.click()
    await expect(page.get_by_role("region", name="What is sent")).to_contain_text("record")
    await page.get_by_role("button", name="Send again").click()
    await expect(done).to_have_text(re.compile("It is sent again"))
    await page.get_by_role("link", name="New secret").click()
    await page.get_by_role("button", name="Make a new secret").click()
    await expect(page.get_by_label("Signing secret")).to_have_value(re.compile("^whsec_"))
    await page.get_by_role("link", name="Subscription", exact=True).click()
    await page.get_by_role("link", name="Remove").click()
    await page.get_by_role("button", name="Remove it").click()
    await expect(done).to_have_text(re.compile("The subscription is removed"))
    await expect(page.get_by_role("link", name=URL)).to_have_count(0)
