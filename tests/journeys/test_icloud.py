"""An Apple ID on the real daemon: connected, followed, written to, revoked, mended (IC2, R22)."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar

from tests.journeys.daemon import SETTINGS, configured
from tests.servers.dav_client import event
from tests.servers.icloud import MAIN_PASSWORD, Icloud

SOON = SETTINGS.replace("[outbound]", "disconnect_proof_seconds = 0\n[outbound]")


def settings(server: Icloud) -> str:
    told = "".join(f'{key} = "{url}"\n' for key, url in server.settings["icloud"].items())
    return f"{SOON}[providers.icloud]\n{told}"


@pytest.mark.timeout(90)
async def test_an_apple_id_is_connected_followed_and_mended(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    async with (
        Icloud(folder) as server,
        configured(tmp_path / "syncd", settings(server)) as daemon,
    ):
        await server.mkcalendar("work", name="Work")
        await server.put("work", "one.ics", event("one", "One"))
        await daemon.start()
        add = ("profile", "add", "icloud", "--username", server.username, "--password-stdin")
        code, _, told = await daemon.run(*add, text=MAIN_PASSWORD)
        assert code != 0
        assert "account.apple.com" in told
        added = await daemon.ask(*add, text=server.password)
        assert (added["provider"], added["login"]) == ("icloud", "ada@icloud.com")
        token = (await daemon.ask("token", "create"))["token"]
        async with ClientSession(
            daemon.address, headers={"Authorization": f"Bearer {token}"}
        ) as app:
            assert (await until(app, "connected"))["provider_name"] == "apple"
            account = await answered(app, "/v1/accounts/me")
            assert (account["service"], account["apis"]) == (
                "icloud_calendar",
                ["calendar", "contact"],
            )
            cursor = (await answered(app, "/v1/accounts/me/events?cursor=latest"))["cursor"]
            wanted = {"profile_id": account["profile_id"], "name": "Trips", "color": "#EB6D00"}
            async with app.post("/v1/calendars", json=wanted) as made:
                assert made.status == 200, await made.text()
            server.refusal = 403
            right, server.password = server.password, "revoked"
            listed = await until(app, "disconnected")
            await server.put("work", "two.ics", event("two", "Two"))
            server.set_password(right)
            await relinked(listed["profile_relink_url"], right)
            await until(app, "connected")
            names = list[str]()
            while len(names) < 2:
                news = await answered(app, f"/v1/accounts/me/events?cursor={cursor}&wait=30")
                assert news["objects"], names
                names += [one["metadata"]["name"] for one in news["objects"] if named(one)]
                cursor = news["cursor"]
            assert names == ["Trips", "Two"]


def named(record: Any) -> bool:  # noqa: ANN401 - JSON
    return bool(record["metadata"]["type"] != "account")


async def answered(app: ClientSession, path: str) -> Any:  # noqa: ANN401 - JSON
    async with app.get(path) as answer:
        return await answer.json()


async def until(app: ClientSession, wanted: str) -> Any:  # noqa: ANN401 - JSON
    """Poll until the profile is in a state, and return it as Cronofy lists it."""
    for _ in range(40):
        await app.post("/v1/profiles/1/sync?wait=5")
        if (await answered(app, "/v1/profiles/1"))["state"] == wanted:
            break
        await asyncio.sleep(1.1)  # asked for more often, it is told to wait
    return (await answered(app, "/v1/profiles"))["profiles"][0]


async def relinked(url: str, password: str) -> None:
    """Open the page as a person does; the Apple ID's own password is refused there too."""
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as browser:
        for typed, status in ((MAIN_PASSWORD, 422), (password, 303)):
            async with browser.get(url) as page:
                text = await page.text()
                assert "App-specific password</label>" in text
                form = re.search(r'name="token" value="(\w+)"', text)
            assert form
            fields = {"token": form[1], "password": typed}
            async with browser.post(url, data=fields, allow_redirects=False) as answer:
                assert answer.status == status, await answer.text()
