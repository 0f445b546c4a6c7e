"""Published files of the real daemon: tokens that expire, and a calendar that is edited."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.formats.parsers import proven
from tests.journeys.daemon import configured
from tests.journeys.test_relink import ICS
from tests.servers.caldav import Radicale

CALENDARS = "/api/v0/notifications/calendars"


@pytest.mark.timeout(90)
async def test_a_revoked_token_leaves_the_calendar_that_reminds_of_it(tmp_path: Path) -> None:
    """M2-M9, by the command line and two requests, over a restart."""
    async with configured(tmp_path / "syncd") as daemon:
        await daemon.start()
        owner = await daemon.ask(
            *("token", "create", "--scope", "manage_mytokens:notify", "--rotate"),
            *("--expires-in", "365d", "--name", "calendars"),
        )
        watched = await daemon.ask("token", "create", "--expires-in", "90d", "--name", "ci")
        listed = await daemon.ask("token", "list")
        assert {one["mom_id"] for one in listed} == {owner["mom_id"], watched["mom_id"]}
        async with ClientSession() as client:

            async def send(path: str, **form: str) -> Any:  # noqa: ANN401 - JSON
                nonlocal owner
                async with client.post(
                    daemon.address + path, data={"mytoken": owner["token"], **form}
                ) as answer:
                    told = await answer.json()
                    assert answer.status in {200, 201}, told
                    update = told["token_update"]
                    assert update["mom_id"] == owner["mom_id"]
                    owner = owner | {"token": update["mytoken"]}
                    return told

            async def events(path: str) -> list[str]:
                async with client.get(path) as answer:
                    assert answer.status == 200
                    return [str(one["UID"]) for one in proven(await answer.read()).events]

            made = await send(CALENDARS, name="Tokens")
            await send(f"{CALENDARS}/Tokens", mom_id=watched["mom_id"], comment="of the CI")
            assert await events(made["ics_path"]) == [watched["mom_id"]]
            await daemon.kill()
            await daemon.start()
            assert await events(made["ics_path"]) == [watched["mom_id"]]
            await daemon.ask("token", "revoke", watched["id"])
            assert await events(made["ics_path"]) == []
            again = await send(f"{CALENDARS}/Tokens", mom_id=owner["mom_id"])
            assert again["ics_path"] == made["ics_path"]
            assert await events(made["ics_path"]) == [owner["mom_id"]]


@pytest.mark.timeout(90)
async def test_a_feed_follows_an_edit_after_a_poll(tmp_path: Path) -> None:
    """N21, N22: of a calendar on a real server."""
    folder = tmp_path / "server"
    folder.mkdir()
    async with Radicale(folder) as server, configured(tmp_path / "syncd") as daemon:
        await server.mkcalendar("work")
        await server.put("work", "one.ics", ICS.format(name="One"))
        await daemon.start()
        await daemon.ask(
            "profile", "add", "caldav", "--url", server.url, "--username", server.username,
            "--password-stdin", text=server.password,
        )  # fmt: skip
        token = (await daemon.ask("token", "create"))["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        async with ClientSession(daemon.address, headers=bearer) as app, ClientSession() as reader:

            async def polled(path: str, wanted: list[str]) -> None:
                """Poll, at most once a second, until the feed shows this; 304 shows nothing."""
                found = list[str]()
                for _ in range(15):
                    await app.post("/v1/profiles/1/sync?wait=5")
                    found = (await read(path))[1]
                    if found == wanted:
                        return
                    await asyncio.sleep(1.1)
                raise AssertionError(found)

            async def publish(detail: str) -> str:
                body = {"name": "Work", "calendar_ids": ["primary"], "detail": detail}
                async with app.post("/v1/feeds", json=body) as answer:
                    made = await answer.json()
                    assert answer.status == 201, made
                    return str(made["ics_path"])

            async def read(path: str, tag: str = "") -> tuple[int, list[str], str]:
                async with reader.get(path, headers={"If-None-Match": tag}) as answer:
                    text = await answer.read()
                    found = proven(text).events if answer.status == 200 else []
                    titles = sorted(str(one["SUMMARY"]) for one in found)
                    return answer.status, titles, answer.headers["ETag"]

            await app.post("/v1/profiles/1/sync?wait=20")
            full, busy = await publish("full"), await publish("busy")
            status, titles, tag = await read(full)
            assert (status, titles) == (200, ["One"])
            assert (await read(full, tag))[0] == 304
            moved = ICS.format(name="One").replace("SUMMARY:One", "SUMMARY:Moved")
            await server.put("work", "one.ics", moved)
            await server.put("work", "two.ics", ICS.format(name="Two"))
            await polled(full, ["Moved", "Two"])
            assert (await read(full, tag))[:2] == (200, ["Moved", "Two"])
            assert (await read(busy))[:2] == (200, ["Busy", "Busy"])
            await server.delete("work", "one.ics")
            await polled(full, ["Two"])
