"""``syncd feed`` beside a running daemon: an operator sees what is published, and ends it."""

from aiohttp import ClientSession

from tests.journeys.daemon import Daemon


async def test_feeds_are_listed_without_their_paths_and_ended(connected: Daemon) -> None:
    token = (await connected.ask("token", "create"))["token"]
    assert await connected.ask("feed", "list") == []
    async with ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        asked = {"name": "Team", "calendar_ids": ["primary"], "detail": "busy"}
        async with session.post(f"{connected.address}/v1/feeds", json=asked) as response:
            assert response.status == 201
            made = await response.json()
        (listed,) = await connected.ask("feed", "list")
        profile = await connected.ask("profile", "show", "1")
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
        gone = await connected.ask("feed", "remove", made["id"])
        assert gone == {"id": made["id"], "name": "Team", "removed": True}
        async with session.get(made["ics_path"]) as response:
            assert response.status == 404
    code, _, err = await connected.run("feed", "remove", made["id"])
    assert (code, "feed" in err) == (1, True)
    assert await connected.ask("feed", "list") == []
