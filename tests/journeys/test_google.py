"""A Google profile in the daemon as a user runs it: added by a refresh token, polled, written."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.daemon import SETTINGS, configured
from tests.servers.google import GoogleServer, at

pytestmark = pytest.mark.timeout(120)


async def test_a_refresh_token_is_enough_to_follow_and_write_google(tmp_path: Path) -> None:
    async with GoogleServer().running() as server:
        server.work.put("a", summary="Theirs", start=at(24), end=at(24, 10))
        told = "".join(f'{key} = "{value}"\n' for key, value in server.settings["google"].items())
        settings = f"{SETTINGS}[providers.google]\n{told}"
        async with configured(tmp_path / "syncd", settings) as daemon:
            await daemon.ask("init")
            await daemon.start()
            grant = ("profile", "add", "google", "--refresh-token-stdin")
            profile = await daemon.ask(*grant, text=server.tokens.refresh_token)
            assert profile["login"] == "ada@example.org"
            scopes = [f"--scope={one}" for one in ("read_events", "list_calendars", "create_event")]
            made = await daemon.ask("token", "create", "--profile", "1", *scopes)
            headers = {"Authorization": f"Bearer {made['token']}"}
            address = f"{daemon.address}/v1/accounts/1/cal/calendars"
            async with aiohttp.ClientSession(headers=headers) as session:
                events: list[Any] = []
                async with asyncio.timeout(60):
                    while not events:
                        await daemon.run("profile", "sync", "1", "--wait")
                        async with session.get(
                            f"{address}/primary/events?instances=false"
                        ) as told_:
                            events = (await told_.json()).get("objects", [])
                assert [one["name"] for one in events] == ["Theirs"]
                body = {"name": "Ours", "start": "2026-11-25T09:00:00Z"}
                body["end"] = "2026-11-25T10:00:00Z"
                async with session.post(f"{address}/primary/events", json=body) as answer:
                    assert answer.status == 201, await answer.text()
                    assert (await answer.json())["use_default_reminder"] is True
        assert sorted(one["summary"] for one in server.work.events.values()) == ["Ours", "Theirs"]
        assert server.complaints == []
