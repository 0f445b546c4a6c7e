"""An application writes through the real daemon, to a real server (K13-K22, R13, R18)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.journeys.daemon import configured
from tests.servers.caldav import Radicale

EVENTS = "/v1/accounts/me/cal/calendars/{}/events"
ADA = {"name": "Ada", "email": "ada@example.org"}
INVITED = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//another client//EN\r
BEGIN:VEVENT\r
UID:party\r
DTSTAMP:20261120T090000Z\r
DTSTART:20261128T190000Z\r
DTEND:20261128T230000Z\r
SUMMARY:Party\r
X-CLIENT-OWN:kept as it is\r
ORGANIZER;CN=Bo:mailto:bo@example.org\r
ATTENDEE;CN=Bo;PARTSTAT=ACCEPTED:mailto:bo@example.org\r
ATTENDEE;CN=Ada;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ada@example.org\r
END:VEVENT\r
END:VCALENDAR\r
"""


class Addressed(Radicale):
    """A server whose users sign in with their mail addresses."""

    username = "ada@example.org"


@dataclass
class Application:
    """A client with one token, following the stream as it goes."""

    session: ClientSession
    server: Radicale
    cursor: str = "latest"

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - JSON
        *,
        status: int = 200,
        **headers: str,
    ) -> Any:  # noqa: ANN401 - JSON
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, path, json=body, headers=named) as answer:
            told = await answer.json(content_type=None) if status != 204 else None
            assert answer.status == status, told
            return told

    async def news(self) -> list[str]:
        """Return what the stream tells since the last time, as short words."""
        path = f"/v1/accounts/me/events?cursor={self.cursor}&objects=event,calendar"
        told = await self.ask("GET", path)
        self.cursor = told["cursor"]
        return [
            f"{one['type']} {one['metadata']['type']} {one['metadata']['name']}"
            for one in told["objects"]
        ]

    async def settled(self) -> None:
        """Poll, with the list of calendars: nothing is new."""
        assert await self.news() == []
        await self.ask("POST", "/v1/profiles/1/sync?wait=20")
        assert await self.news() == []


@asynccontextmanager
async def application(where: Path) -> AsyncIterator[Application]:
    folder = where / "server"
    folder.mkdir()
    async with Addressed(folder) as server, configured(where / "syncd") as daemon:
        await server.mkcalendar("work")
        await server.put("work", "party.ics", INVITED)
        await daemon.start()
        await daemon.ask(
            "profile", "add", "caldav", "--url", server.url, "--username", server.username,
            "--password-stdin", text=server.password,
        )  # fmt: skip
        token = (await daemon.ask("token", "create"))["token"]
        bearer = {"Authorization": f"Bearer {token}"}
        async with ClientSession(daemon.address, headers=bearer) as session:
            made = Application(session, server)
            await made.ask("POST", "/v1/profiles/1/sync?wait=20")
            await made.news()
            yield made


@pytest.mark.timeout(90)
async def test_what_an_application_writes_is_told_once_and_is_there(tmp_path: Path) -> None:
    async with application(tmp_path) as app:
        sent = {"name": "Project", "description": "Ours", "timezone": "Europe/Berlin"}
        calendar = await app.ask("POST", "/v1/accounts/me/cal/calendars", sent, status=201)
        assert {name: calendar[name] for name in sent} == sent
        events = EVENTS.format(calendar["id"])
        review = {
            "name": "Review",
            "start": "2026-11-24T10:00:00",
            "end": "2026-11-24T11:00:00",
            "location": "Room 2",
            "reminders": [{"minutes": 10, "method": "popup", "popup": "Go"}],
            "custom_properties": [{"key": "ticket", "value": "17"}],
            "visibility": "private",
        }
        one = await app.ask("POST", events, review, status=201)
        assert one["start"] == "2026-11-24T10:00:00+01:00"
        assert one["custom_properties"] == [{"key": "ticket", "value": "17", "private": True}]
        assert one["reminders"] == review["reminders"]
        assert one["visibility"] == "private"
        assert await app.news() == ["add calendar Project", "add event Review"]
        await app.settled()

        where = f"{events}/{one['id']}"
        moved = {"start": "2026-11-24T14:00:00", "end": "2026-11-24T15:00:00", "location": None}
        told = await app.ask("PATCH", where, moved)
        assert (told["start"], told["location"]) == ("2026-11-24T14:00:00+01:00", None)
        told = await app.ask("PATCH", where, {"all_day": True})
        assert (told["start"], told["end"]) == ("2026-11-24", "2026-11-25")
        held = await app.ask("GET", where)
        assert held == told
        assert await app.news() == ["update event Review", "update event Review"]
        await app.settled()

        await app.ask("DELETE", where, status=204)
        await app.ask("DELETE", where, status=404)
        await app.ask("PATCH", f"/v1/accounts/me/cal/calendars/{calendar['id']}", {"name": "Done"})
        path = f"/v1/accounts/me/cal/calendars/{calendar['id']}"
        await app.ask("DELETE", path, status=204)
        await app.ask("GET", path, status=404)
        assert await app.news() == [
            "delete event Review", "update calendar Done", "delete calendar Done",
        ]  # fmt: skip
        await app.settled()


