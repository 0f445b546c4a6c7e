"""``syncd feed`` beside a running daemon: an operator sees what is published, and ends it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.journeys.daemon import Daemon, configured
from tests.servers.caldav import Radicale


@pytest.fixture
async def syncd(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon that runs, with one profile that was read."""
    async with Radicale(tmp_path / "radicale") as server, configured(tmp_path / "syncd") as made:
        await server.mkcalendar("work", name="Work")
        await made.start()
        await made.connect(server)
        await made.ask("profile", "sync", "1", "--wait")
        yield made


async def test_feeds_are_listed_without_their_paths_and_ended(syncd: Daemon) -> None:
    token = (await syncd.ask("token", "create"))["token"]
    assert await syncd.ask("feed", "list") == []
    async with ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        asked = {"name": "Team", "calendar_ids": ["primary"], "detail": "busy"}
        async with session.post(f"{syncd.address}/v1/feeds", json=asked) as response:
            assert response.status == 201
            made = await response.json()
        (listed,) = await syncd.ask("feed", "list")
        profile = await syncd.ask("profile", "show", "1")
        assert listed.pop("created") == made["created"]
        assert listed == {
            "id": made["id"],
            "name": "Team",
            "calendar_ids": [profile["calendars"][0]["calendar_id"]],
            "detail": "busy",
            "user_id": profile["user_id"],
            "account_id": None,
            "application_id": None,
            "expires_at": None,
        }
        async with session.get(made["ics_path"]) as response:
            assert response.status == 200
        gone = await syncd.ask("feed", "remove", made["id"])
        assert gone == {"id": made["id"], "name": "Team", "removed": True}
        async with session.get(made["ics_path"]) as response:
            assert response.status == 404
    code, _, err = await syncd.run("feed", "remove", made["id"])
    assert (code, "feed" in err) == (1, True)
    assert await syncd.ask("feed", "list") == []
