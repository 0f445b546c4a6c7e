"""A password changes, the stream says so, a person mends it (N1, N2, N5, I11, I12)."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar

from tests.journeys.daemon import SETTINGS, configured
from tests.servers.caldav import Radicale

SOON = SETTINGS.replace("[outbound]", "disconnect_proof_seconds = 0\n[outbound]")
ICS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:test\r
BEGIN:VEVENT\r
UID:{name}\r
DTSTAMP:20261120T090000Z\r
DTSTART:20261124T090000Z\r
DTEND:20261124T100000Z\r
SUMMARY:{name}\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.mark.timeout(90)
async def test_a_person_reconnects_with_the_link_that_the_application_was_told(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    async with Radicale(folder) as server, configured(tmp_path / "syncd", SOON) as daemon:
        await server.mkcalendar("work")
        await server.put("work", "one.ics", ICS.format(name="One"))
        await daemon.start()
        await daemon.ask(
            "profile", "add", "caldav", "--url", server.url, "--username", server.username,
            "--password-stdin", text=server.password,
        )  # fmt: skip
        token = (await daemon.ask("token", "create"))["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        jar = CookieJar(unsafe=True)  # a browser that keeps cookies of an address
        async with (
            ClientSession(daemon.address, headers=bearer) as app,
            ClientSession(cookie_jar=jar) as browser,
        ):

            async def state(wanted: str) -> Any:  # noqa: ANN401 - JSON
                """Poll until the profile is in a state, and return it as Cronofy lists it."""
                for _ in range(40):
                    await app.post("/v1/profiles/1/sync?wait=5")
                    async with app.get("/v1/profiles/1") as answer:
                        if (await answer.json())["state"] == wanted:
                            break
                    await asyncio.sleep(1.1)
                async with app.get("/v1/profiles") as answer:
                    return (await answer.json())["profiles"][0]

            assert "profile_relink_url" not in await state("connected")
            async with app.get("/v1/accounts/me/events?cursor=latest") as answer:
                cursor = (await answer.json())["cursor"]
            server.set_password("changed")
            listed = await state("disconnected")
            assert listed["profile_connected"] is False
            url = listed["profile_relink_url"]
            await server.put("work", "two.ics", ICS.format(name="Two"))
            for password, status in (("wrong", 422), ("changed", 303)):
                async with browser.get(url) as page:
                    form = re.search(r'name="token" value="(\w+)"', await page.text())
                assert form
                fields = {"token": form[1], "password": password}
                async with browser.post(url, data=fields, allow_redirects=False) as answer:
                    assert answer.status == status, await answer.text()
            assert "profile_relink_url" not in await state("connected")
            news = f"/v1/accounts/me/events?cursor={cursor}"
            async with app.get(f"{news}&objects=event&wait=30") as answer:
                assert len((await answer.json())["objects"]) == 1  # polled at once, unasked
            async with app.get(news) as answer:
                records = (await answer.json())["objects"]
    told = [
        one["metadata"].get("name") or one["changes"]["state"]["new"]
        for one in records
        if one["metadata"]["type"] == "event" or "state" in one["changes"]
    ]
    assert told == ["disconnected", "connected", "Two"]
