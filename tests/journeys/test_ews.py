"""An Exchange profile in the daemon as a user runs it: added by a password, polled, written."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.daemon import Daemon, configured
from tests.providers.ews import at, event, weekly
from tests.servers.ews import EwsServer
from tests.servers.ews_directory import Entry
from tests.servers.ews_xml import t

pytestmark = pytest.mark.timeout(120)
RAW = {"X-Kloudless-Raw-Data": "true"}


@dataclass
class Application:
    """Asks below ``/v1/accounts/1`` with a token of the profile."""

    daemon: Daemon
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401
        url = f"{self.daemon.address}/v1/accounts/1{path}"
        async with self.session.request(method, url, **more) as answer:
            told = None if answer.status == 204 else await answer.json()
            assert answer.status < 300, (method, path, answer.status, told)
            return told

    async def events(self, count: int) -> list[Any]:
        """Poll until there are so many."""
        found: list[Any] = []
        async with asyncio.timeout(60):
            while len(found) < count:
                await self.daemon.run("profile", "sync", "1", "--wait")
                page = "/cal/calendars/primary/events?instances=false"
                found = (await self.ask("GET", page)).get("objects", [])
        return found


@asynccontextmanager
async def application(server: EwsServer, folder: Path) -> AsyncIterator[Application]:
    async with configured(folder) as daemon:
        await daemon.ask("init")
        await daemon.start()
        login = ("--url", server.url, "--username", server.username, "--password-stdin")
        profile = await daemon.ask("profile", "add", "ews", *login, text=server.password)
        assert (profile["login"], profile["account_id"]) == (server.username, "1")
        made = await daemon.ask("token", "create", "--profile", "1")
        headers = {"Authorization": f"Bearer {made['token']}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            yield Application(daemon, session)
        assert await daemon.stop() == 0
    assert server.complaints == []


async def test_a_password_is_enough_to_follow_and_write_exchange(tmp_path: Path) -> None:
    async with EwsServer().running() as server:
        server.put("a", *event("Theirs", at(24)))
        server.put("w", *event("Weekly", at(24), 1, weekly()))
        async with application(server, tmp_path / "syncd") as app:
            found = await app.events(2)
            assert sorted(one["name"] for one in found) == ["Theirs", "Weekly"]
            events = "/cal/calendars/primary/events"
            body = {"name": "Ours", "start": "2026-11-25T09:00:00Z", "end": "2026-11-25T10:00:00Z"}
            rule = [{"rrule": "FREQ=DAILY"}]
            made = await app.ask("POST", events, json={**body, "recurrence": rule})
            assert made["recurrence"] == [{"rrule": "RRULE:FREQ=DAILY"}]
            occurrence = f"{events}/{made['id']}_20261126T090000Z"
            changed = await app.ask("PATCH", occurrence, json={"location": "Here"})
            assert (changed["location"], changed["recurrence_type"]) == ("Here", "recurring")
            await app.ask("DELETE", f"{events}/{made['id']}_20261127T090000Z")
        written = {one.text("Subject"): one for one in server.calendar.items.values()}
        series = written["Ours"]
        assert [one.text("Location") for one in series.exceptions.values()] == ["Here"]
        assert len(series.deleted) == 1
    log = (tmp_path / "syncd" / "log").read_text()
    assert server.password not in log
    assert "Ours" not in log  # exchangelib would write down whole requests


async def test_contacts_and_rooms_are_told_and_raw_is_an_id(tmp_path: Path) -> None:
    """K11, K30, K33."""
    async with EwsServer().running() as server:
        server.put("a", *event("Theirs", at(24)))
        box = server.mailbox
        box.special("contacts").put(box.new_item(t("Contact", t("DisplayName", "Cy"))))
        house = Entry("House", "house@example.org", "house")
        server.directory.lists[house] = [Entry("Hall", "hall@example.org", "hall")]
        async with application(server, tmp_path / "syncd") as app:
            (one,) = await app.events(1)
            path = f"/cal/calendars/primary/events/{one['id']}"
            for shown in (path, "/cal/calendars/primary"):
                assert set((await app.ask("GET", shown, headers=RAW))["raw"]) == {"id"}
            (room,) = (await app.ask("GET", "/cal/resources"))["objects"]
            assert (room["name"], room["email"]) == ("Hall", "hall@example.org")
            (card,) = (await app.ask("GET", "/contact/contacts", headers=RAW))["objects"]
            assert (card["name"], set(card["raw"])) == ("Cy", {"id"})