@pytest.mark.timeout(90)
async def test_a_series_and_one_of_its_days_are_written(tmp_path: Path) -> None:
    async with application(tmp_path) as app:
        events = EVENTS.format("primary")
        daily = {
            "name": "Stand-up",
            "start": "2026-11-23T09:00:00",
            "end": "2026-11-23T09:15:00",
            "start_time_zone": "Europe/Berlin",
            "end_time_zone": "Europe/Berlin",
            "recurrence": [{"rrule": "FREQ=DAILY;COUNT=4"}],
            "attendees": [{"name": "Bo", "email": "bo@example.org", "required": False}],
        }
        series = await app.ask("POST", events, daily, status=201)
        assert series["organizer"]["email"] == "ada@example.org"
        (bo,) = series["attendees"]
        assert (bo["name"], bo["status"], bo["required"]) == ("Bo", "pending", False)
        where = f"{events}/{series['id']}"
        second, third = f"{where}_20261124T080000Z", f"{where}_20261125T080000Z"
        told = await app.ask("PATCH", second, {"name": "Long stand-up"})
        assert told["recurring_master_id"] == series["id"]
        await app.ask("DELETE", third, status=204)
        await app.ask("PATCH", where, {"description": "Short!"})
        shown = await app.ask("GET", f"{events}?start=2026-11-23&end=2026-11-28")
        assert [(one["name"], one["start"][:10]) for one in shown["objects"]] == [
            ("Stand-up", "2026-11-23"), ("Long stand-up", "2026-11-24"), ("Stand-up", "2026-11-26"),
        ]  # fmt: skip
        assert await app.news() == [
            "add event Stand-up",
            "add event Long stand-up",
            "update event Stand-up",
            "update event Stand-up",
        ]
        await app.settled()
        await app.ask("DELETE", where, status=204)
        assert await app.news() == ["delete event Long stand-up", "delete event Stand-up"]
        await app.settled()


@pytest.mark.timeout(90)
async def test_an_invitation_is_answered_and_kept_as_it_was(tmp_path: Path) -> None:
    """K26: PARTSTAT of one's own line changes; If-Match holds here and at the server."""
    async with application(tmp_path) as app:
        events = EVENTS.format("primary")
        listed = await app.ask("GET", events)
        where = f"{events}/{listed['objects'][0]['id']}"
        async with app.session.get(where) as answer:
            tag = answer.headers["ETag"]
        accepted = {"attendees": [{**ADA, "status": "accepted"}]}
        told = await app.ask("PATCH", where, accepted, If_Match=tag)
        assert {one["email"]: one["status"] for one in told["attendees"]} == {
            "bo@example.org": "accepted", "ada@example.org": "accepted",
        }  # fmt: skip
        assert await app.news() == ["update event Party"]
        await app.ask("PATCH", where, {"name": "No"}, If_Match=tag, status=412)
        raw = await app.ask("GET", where, X_Kloudless_Raw_Data="true")
        ical = raw["raw"]["object"]["ical"]
        assert "X-CLIENT-OWN:kept as it is" in ical
        assert "PARTSTAT=NEEDS-ACTION" not in ical
        await app.settled()
        async with app.session.get(where) as answer:
            tag = answer.headers["ETag"]
        theirs = ical.replace("SUMMARY:Party", "SUMMARY:Bigger party")
        await app.server.put("work", "party.ics", theirs)
        await app.ask("PATCH", where, {"name": "No"}, If_Match=tag, status=412)
        told = await app.ask("PATCH", where, {"description": "Bring cake"})
        assert (told["name"], told["description"]) == ("Bigger party", "Bring cake")
        await app.server.delete("work", "party.ics")
        await app.ask("PATCH", where, {"name": "No"}, status=404)
        assert (await app.news())[-1] == "delete event Bigger party"
        await app.settled()
