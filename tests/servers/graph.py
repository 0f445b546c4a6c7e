"""Microsoft Graph's calendars as its documents describe them: truth, feeds, batches, faults.

Stricter than Graph: what the OpenAPI document does not know is noted in ``complaints``, and so
are missing ``Prefer`` headers and an answer of ours that the document would not allow.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.servers.graph_calls import GraphCalls
from tests.servers.graph_mailbox import Call, RefusedError
from tests.servers.graph_schema import operation
from tests.servers.graph_truth import OWNER, CalendarTruth, Json
from tests.servers.graph_watch import Subscriptions
from tests.servers.tokens import CLIENT_ID, CLIENT_SECRET, TokenServer

BASE = "/v1.0"
AT_ONCE = 4  # MG10
TENANT, OBJECT = "72f988bf-0000-4000-8000-2d7cd011db47", "5f1c0f5a-0000-4000-8000-0a1b2c3d4e5f"
_PREFERRED = {'IdType="ImmutableId"', 'outlook.timezone="UTC"', 'outlook.body-content-type="text"'}
_MOST_PARTS = 20


@dataclass
class Fault:
    """What is answered instead: ``part`` of the path, as often as ``times``."""

    status: int
    part: str = ""
    code: str = ""
    method: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    kind: str = "application/json"
    times: int = 1
    after: bool = False  # do it, and break the connection instead of an answer


class GraphServer(GraphCalls):
    """One person's mailbox; another device edits ``calendars`` directly."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = TokenServer()
        self.devices: set[str] = set()  # access tokens of others that are signed in
        self.faults: list[Fault] = []
        self.asked: list[web.Request] = []
        self.parts: list[Call] = []  # of batches
        self.batches: list[object] = []  # answered instead to those that come next
        self.pause = 0.0  # seconds that an answer takes
        self.at_once = 0
        self.most = 0
        self.url = ""
        self.add_calendar("Calendar", primary=True)
        self.sign_in()
        self.subscriptions = Subscriptions(self.calendars, self.complaints)

    def add_seen_room(self, name: str) -> CalendarTruth:
        """Add a room whose calendar who signed in may read; return that."""
        email = self.contacts.add_room(name)["emailAddress"]
        self.rooms[email] = CalendarTruth(f"AAMkr{len(self.rooms)}_-=", "Calendar")
        return self.rooms[email]

    def sign_in(self, *, tenant: str = TENANT, person: str = OBJECT) -> None:
        """Say who the ID token names."""
        self.tokens.told["id_token"] = id_token(aud=CLIENT_ID, tid=tenant, oid=person)

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        told = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        return {"graph": {**told, "token_url": self.tokens.url, "api_url": self.url}}

    @asynccontextmanager
    async def running(self, port: int = 0, tokens: int = 0) -> AsyncIterator["GraphServer"]:
        """Serve, at ports of the caller's choice where they are given."""
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", BASE + "/{rest:.*}", self._answer)
        server = TestServer(app, port=port or None)
        async with self.tokens.running(tokens):
            await server.start_server()
            self.url = str(server.make_url(BASE))
            yield self
            await server.close()

    async def _answer(self, request: web.Request) -> web.Response:
        given = request.headers.get("Authorization", "")
        if given.removeprefix("Bearer ") in self.devices:
            call = await called(request)
            status, told = self.perform(call)
            return web.json_response(told, status=status)
        self.asked.append(request)
        if not given.startswith("Bearer access-"):
            self.complaints.append(f"a bearer token of somebody else: {given[:20]}")
        if given != f"Bearer {self.tokens.access_token}":
            return refused(Fault(401, code="InvalidAuthenticationToken"))
        with self._lane() as free:
            if not free:
                return refused(Fault(429, code="ApplicationThrottled"))
            fault = self._fault(request.method, request.path)
            if fault is not None and not fault.after:
                return refused(fault)
            call = await called(request)
            if self.pause:
                await asyncio.sleep(self.pause)
            status, told = await self._told(call)
            if fault is not None:
                assert request.transport is not None
                request.transport.close()
        if told is None:
            return web.Response(status=status)
        return web.json_response(told, status=status)

    async def _told(self, call: Call) -> tuple[int, object]:
        if call.path == "/$batch":
            return self._batched(call)
        if not call.path.startswith("/subscriptions"):
            return self._one(call)
        found = operation(call.method, call.path)
        assert found is not None
        self.complaints += found.faults(call.query, call.body)
        try:
            status, told = await self.subscriptions.perform(call)
        except RefusedError as refusal:
            return refusal.status, error_body(refusal.code)
        self.complaints += found.answer_faults(told)
        return status, told

    @contextmanager
    def _lane(self) -> Iterator[bool]:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        if self.at_once > AT_ONCE:
            self.complaints.append(f"{self.at_once} requests at once")
        yield self.at_once <= AT_ONCE
        self.at_once -= 1

    def _batched(self, call: Call) -> tuple[int, object]:
        """Answer the parts of a batch, each with a status of its own, the last one first."""
        if self.batches:
            return 200, self.batches.pop(0)
        parts = call.body["requests"]
        if not 1 <= len(parts) <= _MOST_PARTS or len({one["id"] for one in parts}) != len(parts):
            self.complaints.append("a batch has 1 to 20 parts, each with an id of its own")
        answers = list[Json]()
        for part in parts:
            path, _, query = part["url"].partition("?")
            pairs = dict(one.split("=", 1) for one in query.split("&") if one)
            plain = {unquote(name): unquote(value) for name, value in pairs.items()}
            inner = Call(part["method"], path, plain, part.get("headers", {}), part.get("body"))
            self.parts.append(inner)
            fault = self._fault(inner.method, unquote(path))
            status, told = (
                self._one(inner) if fault is None else (fault.status, error_body(fault.code))
            )
            answers.append({
                "id": part["id"], "status": status, "body": told,
                "headers": {} if fault is None else fault.headers,
            })  # fmt: skip
        return 200, {"responses": answers[::-1]}

    def _one(self, call: Call) -> tuple[int, object]:
        """Answer one request, or one part of a batch; judge both it and the answer."""
        preferred = {one.strip() for one in call.headers.get("Prefer", "").split(",")}
        if not preferred >= _PREFERRED:
            self.complaints.append(f"{call.path} was asked without {_PREFERRED - preferred}")
        found = operation(call.method, call.path)
        if found is None:
            self.complaints.append(f"there is no {call.method} {call.path}")
            return 404, error_body("ResourceNotFound")
        self.complaints += found.faults(call.query, call.body)
        try:
            status, told = self.perform(call)
        except RefusedError as refusal:
            return refusal.status, error_body(refusal.code) if refusal.code else None
        self.complaints += found.answer_faults(told)
        immutable = 'IdType="ImmutableId"' in preferred
        return status, told if immutable else _passing_ids(told)

    def _fault(self, method: str, path: str) -> Fault | None:
        found = next((one for one in self.faults if _meets(one, method, path)), None)
        if found is not None:
            found.times -= 1
        return found


