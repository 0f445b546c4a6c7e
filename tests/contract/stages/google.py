"""Google on stage: the fake, and Google's own client for Python as truth."""

import asyncio
from base64 import b32hexencode
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build

from syncd.ports.link import Login
from tests.contract.stage import Lack, Named, Planned
from tests.providers.google import google_login
from tests.servers.caldav import free_port
from tests.servers.discovery import Json
from tests.servers.google import GoogleServer
from tests.servers.google_client import people_at
from tests.servers.google_people import field
from tests.servers.google_truth import CalendarTruth
from tests.witness import Neutral, excluded_of, in_order, told_in_utc

READER = "another-device"  # the access token of who tells the truth
_KEPT = {"kind", "id", "status", "iCalUID", "created", "creator", "organizer", "reminders"}
_KEPT |= {"recurringEventId", "originalStartTime"}


class GoogleStage:
    """Obeys ``Stage``."""

    name = "google"
    provider = "google"
    lacks = frozenset({Lack.BROKEN_BODIES})

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = GoogleServer()
        self.server.devices.add(READER)
        self.server.people.devices.add(READER)
        self.server.directory.add("attic")
        self.server.tokens.rotating = False  # as at Google
        self.server.work.members["summary"] = "Work"
        self._ports = free_port(), free_port()
        self._running = AsyncExitStack()

    @property
    def settings(self) -> Mapping[str, Mapping[str, str]]:
        return self.server.settings

    def login(self) -> Login:
        return google_login(self.server)

    async def start(self) -> None:
        await self._running.enter_async_context(self.server.running(*self._ports))

    async def stop(self) -> None:
        await self._running.aclose()

    async def add_calendar(self, calendar: str) -> None:
        name = calendar.lower().replace(" ", "-")
        self.server.add_calendar(f"{name}@group.calendar.google.com", summary=calendar)

    async def rename_calendar(self, calendar: str, name: str) -> None:
        self._calendar(calendar).members["summary"] = name

    async def remove_calendar(self, calendar: str) -> None:
        del self.server.calendars[self._calendar(calendar).name]

    async def add_room(self, calendar: str) -> None:
        self.server.add_room(calendar.lower(), summary=calendar)

    async def put(self, calendar: str, key: str, event: Planned) -> None:
        self._put(calendar, _id(key), event)

    async def put_exception(
        self, calendar: str, key: str, original: datetime | date, event: Planned
    ) -> None:
        self._put(calendar, _instance(key, original), event)

    async def drop_occurrence(self, calendar: str, key: str, original: datetime | date) -> None:
        self._calendar(calendar).cancel(_instance(key, original))

    async def remove(self, calendar: str, key: str) -> None:
        self._calendar(calendar).cancel(_id(key))

    async def truth(self) -> Neutral:
        return await asyncio.to_thread(read, self.server.url)

    async def put_contact(self, key: str, contact: Named) -> None:
        emails = [field({"value": contact.email})] if contact.email else []
        phones = [field({"value": contact.phone, "type": "mobile"})] if contact.phone else []
        person = {"emailAddresses": emails, "phoneNumbers": phones}
        self.server.people.put(key, contact.name, **person)

    async def remove_contact(self, key: str) -> None:
        self.server.people.delete(key)

    async def contacts(self) -> list[Named]:
        told = await asyncio.to_thread(people_at, self.server.people.url, READER)
        return [
            Named(name=name, email="".join(emails), phone="".join(phones))
            for name, emails, phones in told
        ]

    def expire_tokens(self) -> None:
        self.server.expire()

    def refuse(self) -> None:
        """Revoke the grant, as a person does in the account's settings: tokens of both kinds."""
        self.server.tokens.revoke()

    def accept(self) -> None:
        self.server.tokens.revoked = False

    def complaints(self) -> list[str]:
        return self.server.complaints

    def _calendar(self, calendar: str) -> CalendarTruth:
        held = [*self.server.calendars.values(), *self.server.rooms.values()]
        return next(one for one in held if one.members["summary"] == calendar)

    def _put(self, calendar: str, name: str, event: Planned) -> None:
        """Write a whole event: what is not in ``event`` goes."""
        truth = self._calendar(calendar)
        held = truth.events.get(name) or truth.instance(name) or truth.put(name)
        kept = {member: held[member] for member in _KEPT & held.keys()}
        truth.put(name, **{**kept, **_body(event), "status": "confirmed"})


def read(url: str) -> Neutral:
    """Return what Google's client reads; it takes what it knows from its own documents."""
    with build(
        "calendar",
        "v3",
        credentials=Credentials(READER),  # type: ignore[no-untyped-call]
        static_discovery=True,
        client_options={"api_endpoint": f"{url}/"},
    ) as service:
        calendars = _pages(service.calendarList(), {})
        return {
            str(one.get("summaryOverride", one["summary"])): _neutral(
                list(_pages(service.events(), {"calendarId": one["id"], "maxResults": 2500}))
            )
            for one in calendars
        }


def _pages(resource: Any, query: Json) -> Iterator[Json]:  # noqa: ANN401 - made from a document
    request = resource.list(**query)
    while request is not None:
        answer = request.execute()
        yield from answer["items"]
        request = resource.list_next(request, answer)


def _neutral(items: list[Json]) -> list[Json]:
    stubs = [one for one in items if one["status"] == "cancelled"]
    found = list[Json]()
    for one in items:
        if one in stubs:
            continue
        lines = one.get("recurrence", [])
        rules = [line.partition(":")[2] for line in lines if line.startswith("RRULE")]
        gone = [s["originalStartTime"] for s in stubs if s["recurringEventId"] == one["id"]]
        original = one.get("originalStartTime")
        found.append(
            {
                "uid": one["iCalUID"],
                "original": None if original is None else _time(original),
                "name": one.get("summary"),
                "description": one.get("description"),
                "location": one.get("location"),
                "start": _time(one["start"]),
                "end": _time(one["end"]),
                "rule": sorted(part for rule in rules for part in rule.split(";")),
                "excluded": sorted([*excluded_of(lines), *map(_time, gone)]),
                "attendees": sorted(guest["email"].lower() for guest in one.get("attendees", [])),
                "transparent": one.get("transparency") == "transparent",
                "cancelled": False,
            }
        )
    return in_order(found)


def _time(told: Json) -> str:
    return str(told["date"]) if "date" in told else told_in_utc(told["dateTime"])


def _id(key: str) -> str:
    """Return an id of the letters that Google takes."""
    return b32hexencode(key.encode()).decode().lower().rstrip("=")


def _instance(key: str, original: datetime | date) -> str:
    if isinstance(original, datetime):
        return f"{_id(key)}_{original.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{_id(key)}_{original:%Y%m%d}"


def _body(event: Planned) -> Json:
    told: Json = {"summary": event.name, "start": _wire(event.start), "end": _wire(event.end)}
    texts = {"description": event.description, "location": event.location}
    told |= {name: text for name, text in texts.items() if text is not None}
    if event.rule:
        told["recurrence"] = [f"RRULE:{event.rule}"]
    if event.attendees:
        told["attendees"] = [
            {"email": one, "responseStatus": "needsAction"} for one in event.attendees
        ]
    return {**told, "transparency": "transparent"} if event.transparent else told


def _wire(time: datetime | date) -> Json:
    if not isinstance(time, datetime):
        return {"date": time.isoformat()}
    return {"dateTime": time.isoformat(), "timeZone": str(time.tzinfo)}
