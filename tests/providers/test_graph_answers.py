"""Every answer becomes what it says or one error of the tree; never an empty page (P1, F3)."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, DummyCookieJar

from syncd.model.edit import EventEdit
from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    RejectedError,
    RelinkRequiredError,
    SyncdError,
    SyncTokenExpiredError,
    TransientError,
)
from syncd.model.ids import WHOLE, CalendarKey, ResourceKey, SyncToken
from syncd.model.resource import RawResource
from syncd.ports.passing import Passed
from syncd.ports.provider import Provider
from syncd.providers.graph.client import AT_ONCE, GraphClient
from syncd.providers.graph.contacts import MAIN
from syncd.providers.graph.provider import GraphProvider
from syncd.providers.graph.shelf import Shelf
from syncd.providers.graph.state import Standing, state_text
from syncd.providers.graph.window import Window
from tests.fakes.clock import BEGIN, FakeClock
from tests.providers.follow import Follower
from tests.providers.graph import GraphDesk, graph_desk
from tests.servers.graph import Fault, GraphServer
from tests.servers.graph_schema import Operation, check, operation
from tests.servers.raw import RawServer, answer

KEY = CalendarKey("AAMk")
BODIES = {
    "empty": (b"", "application/json"),
    "html": (b"<html><body>Sign in</body></html>", "text/html"),
    "json": (b"{}", "application/json"),
    "list": (b"[]", "application/json"),
    "cut": (b'{"value": [{"id": "A"}], "@odata.delta', "application/json"),
    "xml": (b'{"value": [], "@odata.deltaLink": "x"}', "text/xml"),
}


def meant(status: int, *, writes: bool) -> type[SyncdError] | tuple[type[SyncdError], ...]:
    """Return providers.md's table once more, in other words."""
    exact: dict[int, type[SyncdError]] = {
        401: RelinkRequiredError,
        403: ForbiddenError,
        404: NotFoundError,
        405: MalformedReplyError,
        409: ConflictError,
        410: NotFoundError if writes else SyncTokenExpiredError,
        412: ConflictError,
        501: MalformedReplyError,
        **dict.fromkeys((408, 423, 425, 429), TransientError),
    }
    if status in exact:
        return exact[status]
    if status < 200:  # it announces another answer, which never comes, or is no HTTP
        return MalformedReplyError, TransientError
    if status >= 500:
        return TransientError
    return RejectedError if writes and status >= 400 else MalformedReplyError


@pytest.fixture
async def raw() -> AsyncIterator[RawServer]:
    async with RawServer.running() as server:
        yield server


@pytest.fixture
async def provider(raw: RawServer) -> AsyncIterator[Provider]:
    clock = FakeClock()

    async def token(*, refused: str | None = None) -> str:
        return "token" if refused is None else "another"

    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        lanes = asyncio.Semaphore(AT_ONCE)
        client = GraphClient(lambda: session, clock, raw.url, token, lanes=lanes)
        own, shelf = {"ada@example.org"}, Shelf(clock)
        yield GraphProvider(client, own=own, consumer=False, now=clock.now, shelf=shelf)


async def feed(provider: Provider, raw: RawServer) -> None:
    follower = Follower(provider, KEY)
    standing = Standing(link=f"{raw.url}feed", window=Window.around(BEGIN))
    follower.token = state_text(standing)
    await follower.read()


async def listing(provider: Provider, _: RawServer) -> None:
    await Follower(provider, KEY).read()


async def calendars(provider: Provider, _: RawServer) -> None:
    await provider.calendars()


async def lookup(provider: Provider, _: RawServer) -> None:
    await provider.resources(KEY, [ResourceKey("A")])


async def contact_feed(provider: Provider, raw: RawServer) -> None:
    told = {"v": 1, "p": 200, "contacts": f"{raw.url}feed"}
    await contacts(provider, SyncToken(json.dumps(told)))


async def contact_round(provider: Provider, _: RawServer) -> None:
    await contacts(provider, None)


async def contacts(provider: Provider, token: SyncToken | None) -> None:
    pages = provider.contacts(MAIN.key, token, Follower(provider, MAIN.key))
    assert [page async for page in pages]


async def creation(provider: Provider, _: RawServer) -> None:
    at = datetime(2026, 11, 24, 9, tzinfo=UTC)
    edit = EventEdit(name="x", start=at, end=at + timedelta(hours=1))
    await provider.create_event(KEY, edit, name="n" * 22)


async def change(provider: Provider, _: RawServer) -> None:
    times = {
        one: {"dateTime": "2026-11-24T09:00:00", "timeZone": "UTC"} for one in ("start", "end")
    }
    body = json.dumps({"id": "A", "@odata.etag": "1", **times}).encode()
    before = RawResource(key=ResourceKey("A"), etag="1", raw=body)
    await provider.update_event(KEY, before, WHOLE, EventEdit(name="x"))


Asking = Callable[[Provider, RawServer], Awaitable[None]]


