"""Microsoft 365 on stage: the fake, and as truth a client that knows no more than Graph's pages."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession

from syncd.ports.link import Login
from tests.contract.stage import Lack, Named, Planned
from tests.providers.graph import graph_login
from tests.servers.caldav import free_port
from tests.servers.graph import GraphServer
from tests.servers.graph_dates import days_of, moment, zone_of
from tests.servers.graph_truth import CalendarTruth
from tests.witness import Neutral

READER = "another-device"  # the access token of who tells the truth
Json = dict[str, Any]
_WINDOW = datetime(2025, 1, 1, tzinfo=UTC), datetime(2029, 12, 1, tzinfo=UTC)
_CODES = {"MO": "monday", "TU": "tuesday", "WE": "wednesday", "TH": "thursday", "FR": "friday",
          "SA": "saturday", "SU": "sunday"}  # fmt: skip
_LAST = timedelta(days=1, seconds=-1)


class GraphStage:
    """Obeys ``Stage``."""

    name = "graph"
    provider = "graph"
    lacks = frozenset({Lack.BROKEN_BODIES})

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = GraphServer()
        self.server.devices.add(READER)
        self.server.contacts.add_room("attic")
        self.server.tokens.lenient = True  # MG15
        self.server.work.members["name"] = "Work"
        self._ports = free_port(), free_port()
        self._running = AsyncExitStack()

    @property
    def settings(self) -> Mapping[str, Mapping[str, str]]:
        return self.server.settings

    def login(self) -> Login:
        return graph_login(self.server)

    async def start(self) -> None:
        await self._running.enter_async_context(self.server.running(*self._ports))

    async def stop(self) -> None:
        await self._running.aclose()

    async def add_calendar(self, calendar: str) -> None:
        self.server.add_calendar(calendar)

    async def rename_calendar(self, calendar: str, name: str) -> None:
        self._calendar(calendar).members["name"] = name

    async def remove_calendar(self, calendar: str) -> None:
        del self.server.calendars[self._calendar(calendar).key]

    async def add_room(self, calendar: str) -> None:
        self.server.add_seen_room(calendar.lower()).members["name"] = calendar

    async def put(self, calendar: str, key: str, event: Planned) -> None:
        recurrence = _recurrence(event) if event.rule else None
        self._calendar(calendar).put(_id(key), **_body(event), recurrence=recurrence)

    async def put_exception(
        self, calendar: str, key: str, original: datetime | date, event: Planned
    ) -> None:
        truth = self._calendar(calendar)
        truth.put_exception(_id(key), _day(truth, key, original), **_body(event))

    async def drop_occurrence(self, calendar: str, key: str, original: datetime | date) -> None:
        """Remove one; Outlook saves the series with it, so that the feed tells of that (MG7)."""
        truth = self._calendar(calendar)
        truth.drop(_id(key), _day(truth, key, original))
        truth.touch(_id(key))

    async def remove(self, calendar: str, key: str) -> None:
        self._calendar(calendar).remove(_id(key))

    async def truth(self) -> Neutral:
        headers = {"Authorization": f"Bearer {READER}"}
        async with ClientSession(headers=headers) as session:
            reader = _Reader(session, self.server.url)
            return {
                calendar["name"]: await reader.events(calendar["id"])
                for calendar in await reader.pages("/me/calendars")
            }

    async def put_contact(self, key: str, contact: Named) -> None:
        emails = [{"address": contact.email, "name": contact.name}] if contact.email else []
        person = {"emailAddresses": emails, "mobilePhone": contact.phone or None}
        self.server.contacts.main.put(key, contact.name, **person)

    async def remove_contact(self, key: str) -> None:
        self.server.contacts.main.remove(key)

    async def contacts(self) -> list[Named]:
        return [
            Named(
                name=one["displayName"],
                email="".join(told["address"] for told in one["emailAddresses"]),
                phone=one["mobilePhone"] or "",
            )
            for one in self.server.contacts.main.people.values()
        ]

    def expire_tokens(self) -> None:
        self.server.expire()

    def refuse(self) -> None:
        """Revoke the grant, as an administrator does: tokens of both kinds."""
        self.server.tokens.revoke()

    def accept(self) -> None:
        self.server.tokens.revoked = False

    def complaints(self) -> list[str]:
        return self.server.complaints

    def _calendar(self, calendar: str) -> CalendarTruth:
        held = [*self.server.calendars.values(), *self.server.rooms.values()]
        return next(one for one in held if one.members["name"] == calendar)


class _Reader:
    """Reads all of a mailbox by lists and instances."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def pages(self, path: str, **query: str) -> list[Json]:
        found, link = list[Json](), f"{self._url}{path}"
        parameters: Mapping[str, str] | None = {"$top": "500", **query}
        while link:
            async with self._session.get(link, params=parameters) as answer:
                page = await answer.json()
            found += page["value"]
            link, parameters = page.get("@odata.nextLink", ""), None
        return found

    async def events(self, calendar: str) -> list[Json]:
        found = list[Json]()
        for one in await self.pages(f"/me/calendars/{calendar}/events"):
            if one["type"] != "seriesMaster":
                found.append(_neutral(one))
                continue
            after, before = (at.isoformat() for at in _WINDOW)
            instances = await self.pages(
                f"/me/events/{one['id']}/instances", startDateTime=after, endDateTime=before
            )
            found += _series(one, instances)
        return sorted(found, key=lambda told: str(sorted(told.items())))


