"""A Google profile in the daemon as a user runs it: added by a refresh token, polled, written."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from syncd.runtime.clock import SystemClock
from tests.journeys.daemon import SETTINGS, configured
from tests.servers.delegation import Domain
from tests.servers.google import OWNER, GoogleServer, at

TEAM = "team@example.org"
pytestmark = pytest.mark.timeout(120)


async def test_a_refresh_token_is_enough_to_follow_and_write_google(tmp_path: Path) -> None:
    async with GoogleServer().running() as server:
        server.add_calendar(TEAM, summary="Team")
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
                body: dict[str, Any] = {"name": "Ours", "start": "2026-11-25T09:00:00Z"}
                body["end"] = "2026-11-25T10:00:00Z"
                async with session.post(f"{address}/primary/events", json=body) as answer:
                    assert answer.status == 201, await answer.text()
                    made = await answer.json()
                    assert made["use_default_reminder"] is True
                place = f"{address}/primary/events/{made['id']}"
                reminders = [{"minutes": 15, "method": "popup"}]
                body = {"use_default_reminder": False, "reminders": reminders}
                async with session.patch(place, json=body) as answer:
                    assert (await answer.json())["use_default_reminder"] is False
                body = {"use_default_reminder": True, "reminders": reminders}  # dropped (K27)
                async with session.patch(place, json=body) as answer:
                    patched = await answer.json()
                assert (patched["use_default_reminder"], patched["reminders"]) == (True, [])
                async with session.patch(place, json={"organizer": {"email": TEAM}}) as answer:
                    moved = await answer.json()
                    assert answer.status == 200, moved
                assert (moved["id"], moved["organizer"]["email"]) == (made["id"], TEAM)
                assert moved["calendar_id"] != made["calendar_id"]  # K26
                async with session.get(f"{address}/{moved['calendar_id']}/events") as answer:
                    (there,) = (await answer.json())["objects"]
                assert there["id"] == made["id"]
        left = [one["summary"] for one in server.work.events.values() if "summary" in one]
        assert left == ["Theirs"]
        assert server.complaints == []


async def test_a_service_account_follows_a_person_of_its_domain(tmp_path: Path) -> None:
    """G11: the key comes from a file or standard input, and lies nowhere in clear (I16)."""
    scope = "https://www.googleapis.com/auth/calendar"
    async with GoogleServer().running() as server:
        server.tokens.domain = Domain.made(SystemClock(), OWNER, scope=scope)
        server.work.put("a", summary="Theirs", start=at(24), end=at(24, 10))
        key = server.tokens.domain.key_file()
        file = tmp_path / "key.json"
        file.write_text(key)
        address = f'token_url = "{server.tokens.url}"\napi_url = "{server.url}"\n'
        settings = f"{SETTINGS}[providers.google]\n{address}"
        async with configured(tmp_path / "syncd", settings) as daemon:
            await daemon.ask("init")
            await daemon.start()
            add = ("profile", "add", "google", "--username", OWNER, "--service-account")
            added = [await daemon.ask(*add, str(file)), await daemon.ask(*add, "-", text=key)]
            assert [one["login"] for one in added] == [OWNER, OWNER]
            assert added[0]["profile_id"] == added[1]["profile_id"]
            async with asyncio.timeout(60):
                while (await daemon.ask("profile", "show", "1"))["state"] != "connected":
                    await daemon.run("profile", "sync", "1", "--wait")
            (calendar,) = (await daemon.ask("profile", "show", "1"))["calendars"]
            assert calendar["events"] == 1
        assert server.complaints == []
        secret = json.loads(key)["private_key"].splitlines()[5].encode()
        left = [one for one in (tmp_path / "syncd").rglob("*") if one.is_file()]
        assert left
        assert not [one for one in left if secret in one.read_bytes()]