@pytest.mark.parametrize(
    ("ask", "body"),
    [
        *((ask, body) for ask in (calendars, feed) for body in BODIES),
        *((ask, body) for ask in (listing, lookup) for body in ("json", "cut")),
        *((ask, body) for ask in (contact_feed, contact_round) for body in ("list", "json", "cut")),
    ],
)
async def test_no_answer_is_an_empty_page(
    raw: RawServer, provider: Provider, ask: Asking, body: str
) -> None:
    """P1: a page is built from a 2xx of JSON that came whole, and from nothing else."""
    content, kind = BODIES[body]
    for status in range(100, 600):
        raw.told = answer(status, content, kind=kind)
        with pytest.raises(meant(status, writes=False)):
            await ask(provider, raw)


@pytest.mark.parametrize(
    ("ask", "body"),
    [
        (creation, "empty"),
        (creation, "html"),
        (creation, "json"),
        (change, "json"),
        (change, "cut"),
    ],
)
async def test_no_answer_is_a_success_of_a_write(
    raw: RawServer, provider: Provider, ask: Asking, body: str
) -> None:
    content, kind = BODIES[body]
    for status in range(100, 600):
        raw.told = answer(status, content, kind=kind)
        with pytest.raises(meant(status, writes=True)):
            await ask(provider, raw)


async def test_an_answer_that_is_cut_is_no_answer(raw: RawServer, provider: Provider) -> None:
    whole = answer(200, b'{"value": []}', kind="application/json")
    for end in (0, 5, 30, len(whole) - 13, len(whole) - 1):
        raw.told = whole[:end]
        with pytest.raises((TransientError, MalformedReplyError)):
            await provider.calendars()
    raw.told = whole
    assert list(await provider.calendars()) == []


async def test_requests_of_a_callers_own_go_to_graph_only() -> None:
    """K29, P12, MG3."""
    async with GraphServer().running() as server, graph_desk(server) as desk:
        told = await desk.provider.passed(Passed(method="GET", uri="/v1.0/me"))
        assert (told.status, told.content_type) == (200, "application/json; charset=utf-8")
        server.faults.append(Fault(404, code="x"))
        told = await desk.provider.passed(Passed(method="GET", uri=f"{server.url}/me"))
        assert told.status == 404
        assert server.complaints == []
        for uri in ("https://example.org/x", "//example.org/x", "http://u@127.0.0.1/"):
            with pytest.raises(InvalidError):
                await desk.provider.passed(Passed(method="GET", uri=uri))


def asked_of(method: str, path: str) -> Operation:
    found = operation(method, path)
    assert found is not None
    return found


def test_the_judge_notices_what_the_document_does_not_know() -> None:
    """10.4: negative controls."""
    listing_, patch = asked_of("GET", "/me/calendars/x/events"), asked_of("PATCH", "/me/events/y")
    assert operation("GET", "/me/calendar/x") is None
    assert operation("DELETE", "/me/calendars/x/events") is None
    assert listing_.faults({"since": "x"}, None)
    assert listing_.faults({}, {"subject": "x"})
    assert patch.faults({}, {"summary": "x"})
    assert patch.faults({}, None)
    assert patch.faults({}, {"subject": 1})
    assert not patch.faults({}, {"subject": None})
    assert asked_of("POST", "/me/events/y/accept").faults({}, {"reply": True})
    assert not asked_of("POST", "/me/events/y/accept").faults({}, {"sendResponse": True})
    assert listing_.answer_faults({"items": []})
    assert listing_.answer_faults({"value": [{"id": 1}]})
    assert not listing_.answer_faults({"value": [{"id": "1"}], "@odata.nextLink": "x"})
    assert patch.answer_faults({"id": "1", "summary": "x"})
    check("event", {"id": "1", "extensions": [{"id": "x", "extensionName": "y", "pairs": "z"}]})


@pytest.mark.parametrize(
    ("headers", "query", "complaint"),
    [
        ({}, "", "without"),
        ({"Prefer": 'outlook.timezone="UTC"'}, "", "ImmutableId"),
        (None, "?$select=id", "takes no"),
        (None, "?since=x", "no parameter"),
    ],
)
async def test_the_fake_complains_of_what_graph_would_not_take(
    headers: dict[str, str] | None, query: str, complaint: str
) -> None:
    """MG2, MG3: negative controls."""
    async with GraphServer().running() as server, graph_desk(server) as desk:
        path = f"/me/calendars/{desk.key}/calendarView/delta{query}"
        window = "startDateTime=2026-01-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z"
        url = f"{server.url}{path}{'&' if query else '?'}{window}"
        preferred = 'IdType="ImmutableId", outlook.timezone="UTC", '
        preferred += 'outlook.body-content-type="text", odata.maxpagesize=200'
        sent = {"Prefer": preferred} if headers is None else headers
        sent["Authorization"] = f"Bearer {server.tokens.access_token}"
        async with ClientSession() as session, session.get(url, headers=sent) as told:
            assert told.status == 200
        assert any(complaint in one for one in server.complaints)
        await _strange_token(server, url, desk)


async def _strange_token(server: GraphServer, url: str, desk: GraphDesk) -> None:
    server.complaints.clear()
    headers = {"Authorization": "Bearer of somebody"}
    async with ClientSession() as session, session.get(url, headers=headers) as told:
        assert told.status == 401
    assert server.complaints
    assert desk.held == {}
