"""Webhooks as the command line adds them, with the daemon's own parts (N14, K46)."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from syncd.model.errors import InvalidError, LimitError, ProbeError
from syncd.runtime import settings
from syncd.runtime.admin import perform
from syncd.runtime.outbound import PUSH_IDLE
from syncd.runtime.wiring import Core, parts_of, wired
from tests.journeys.daemon import configured
from tests.servers.kloudless_hook import KloudlessHook

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"format": "xml"}, "standard, cloudevents or kloudless"),
    ({"format": "cronofy"}, "standard, cloudevents or kloudless"),  # made by its own dialect
    ({"format": "kloudless"}, "name it with --application"),
    ({"types": ["event.moved"]}, "event.moved is no type"),
    ({"application": "Desk", "user": "ada"}, "one of them"),
]


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Core]:
    async with configured(tmp_path / "syncd") as made, wired(settings.load(made.config)) as parts:
        yield parts


async def test_an_applications_webhook_is_kept_once_its_endpoint_answers(core: Core) -> None:
    """K46: the application's API key signs what the operator sets up for it."""
    made = await perform(core, "application.add", {"name": "Desk"})
    hook = KloudlessHook(made["client_id"], made["client_secret"])
    with hook.listening():
        asked = {"url": hook.url, "application": "Desk", "format": "kloudless"}
        with pytest.raises(ProbeError, match="answered 403"):
            await perform(core, "webhook.add", asked)
        assert await perform(core, "webhook.list", {}) == []
        hook.api_key = made["api_key"]
        added = await perform(core, "webhook.add", asked)
        tested = await perform(core, "webhook.test", {"webhook": added["id"]})
    assert (added["format"], added["status"]) == ("kloudless", "active")
    assert (tested["status"], tested["response_body"]) == ("delivered", made["client_id"])
    assert hook.bodies == [b""] * 3


async def test_the_receiver_of_the_readme_takes_the_test_and_refuses_what_is_not_ours(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As somebody copies it: `syncd webhook test` comes before any record."""
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(from aiohttp import web.*?)```", text, re.DOTALL)
    served = list[web.Application]()
    monkeypatch.setattr(web, "run_app", served.append)
    copied: dict[str, Any] = {}
    exec(code, copied)  # noqa: S102 - our own document
    async with TestServer(served[0]) as server:
        url = str(server.make_url("/hooks/syncd"))
        made = await perform(core, "webhook.add", {"url": url})
        copied["SECRET"] = "whsec_" + base64.b64encode(b"another").decode()
        refused = await perform(core, "webhook.test", {"webhook": made["id"]})
        copied["SECRET"] = made["secret"]
        tested = await perform(core, "webhook.test", {"webhook": made["id"]})
    assert (refused["status"], refused["response_code"]) == ("failed", 401)
    assert (tested["status"], tested["response_code"]) == ("delivered", 204)


async def test_what_cannot_be_added_says_why(core: Core) -> None:
    await perform(core, "application.add", {"name": "Desk"})
    for arguments, told in REFUSED:
        with pytest.raises(InvalidError, match=told):
            await perform(core, "webhook.add", {"url": "https://app.example/", **arguments})
    assert await core.store.subscriptions() == []


async def test_the_setting_says_how_many_one_owner_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCD_LIMITS__SUBSCRIPTIONS_PER_OWNER", "1")
    url = {"url": "https://app.example/"}
    async with configured(tmp_path / "syncd") as made, wired(settings.load(made.config)) as core:
        assert parts_of(core).per_owner == 1
        first = await perform(core, "webhook.add", url)
        with pytest.raises(LimitError, match="subscriptions_per_owner"):
            await perform(core, "webhook.add", url)
        await perform(core, "webhook.remove", {"webhook": first["id"]})
        await perform(core, "webhook.add", url)


async def test_what_is_pushed_goes_over_no_connection_that_may_be_ending(core: Core) -> None:
    """Servers end those that are idle, some after 2 s; what else we ask may be asked again."""
    ends = list[object]()

    async def take(request: web.Request) -> web.Response:
        assert request.transport is not None
        ends.append(request.transport.get_extra_info("peername"))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    async with TestServer(app) as server:
        made = await perform(core, "webhook.add", {"url": str(server.make_url("/"))})
        for pause in (0, 0, PUSH_IDLE.total_seconds() + 0.2):
            await asyncio.sleep(pause)
            await perform(core, "webhook.test", {"webhook": made["id"]})
    assert [ends[0] == each for each in ends] == [True, True, False]
