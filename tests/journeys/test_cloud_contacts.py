"""Contacts and rooms of cloud profiles in the daemon as a user runs it (K30, K31, K33, C17)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.daemon import SETTINGS, Daemon, configured
from tests.servers.google import OWNER, GoogleServer, at
from tests.servers.google_people import field
from tests.servers.graph import GraphServer
from tests.servers.graph import at as graph_at

pytestmark = pytest.mark.timeout(120)
ACCOUNT = "/v1/accounts/1"
WANTED = ("read_contacts", "read_events", "read_account", "list_calendars")
CONTACTS = f"{ACCOUNT}/contact/contacts"


@dataclass(kw_only=True)
class Desk:
    """A daemon with one profile, and a token of its user."""

    daemon: Daemon
    session: aiohttp.ClientSession

    async def get(self, path: str, **headers: str) -> Any:  # noqa: ANN401 - JSON
        async with self.session.get(self.daemon.address + path, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def booked(self, room: Any) -> list[Any]:  # noqa: ANN401 - JSON
        """Return what the provider says of a room in November 2026 (K18)."""
        window = "start=2026-11-01&end=2026-12-01"
        path = f"{ACCOUNT}/cal/calendars/{room['calendar']}/events?{window}"
        told: list[Any] = (await self.get(path))["objects"]
        return told

    async def poll(self) -> None:
        code, _, error = await self.daemon.run("profile", "sync", "1", "--wait")
        assert code == 0, error

    async def news(self, cursor: str, count: int) -> list[Any]:
        """Poll until so many records of contacts are there: a poll may join one that runs."""
        path, found = f"{ACCOUNT}/events?objects=contact&wait=1", list[Any]()
        async with asyncio.timeout(60):
            while len(found) < count:
                await self.poll()
                page = await self.get(f"{path}&cursor={cursor}" if cursor else path)
                cursor, found = page["cursor"], found + page["objects"]
        return found


@asynccontextmanager
async def started(folder: Path, server: GoogleServer | GraphServer) -> AsyncIterator[Desk]:
    ((provider, keys),) = server.settings.items()
    told = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    async with configured(folder, f"{SETTINGS}[providers.{provider}]\n{told}") as daemon:
        await daemon.ask("init")
        await daemon.start()
        grant = ("profile", "add", provider, "--refresh-token-stdin")
        added = await daemon.ask(*grant, text=server.tokens.refresh_token)
        assert added["account_id"] == "1"
        scopes = [f"--scope={one}" for one in WANTED]
        made = await daemon.ask("token", "create", "--profile", "1", *scopes)
        headers = {"Authorization": f"Bearer {made['token']}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            yield Desk(daemon=daemon, session=session)


async def test_contacts_and_rooms_of_google_reach_an_application(tmp_path: Path) -> None:
    async with GoogleServer().running() as server:
        mail = [field({"value": "ada@example.org", "type": "work"})]
        server.people.put("c1", "Ada Lovelace", emailAddresses=mail)
        server.people.put("c2", "Bo")
        server.directory.add("atrium")
        server.add_calendar("c_atrium@resource.calendar.google.com", role="reader", summary="A")
        server.add_room("car").members["timeZone"] = "Europe/Berlin"
        server.directory.resources[-1]["resourceCategory"] = "OTHER"
        async with started(tmp_path / "syncd", server) as desk:
            first = await desk.news("", 2)
            assert [one["type"] for one in first] == ["add", "add"]
            assert "contact" in (await desk.get(ACCOUNT))["apis"]
            listed = await desk.get(CONTACTS)
            assert sorted(one["name"] for one in listed["objects"]) == ["Ada Lovelace", "Bo"]
            (ada,) = (one for one in listed["objects"] if one["emails"])
            assert ada["emails"] == [{"type": "work", "value": "ada@example.org", "primary": True}]
            raw = await desk.get(f"{CONTACTS}/{ada['id']}", **{"X-Kloudless-Raw-Data": "true"})
            assert raw["raw"]["id"] == "people/c1"
            assert raw["raw"]["object"]["resourceName"] == "people/c1"
            server.people.rename("c1", "c9")
            server.people.put("c9", "Ada King")
            server.people.delete("c2")
            news = await desk.news(first[-1]["cursor"], 2)
            assert sorted((one["type"], one["metadata"]["name"]) for one in news) == [
                ("delete", "Bo"),
                ("update", "Ada King"),
            ]
            (kept,) = (await desk.get(CONTACTS))["objects"]
            assert kept["id"] == ada["id"], "a contact that is renamed at Google keeps its id (P7)"

            rooms = (await desk.get(f"{ACCOUNT}/cal/resources"))["objects"]
            assert [(one["name"], one["category"]) for one in rooms] == [
                ("Atrium", "room"),
                ("Car", "other"),
            ]
            calendars = (await desk.get(f"{ACCOUNT}/cal/calendars"))["objects"]
            (known,) = (one["id"] for one in calendars if one["name"] == "A")
            assert rooms[0]["calendar"] == known
            server.rooms[rooms[1]["email"]].put("e", summary="Trip", start=at(3), end=at(3, 12))
            (trip,) = await desk.booked(rooms[1])
            assert (trip["name"], trip["end"]) == ("Trip", "2026-11-03T12:00:00+01:00")
            told = (await desk.get("/v1/resources"))["resources"]
            assert told == [{"email": one["email"], "name": one["name"]} for one in rooms]
        assert server.complaints == []


async def test_a_plain_calendar_grant_has_neither_and_works(tmp_path: Path) -> None:
    """ADR 30, K33: no contacts, no rooms, and calendars as if nothing were missing."""
    async with GoogleServer().running() as server:
        server.people.granted = server.directory.granted = False
        server.people.put("c1", "Ada")
        server.directory.add("atrium")
        async with started(tmp_path / "syncd", server) as desk:
            for _ in range(3):
                await desk.poll()
            account = await desk.get(ACCOUNT)
            assert (account["state"], account["account"]) == ("connected", OWNER)
            assert (await desk.get(CONTACTS))["objects"] == []
            assert len(server.people.asked) == 1
            address = f"{desk.daemon.address}{ACCOUNT}/cal/resources"
            async with desk.session.get(address) as answer:
                told = await answer.json()
                assert (answer.status, told["error_code"]) == (403, "upstream_forbidden")
                assert "insufficient authentication scopes" in told["message"]
            assert (await desk.get("/v1/resources"))["resources"] == []
            assert (await desk.get("/v1/profiles/1"))["last_error"] is None
        assert server.complaints == []


async def test_contacts_and_rooms_of_outlook_reach_an_application(tmp_path: Path) -> None:
    """MG18."""
    async with GraphServer().running() as server:
        mail = [{"name": "Ada", "address": "ada@example.org"}]
        server.contacts.main.put("A", "Ada Lovelace", emailAddresses=mail)
        server.contacts.add_folder("Team").put("B", "Bo")
        atrium = server.add_seen_room("atrium")
        atrium.put("A", subject="Talk", start=graph_at(3), end=graph_at(3, 10))
        async with started(tmp_path / "syncd", server) as desk:
            first = await desk.news("", 2)
            assert "contact" in (await desk.get(ACCOUNT))["apis"]
            listed = await desk.get(CONTACTS)
            (ada,) = (one for one in listed["objects"] if one["emails"])
            assert ada["emails"] == [{"type": None, "value": "ada@example.org", "primary": True}]
            server.contacts.main.put("A", "Ada King")
            (news,) = await desk.news(first[-1]["cursor"], 1)
            assert news["type"] == "update"
            assert news["metadata"]["id"] == ada["id"]
            assert news["changes"]["name"] == {"old": "Ada Lovelace", "new": "Ada King"}
            (room,) = (await desk.get(f"{ACCOUNT}/cal/resources"))["objects"]
            assert (room["name"], room["email"]) == ("Atrium", "atrium@example.org")
            (talk,) = await desk.booked(room)
            assert (talk["name"], talk["start"]) == ("Talk", "2026-11-03T09:00:00+01:00")
            told = (await desk.get("/v1/resources"))["resources"]
            assert told == [{"email": "atrium@example.org", "name": "Atrium"}]
        assert server.complaints == []
