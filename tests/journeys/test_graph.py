"""A Microsoft 365 profile in the daemon as a user runs it: by a refresh token, polled, written."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.daemon import SETTINGS, configured
from tests.servers.graph import GraphServer, at
from tests.servers.graph_truth import OWNER

pytestmark = pytest.mark.timeout(120)


async def test_a_refresh_token_is_enough_to_follow_and_write_microsoft_365(tmp_path: Path) -> None:
    async with GraphServer().running() as server:
        server.work.put("a", subject="Theirs", start=at(24), end=at(24, 10))
        told = "".join(f'{key} = "{value}"\n' for key, value in server.settings["graph"].items())
        settings = f"{SETTINGS}[providers.graph]\n{told}"
        async with configured(tmp_path / "syncd", settings) as daemon:
            await daemon.ask("init")
            await daemon.start()
            grant = ("profile", "add", "graph", "--refresh-token-stdin")
            profile = await daemon.ask(*grant, text=server.tokens.refresh_token)
            assert profile["login"] == OWNER
            scopes = [f"--scope={one}" for one in ("read_events", "list_calendars", "create_event")]
            made = await daemon.ask("token", "create", "--profile", "1", *scopes)
            headers = {"Authorization": f"Bearer {made['token']}"}
            async with aiohttp.ClientSession(headers=headers) as session:
                await _follow_and_write(daemon.address, session, daemon.run)
        assert sorted(one["subject"] for one in server.work.events.values()) == ["Ours", "Theirs"]
        assert server.complaints == []


async def _follow_and_write(address: str, session: aiohttp.ClientSession, run: Any) -> None:  # noqa: ANN401 - of the daemon
    calendars = f"{address}/v1/accounts/1/cal/calendars"
    events: list[Any] = []
    async with asyncio.timeout(60):
        while not events:
            await run("profile", "sync", "1", "--wait")
            async with session.get(f"{calendars}/primary/events?instances=false") as answer:
                events = (await answer.json()).get("objects", [])
    assert [one["name"] for one in events] == ["Theirs"]
    body: dict[str, Any] = {"name": "Ours", "start": "2026-11-25T09:00:00Z"}
    body |= {"end": "2026-11-25T10:00:00Z", "use_default_reminder": True}
    body["custom_properties"] = [{"key": "room", "value": "2"}]
    async with session.post(f"{calendars}/primary/events", json=body) as answer:
        assert answer.status == 201, await answer.text()
        assert answer.headers["X-Syncd-Ignored"] == "use_default_reminder"
        found = await answer.json()
        assert found["custom_properties"] == [{"key": "room", "value": "2", "private": True}]
        assert "use_default_reminder" not in found
    refused = {**body, "recurrence": [{"rrule": "RRULE:FREQ=YEARLY;BYWEEKNO=20"}]}
    async with session.post(f"{calendars}/primary/events", json=refused) as answer:
        assert answer.status == 400
        assert (await answer.json())["error_code"] == "unsupported_recurrence"