def _series(master: Json, instances: list[Json]) -> list[Json]:
    """Return the series, and what differs from it."""
    exceptions = [one for one in instances if one["type"] == "exception"]
    starts = {one.get("originalStart") or one["start"]["dateTime"] for one in instances}
    there = {_zoned(master, text) for text in starts}
    gone = [day for day in days_of(master["recurrence"], _WINDOW[1].date()) if day not in there]
    told = _neutral(master)
    told |= {"rule": sorted(_rule(master)), "excluded": sorted(_on(master, day) for day in gone)}
    originals = [_on(master, _zoned(master, one["originalStart"])) for one in exceptions]
    return [
        told,
        *(
            {**_neutral(one), "uid": master["iCalUId"], "original": original}
            for one, original in zip(exceptions, originals, strict=True)
        ),
    ]


def _neutral(item: Json) -> Json:
    day = item["isAllDay"]
    return {
        "uid": item["iCalUId"],
        "original": None,
        "name": item["subject"],
        "description": item["body"]["content"] or None,
        "location": item["location"]["displayName"] or None,
        "start": item["start"]["dateTime"][:10] if day else _utc(moment(item["start"])),
        "end": item["end"]["dateTime"][:10] if day else _utc(moment(item["end"])),
        "rule": [],
        "excluded": [],
        "attendees": sorted(one["emailAddress"]["address"].lower() for one in item["attendees"]),
        "transparent": item["showAs"] == "free",
        "cancelled": item["isCancelled"],
    }


def _rule(master: Json) -> list[str]:
    pattern, extent = master["recurrence"]["pattern"], master["recurrence"]["range"]
    parts = [f"FREQ={pattern['type'].upper()}"]
    if pattern["type"] == "weekly":
        days = [code for code, name in _CODES.items() if name in pattern["daysOfWeek"]]
        parts.append(f"BYDAY={','.join(days)}")
    if extent["type"] == "numbered":
        parts.append(f"COUNT={extent['numberOfOccurrences']}")
    if extent["type"] == "endDate":
        last = date.fromisoformat(extent["endDate"])
        at = datetime.combine(last, time(), zone_of(master)) + _LAST
        timed = f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        parts.append(f"UNTIL={f'{last:%Y%m%d}' if master['isAllDay'] else timed}")
    return parts


def _on(master: Json, day: date) -> str:
    """Return the start that the pattern gives on a day."""
    if master["isAllDay"]:
        return day.isoformat()
    zone = zone_of(master)
    hour = moment(master["start"]).astimezone(zone).time()
    return _utc(datetime.combine(day, hour, zone))


def _zoned(master: Json, text: str) -> date:
    """Return the day of a start where the series repeats."""
    at = datetime.fromisoformat(text)
    if master["isAllDay"]:
        return at.date()
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone_of(master)).date()


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _id(key: str) -> str:
    return f"AAkA{key}_-="


def _day(truth: CalendarTruth, key: str, original: datetime | date) -> date:
    if not isinstance(original, datetime):
        return original
    return original.astimezone(zone_of(truth.events[_id(key)])).date()


def _body(event: Planned) -> Json:
    """Return a whole event: what is not in ``event`` is emptied."""
    people = [{"emailAddress": {"address": one}, "type": "required"} for one in event.attendees]
    return {
        "subject": event.name,
        "body": {"contentType": "text", "content": event.description or ""},
        "location": {"displayName": event.location or "", "locationType": "default"},
        "start": _wire(event.start),
        "end": _wire(event.end),
        "isAllDay": not isinstance(event.start, datetime),
        "attendees": people,
        "showAs": "free" if event.transparent else "busy",
    }


def _wire(at: datetime | date) -> Json:
    if not isinstance(at, datetime):
        return {"dateTime": f"{at.isoformat()}T00:00:00", "timeZone": "UTC"}
    return {"dateTime": at.replace(tzinfo=None).isoformat(), "timeZone": str(at.tzinfo)}


def _recurrence(event: Planned) -> Json:
    parts = dict(part.split("=") for part in event.rule.split(";"))
    first = event.start.date() if isinstance(event.start, datetime) else event.start
    pattern: Json = {"type": parts["FREQ"].lower(), "interval": int(parts.get("INTERVAL", "1"))}
    if parts["FREQ"] == "WEEKLY":
        given = parts.get("BYDAY", list(_CODES)[first.weekday()])
        pattern |= {"daysOfWeek": [_CODES[one] for one in given.split(",")]}
        pattern["firstDayOfWeek"] = "monday"
    extent: Json = {"type": "noEnd", "startDate": first.isoformat()}
    if "COUNT" in parts:
        extent |= {"type": "numbered", "numberOfOccurrences": int(parts["COUNT"])}
    if "UNTIL" in parts:
        extent |= {"type": "endDate", "endDate": _until(parts["UNTIL"], event.start).isoformat()}
    return {"pattern": pattern, "range": extent}


def _until(text: str, start: datetime | date) -> date:
    """Return the last day on which a series may start."""
    if not isinstance(start, datetime):
        return datetime.strptime(text[:8], "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    assert isinstance(start.tzinfo, ZoneInfo)
    last = datetime.strptime(text, "%Y%m%dT%H%M%S%z").astimezone(start.tzinfo)
    return last.date() - timedelta(days=last.time() < start.time())
