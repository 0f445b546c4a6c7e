"""Google Calendar as its documents describe it: a truth with a change log, pages, tokens, faults.

Stricter than Google: what the discovery document does not know is noted in ``complaints``, and so
is an answer of ours that it would not allow.
"""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.servers import google_windows
from tests.servers.discovery import Json, calendar_api
from tests.servers.google_directory import DirectoryServer
from tests.servers.google_faults import Answering, Fault, RefusedError, meets, refused
from tests.servers.google_people import PeopleServer
from tests.servers.google_truth import CalendarTruth, answered, is_cancelled, move, patched
from tests.servers.google_watch import Channels, NoChannelError
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TokenServer

__all__ = ["OWNER", "Fault", "GoogleServer", "at"]

OWNER = "ada@example.org"
BASE = "/calendar/v3"
_NOT_WITH_TOKEN = {"iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty"}
_APART = {"syncToken", "iCalUID", "alt", "pageToken"}
_NOT_WITH_TOKEN |= {"timeMin", "timeMax", "updatedMin"}
_WINDOW = {"timeMin", "timeMax"}
COLORS = {"1": "#a4bdfc", "5": "#fbd75b", "11": "#dc2127"}


class GoogleServer:
    """One person's account; another device edits ``calendars`` directly."""

    def __init__(self, *, judging: bool = True) -> None:
        """Without ``judging`` nothing is held against the discovery document: it takes time."""
        self.judging = judging
        self.calendars: dict[str, CalendarTruth] = {}
        self.rooms: dict[str, CalendarTruth] = {}  # by address
        self.tokens = TokenServer()
        self.devices = set[str]()  # access tokens of others that are signed in
        self.faults: list[Fault] = []
        self.complaints: list[str] = []
        self.asked: list[web.Request] = []
        self.page_size = 2500
        self.generation = 1  # of sync tokens: an older one is gone
        self.people = PeopleServer(self.tokens, self.complaints)
        self.directory = DirectoryServer(self.tokens, self.complaints)
        self._pages: dict[str, tuple[list[Json], dict[str, str]]] = {}
        self._first: dict[tuple[str, str], dict[str, str]] = {}  # by device and calendar
        self.channels = Channels(self.calendars)
        self.add_calendar(OWNER, primary=True, summary="Ada")

    def add_room(self, name: str, **members: str) -> CalendarTruth:
        """Add a resource whose calendar is in nobody's list, but shared with who signed in."""
        email = self.directory.add(name)["resourceEmail"]
        self.rooms[email] = CalendarTruth(email, role="reader", primary=False, **members)
        return self.rooms[email]

    def add_calendar(
        self, name: str, *, role: str = "owner", primary: bool = False, **members: str
    ) -> CalendarTruth:
        made = CalendarTruth(name, role=role, primary=primary, **members)
        self.calendars[name] = made
        return made

    @property
    def work(self) -> CalendarTruth:
        return self.calendars[OWNER]

    async def admits(self, given: str | None) -> bool:
        return given in {f"Bearer {one}" for one in (self.tokens.access_token, *self.devices)}

    def expire(self) -> None:
        self.generation += 1

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        told = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        told |= {"people_url": self.people.url, "directory_url": self.directory.url}
        # the limits are for Google's sake (P13): here a test would only wait for its turn
        told |= dict.fromkeys(("requests_per_minute", "profile_requests_per_minute"), "1000000")
        return {"google": {**told, "token_url": self.tokens.url, "api_url": self.url}}

    @asynccontextmanager
    async def running(self, port: int = 0, tokens: int = 0) -> AsyncIterator["GoogleServer"]:
        """Serve, at ports of the caller's choice where they are given."""
        app = web.Application(middlewares=[self._judge if self.judging else self._serve])
        routes: tuple[tuple[str, str, Any], ...] = (
            ("GET", "/users/me/calendarList", self._calendar_list),
            ("GET", "/users/me/calendarList/{calendar}", self._entry),
            ("PATCH", "/users/me/calendarList/{calendar}", self._patch_entry),
            ("GET", "/colors", self._colors),
            ("POST", "/freeBusy", self._free_busy),
            ("POST", "/calendars", self._insert_calendar),
            ("GET", "/calendars/{calendar}", self._calendar),
            ("PATCH", "/calendars/{calendar}", self._patch_calendar),
            ("DELETE", "/calendars/{calendar}", self._delete_calendar),
            ("GET", "/calendars/{calendar}/events", self._list),
            ("POST", "/calendars/{calendar}/events", self._insert),
            ("POST", "/calendars/{calendar}/events/watch", self._watch),
            ("POST", "/channels/stop", self._stop),
            ("GET", "/calendars/{calendar}/events/{event}", self._get),
            ("PATCH", "/calendars/{calendar}/events/{event}", self._patch),
            ("DELETE", "/calendars/{calendar}/events/{event}", self._delete),
            ("GET", "/calendars/{calendar}/events/{event}/instances", self._instances),
            ("POST", "/calendars/{calendar}/events/{event}/move", self._move),
        )
        for verb, path, answer in routes:
            app.router.add_route(verb, BASE + path, answer)
        server = TestServer(app, port=port or None)
        async with self.tokens.running(tokens), self.people.running(), self.directory.running():
            await server.start_server()
            self.url = str(server.make_url(BASE))
            yield self
            await server.close()

    @web.middleware
    async def _judge(self, request: web.Request, handler: Answering) -> web.StreamResponse:
        self.asked.append(request)
        if not await self.admits(request.headers.get("Authorization")):
            return refused(Fault(401, reason="authError"))
        fault = next((one for one in self.faults if meets(one, request)), None)
        if fault is not None:
            fault.times -= 1
            if fault.after:
                await handler(request)
                assert request.transport is not None
                request.transport.close()
            return refused(fault)
        path = request.rel_url.raw_path.removeprefix(BASE + "/")
        method = calendar_api().method(request.method, path)
        if method is None:
            self.complaints.append(f"there is no {request.method} {path}")
            return refused(Fault(404, reason="notFound"))
        body = json.loads(await request.text() or "null")
        self.complaints += calendar_api().faults(method, dict(request.query), body)
        try:
            told: object = await handler(request)
        except RefusedError as refusal:
            return refused(refusal.fault)
        except NoChannelError as refusal:
            return refused(Fault(refusal.status, reason=refusal.reason))
        self.complaints += calendar_api().answer_faults(method, told)
        return web.Response(status=204) if told is None else web.json_response(told)

    @web.middleware
    async def _serve(self, request: web.Request, handler: Answering) -> web.StreamResponse:
        """Answer as it stands, and keep nothing of it."""
        if not await self.admits(request.headers.get("Authorization")):
            return refused(Fault(401, reason="authError"))
        try:
            told: object = await handler(request)
        except RefusedError as refusal:
            return refused(refusal.fault)
        return web.Response(status=204) if told is None else web.json_response(told)

    def _truth(self, request: web.Request) -> CalendarTruth:
        name = unquote(request.match_info["calendar"])
        found = self.calendars.get(OWNER if name == "primary" else name) or self.rooms.get(name)
        if found is None:
            raise RefusedError(404, "notFound")
        return found

    async def _calendar_list(self, _: web.Request) -> Json:
        return {
            "kind": "calendar#calendarList",
            "etag": '"list"',
            "nextSyncToken": "list",
            "items": [one.entry() for one in self.calendars.values()],
        }

    async def _entry(self, request: web.Request) -> Json:
        return self._truth(request).entry()

    async def _patch_entry(self, request: web.Request) -> Json:
        body = await request.json()
        if "backgroundColor" in body and request.query.get("colorRgbFormat") != "true":
            raise RefusedError(400, "invalid")
        truth = self._truth(request)
        truth.listed = patched(truth.listed, body)
        return truth.entry()

    async def _colors(self, _: web.Request) -> Json:
        shades = {
            one: {"background": told, "foreground": "#1d1d1d"} for one, told in COLORS.items()
        }
        return {"kind": "calendar#colors", "event": shades, "calendar": {}}

    async def _free_busy(self, request: web.Request) -> Json:
        return google_windows.free_busy(self.calendars | self.rooms, await request.json())

    async def _insert_calendar(self, request: web.Request) -> Json:
        body = await request.json()
        name = f"c{len(self.calendars)}@group.calendar.google.com"
        made = self.add_calendar(name, **body)
        return made.resource()

    async def _calendar(self, request: web.Request) -> Json:
        return self._truth(request).resource()

    async def _patch_calendar(self, request: web.Request) -> Json:
        truth = self._truth(request)
        if truth.role != "owner":
            raise RefusedError(403, "requiredAccessLevel")
        truth.members = patched(truth.members, await request.json())
        return truth.resource()

    async def _delete_calendar(self, request: web.Request) -> None:
        truth = self._truth(request)
        if truth.name == OWNER:
            raise RefusedError(400, "cannotDeletePrimaryCalendar")
        del self.calendars[truth.name]

    async def _list(self, request: web.Request) -> Json:
        truth, query = self._truth(request), dict(request.query)
        page_token = query.pop("pageToken", None)
        size = min(int(query.get("maxResults", "250")), self.page_size)
        if page_token is not None:
            if page_token not in self._pages:
                raise RefusedError(400, "invalid", location="pageToken")
            left, first = self._pages[page_token]
            if first != query:
                self.complaints.append(f"a page was asked for with other parameters: {query}")
        else:
            left = self._selected(truth, query, device=_bearer(request))
        page, left = left[:size], left[size:]
        told: Json = {
            "kind": "calendar#events",
            "etag": f'"{truth.position}"',
            "summary": truth.members.get("summary", ""),
            "timeZone": truth.members["timeZone"],
            "accessRole": truth.role,
            "defaultReminders": [],
            "updated": truth.stamp(),
            "items": page,
        }
        if left:
            told["nextPageToken"] = f"page{len(self._pages)}"
            self._pages[told["nextPageToken"]] = (left, query)
        else:
            place = f"{self.generation}:{truth.born}:{truth.position}".encode()
            told["nextSyncToken"] = base64.b64encode(place).decode()
        return told

    def _selected(self, truth: CalendarTruth, query: dict[str, str], device: str) -> list[Json]:
        if query.keys() & _WINDOW and "syncToken" not in query:
            return google_windows.within(truth, query)
        if query.get("singleEvents", "false") != "false":
            self.complaints.append("this fake expands series within a window only")
        plain = {name: one for name, one in query.items() if name not in _APART}
        if "iCalUID" in query:
            found = [one for one in truth.everything() if one["iCalUID"] == query["iCalUID"]]
            return [truth.shown(one) for one in found]
        asking = device if device in self.devices else ""
        first = self._first.setdefault((asking, truth.name), plain)
        if first != plain:
            self.complaints.append(f"parameters differ from the first request's: {plain}")
        if "syncToken" not in query:
            return [truth.shown(one) for one in truth.everything()]
        if query.keys() & _NOT_WITH_TOKEN:
            raise RefusedError(400, "invalid", location="syncToken")
        place = base64.b64decode(query["syncToken"]).decode().split(":")
        if place[:2] != [str(self.generation), str(truth.born)]:
            raise RefusedError(410, "fullSyncRequired", location="syncToken")
        return [truth.shown(one) for one in truth.since(int(place[2]))]

    async def _insert(self, request: web.Request) -> Json:
        truth, body = self._truth(request), await request.json()
        if body["id"] in truth.events:
            raise RefusedError(409, "duplicate")
        return truth.put(body["id"], **{name: one for name, one in body.items() if name != "id"})

    async def _get(self, request: web.Request) -> Json:
        return self._event(request)

    def _event(self, request: web.Request) -> Json:
        truth, name = self._truth(request), request.match_info["event"]
        found = truth.events.get(name) or truth.instance(name)
        if found is None:
            raise RefusedError(404, "notFound")
        return found

    def _current(self, request: web.Request) -> Json:
        found = self._event(request)
        if is_cancelled(found):
            raise RefusedError(410, "deleted")
        if request.headers.get("If-Match", found["etag"]) != found["etag"]:
            raise RefusedError(412, "conditionNotMet")
        return found

    async def _patch(self, request: web.Request) -> Json:
        truth, found = self._truth(request), self._current(request)
        if truth.role not in {"owner", "writer"}:
            raise RefusedError(403, "forbidden")
        return truth.put(found["id"], **patched(found, answered(found, await request.json())))

    async def _delete(self, request: web.Request) -> None:
        self._truth(request).cancel(self._current(request)["id"])

    async def _move(self, request: web.Request) -> Json:
        found, target = self._current(request), self.calendars.get(request.query["destination"])
        if target is None or found["id"] not in self._truth(request).events:
            raise RefusedError(404, "notFound")
        if target.role not in {"owner", "writer"}:
            raise RefusedError(403, "requiredAccessLevel")
        if found.get("eventType", "default") != "default" or "recurringEventId" in found:
            raise RefusedError(400, "invalid")
        return move(self._truth(request), target, found["id"])

    async def _watch(self, request: web.Request) -> Json:
        return await self.channels.watch(self._truth(request), await request.json())

    async def _stop(self, request: web.Request) -> None:
        await self.channels.stop(await request.json())

    async def _instances(self, request: web.Request) -> Json:
        truth, name = self._truth(request), request.match_info["event"]
        found = truth.instance_at(name, request.query["originalStart"])
        return {
            "kind": "calendar#events",
            "etag": f'"{truth.position}"',
            "timeZone": truth.members["timeZone"],
            "updated": truth.stamp(),
            "accessRole": truth.role,
            "defaultReminders": [],
            "items": [] if found is None or is_cancelled(found) else [found],
        }


def _bearer(request: web.Request) -> str:
    return request.headers.get("Authorization", "").removeprefix("Bearer ")


def at(day: int, hour: int = 9, *, zone: str = "Europe/Berlin") -> Json:
    """Return a time in November 2026 on Google's wire."""
    utc = datetime(2026, 11, 1, hour - 1, tzinfo=UTC) + timedelta(days=day - 1)
    wall = utc + timedelta(hours=1)
    return {"dateTime": f"{wall:%Y-%m-%dT%H:%M:%S}+01:00", "timeZone": zone}
