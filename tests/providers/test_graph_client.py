"""Microsoft Graph over HTTP, against a stricter server (P1, P12, MG2, MG3, MG10)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    RejectedError,
    RelinkRequiredError,
    SyncdError,
    SyncTokenExpiredError,
    ThrottledError,
    TransientError,
)
from syncd.model.ids import CalendarKey
from syncd.providers.answers import PassingError
from syncd.providers.graph import wire
from syncd.providers.graph.client import AT_ONCE, Ask, GraphClient
from syncd.providers.graph.refusals import Refused, UnknownHereError, refusal
from syncd.providers.graph.window import Window
from tests.fakes.clock import FakeClock
from tests.servers.graph_schema import check, published

CALENDAR = CalendarKey("AAMk/C+=")
PREFERRED = {'IdType="ImmutableId"', 'outlook.timezone="UTC"', 'outlook.body-content-type="text"'}
WINDOW = Window(datetime(2025, 11, 20, tzinfo=UTC), datetime(2028, 11, 20, tzinfo=UTC))


@dataclass
class Graph:
    """Answers by a script, and refuses what Graph would not take."""

    good: str = "token-0"
    answers: list[Callable[[str], web.Response]] = field(default_factory=list)
    asked: list[web.Request] = field(default_factory=list)
    at_once: int = 0
    most: int = 0
    hold: asyncio.Event | None = None
    full: asyncio.Event = field(default_factory=asyncio.Event)  # as many as there may be
    base: str = ""
    client: GraphClient | None = None

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        preferred = set(request.headers.get("Prefer", "").split(", "))
        assert preferred >= PREFERRED
        if request.headers["Authorization"] != f"Bearer {self.good}":
            return refused(401, "InvalidAuthenticationToken")
        if self.hold is not None:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            if self.at_once == AT_ONCE:
                self.full.set()
            await self.hold.wait()
            self.at_once -= 1
        return self.answers.pop(0)(self.base) if self.answers else web.json_response({"value": []})


def refused(status: int, code: str, **headers: str) -> web.Response:
    told = {"error": {"code": code, "message": "Words."}}
    return web.json_response(told, status=status, headers=headers)


def page(*items: object, **links: str) -> Callable[[str], web.Response]:
    def made(base: str) -> web.Response:
        told = {f"@odata.{name}": base + link for name, link in links.items()}
        return web.json_response({"value": list(items), **told})

    return made


@pytest.fixture
async def graph() -> AsyncIterator[Graph]:
    found = Graph()
    app = web.Application()
    app.router.add_route("*", "/v1.0/{rest:.*}", found.answer)
    async with TestServer(app) as server, ClientSession() as session:
        found.base = str(server.make_url("/v1.0"))
        tokens = iter(["token-0", "token-1", "token-2"])
        held = [next(tokens)]

        async def token(*, refused: str | None = None) -> str:
            if refused == held[0]:
                held[0] = next(tokens)
            return held[0]

        lanes = asyncio.Semaphore(AT_ONCE)
        found.client = GraphClient(lambda: session, FakeClock(), found.base, token, lanes=lanes)
        yield found


def client(graph: Graph) -> GraphClient:
    assert graph.client is not None
    return graph.client


async def test_calendars_are_listed_page_by_page(graph: Graph) -> None:
    first = {"id": "A", "name": "Calendar", "isDefaultCalendar": True, "canEdit": True}
    second = {"id": "B", "name": "Birthdays", "isDefaultCalendar": False, "canEdit": False}
    for one in (first, second):
        check("calendar", one)
    graph.answers = [
        page(first, nextLink="/me/calendars?$skip=1"),
        page(nextLink="/me/calendars?$skip=2"),
        page(second),
    ]
    found = await wire.calendar_list(client(graph))
    assert [(one.key, one.primary, one.read_only) for one in found] == [
        ("A", True, False),
        ("B", False, True),
    ]
    queries = [dict(request.query) for request in graph.asked]
    assert queries == [{"$top": "100"}, {"$skip": "1"}, {"$skip": "2"}]
    assert {"$top", "$skip"} <= set(published()["paths"]["/me/calendars"]["get"])


async def test_a_feed_is_asked_for_by_its_window_and_gone_on_from_its_link(graph: Graph) -> None:
    """MG2, MG3: no $select and the like; the id of a calendar is one part of the path."""
    graph.answers = [
        page(nextLink="/feed?$skiptoken=1"),
        page(deltaLink="/feed?$deltatoken=2"),
        page({"id": "E"}, deltaLink="/feed?$deltatoken=3"),
    ]
    pages = [one async for one in wire.feed_pages(client(graph), CALENDAR, WINDOW)]
    link = pages[-1]["@odata.deltaLink"]
    (changed,) = [one async for one in wire.changed_pages(client(graph), link)]
    assert changed["value"] == [{"id": "E"}]
    assert graph.asked[0].path == f"/v1.0/me/calendars/{CALENDAR}/calendarView/delta"
    assert "AAMk%2FC%2B%3D" in graph.asked[0].raw_path
    assert dict(graph.asked[0].query) == {
        "startDateTime": "2025-11-20T00:00:00Z",
        "endDateTime": "2028-11-20T00:00:00Z",
    }
    sizes = ["odata.maxpagesize=200" in request.headers["Prefer"] for request in graph.asked]
    assert sizes == [True, True, True]
    assert dict(graph.asked[2].query) == {"$deltatoken": "2"}


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example.org/v1.0/me/calendars",
        "http://localhost:1/v1.0/me",
        "/v1.0/me/calendars",
        "ftp:nowhere",
        "http://[",
    ],
)
async def test_a_link_that_leads_away_is_not_followed(graph: Graph, link: str) -> None:
    """P12: the token goes nowhere else."""
    graph.answers = [lambda _: web.json_response({"value": [], "@odata.nextLink": link})]
    with pytest.raises(MalformedReplyError):
        await wire.calendar_list(client(graph))
    assert len(graph.asked) == 1


@pytest.mark.parametrize(
    "answers",
    [
        [lambda _: web.json_response({})],
        [lambda _: web.json_response({"value": None})],
        [lambda _: web.json_response({"value": ["x"]})],
        [lambda _: web.json_response([])],
        [lambda _: web.Response(text="<html>", content_type="text/html")],
        [lambda _: web.Response(text='{"value": [', content_type="application/json")],
        [lambda _: web.Response(status=204)],
        [page({"id": "E"})],  # no deltaLink on the last page
        [lambda _: web.Response(status=302, headers={"Location": "https://login.example.org/"})],
    ],
)
async def test_what_did_not_come_whole_is_no_page(
    graph: Graph, answers: list[Callable[[str], web.Response]]
) -> None:
    """P1: above all no empty one."""
    graph.answers = answers
    with pytest.raises(MalformedReplyError):
        async for _ in wire.feed_pages(client(graph), CALENDAR, WINDOW):
            pass


async def test_a_link_that_comes_again_ends_the_list(graph: Graph) -> None:
    graph.answers = [page(nextLink="/a"), page(nextLink="/b"), page(nextLink="/a")]
    with pytest.raises(MalformedReplyError):
        await wire.calendar_list(client(graph))


async def test_no_more_than_four_requests_are_under_way_at_a_mailbox(graph: Graph) -> None:
    """MG10."""
    graph.hold = asyncio.Event()
    ask = Ask(path=("me", "calendars"))
    async with asyncio.TaskGroup() as group:
        for _ in range(12):
            group.create_task(client(graph).read(ask))
        await graph.full.wait()
        for _ in range(200):  # whoever could come would have come
            await asyncio.sleep(0)
        graph.hold.set()
    assert (graph.most, len(graph.asked)) == (AT_ONCE, 12)


async def test_a_refused_token_is_replaced_once(graph: Graph) -> None:
    graph.good = "token-1"
    assert await wire.calendar_list(client(graph)) == []
    assert len(graph.asked) == 2
    graph.good = "token-9"
    with pytest.raises(RelinkRequiredError):
        await wire.calendar_list(client(graph))
    assert len(graph.asked) == 4


async def test_what_passes_is_tried_three_times_and_throttling_waits(graph: Graph) -> None:
    graph.answers = [lambda _: refused(500, "x"), lambda _: refused(503, "x"), page()]
    assert await wire.calendar_list(client(graph)) == []
    graph.answers = [lambda _: refused(429, "x", **{"Retry-After": "17"}), page()]
    with pytest.raises(TransientError) as told:
        await wire.calendar_list(client(graph))
    assert told.value.retry_after == timedelta(seconds=17)
    assert len(graph.answers) == 1


async def test_a_write_is_sent_once_under_the_version_that_is_known(graph: Graph) -> None:
    graph.answers = [lambda _: refused(500, "x"), page()]
    ask = Ask(method="PATCH", path=("me", "events", "E"), body={"subject": "x"}, etag='W/"1"')
    with pytest.raises(PassingError):
        await client(graph).send(ask)
    assert len(graph.asked) == 1
    assert graph.asked[0].headers["If-Match"] == 'W/"1"'


@pytest.mark.parametrize(
    ("status", "code", "read", "write"),
    [
        (400, "ErrorInvalidRequest", UnknownHereError, RejectedError),
        (400, "SyncStateNotFound", SyncTokenExpiredError, SyncTokenExpiredError),
        (404, "syncStateNotFound", SyncTokenExpiredError, SyncTokenExpiredError),
        (409, "ResyncRequired", SyncTokenExpiredError, SyncTokenExpiredError),
        (401, "InvalidAuthenticationToken", RelinkRequiredError, RelinkRequiredError),
        (401, "", RelinkRequiredError, RelinkRequiredError),
        (403, "ErrorAccessDenied", ForbiddenError, ForbiddenError),
        (403, "InvalidAuthenticationToken", RelinkRequiredError, RelinkRequiredError),
        (404, "ErrorItemNotFound", NotFoundError, NotFoundError),
        (405, "", MalformedReplyError, MalformedReplyError),
        (501, "", MalformedReplyError, MalformedReplyError),
        (409, "ErrorFolderExists", ConflictError, ConflictError),
        (410, "", SyncTokenExpiredError, NotFoundError),  # a write: gone already (P5)
        (412, "ErrorIrresolvableConflict", ConflictError, ConflictError),
        (408, "", PassingError, PassingError),
        (423, "", PassingError, PassingError),
        (425, "", PassingError, PassingError),
        (500, "", PassingError, PassingError),
        (503, "", PassingError, PassingError),
        (507, "", PassingError, PassingError),
        (418, "", MalformedReplyError, RejectedError),
        (302, "", MalformedReplyError, MalformedReplyError),
    ],
)
def test_an_answer_means_what_the_table_says(
    status: int, code: str, read: type[SyncdError], write: type[SyncdError]
) -> None:
    body = json.dumps({"error": {"code": code, "message": "Words."}}).encode()
    inside = json.dumps({"error": {"code": "x", "innerError": {"code": code}}}).encode()
    for one in (body, inside):
        assert type(refusal(Refused(status=status, body=one))) is read
        assert type(refusal(Refused(status=status, body=one, writes=True))) is write
    assert "Words." in str(refusal(Refused(status=status, body=body)))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "x"}', b'{"error": null}'])
def test_a_status_counts_where_there_are_no_codes(body: bytes) -> None:
    assert type(refusal(Refused(status=404, body=body))) is NotFoundError


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        (Refused(status=429, body=b""), None),  # the engine backs off
        (Refused(status=429, body=b"", waits=True, wait=timedelta(7)), timedelta(7)),
        (Refused(status=429, body=b"", waits=True), None),  # garbage
        (Refused(status=503, body=b"", waits=True, wait=timedelta(7)), timedelta(7)),
    ],
)
def test_throttling_waits_as_long_as_it_says(given: Refused, wait: timedelta | None) -> None:
    error = refusal(given)
    assert type(error) is ThrottledError
    assert error.retry_after == wait