async def called(request: web.Request) -> Call:
    text = await request.text()
    return Call(
        request.method,
        request.rel_url.raw_path.removeprefix(BASE),
        dict(request.query),
        request.headers,
        json.loads(text) if text else None,
    )


def id_token(**claims: str) -> str:
    """Return a JWT that nobody signed, as it comes over TLS from the token endpoint."""
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.x"


def error_body(code: str) -> Json:
    return {"error": {"code": code, "message": f"{code} it is.", "innerError": {"date": "now"}}}


def _passing_ids(told: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return an answer whose ids are not the immutable ones."""
    if isinstance(told, list):
        return [_passing_ids(one) for one in told]
    if not isinstance(told, Mapping):
        return told
    return {
        name: f"passing-{one}" if name in {"id", "seriesMasterId"} and one else _passing_ids(one)
        for name, one in told.items()
    }


def _meets(fault: Fault, method: str, path: str) -> bool:
    return fault.times > 0 and fault.part in path and fault.method in ("", method)


def refused(fault: Fault) -> web.Response:
    text = json.dumps(error_body(fault.code)) if fault.text is None else fault.text
    return web.Response(
        status=fault.status, text=text, content_type=fault.kind, headers=fault.headers
    )


def at(day: int, hour: int = 9, *, zone: str = "Europe/Berlin") -> Json:
    """Return a time in November 2026 (or after it) as a client of Graph writes it."""
    month, number = (11, day) if day <= 30 else (12, day - 30)
    return {"dateTime": f"2026-{month:02}-{number:02}T{hour:02}:00:00", "timeZone": zone}


__all__ = ["OWNER", "Fault", "GraphServer", "at", "error_body", "id_token"]
