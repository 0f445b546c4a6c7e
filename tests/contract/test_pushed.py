"""Calls of Google and Graph through the whole engine: nothing depends on them (F40)."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from aiohttp import ClientSession, DummyCookieJar, web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler

from syncd.api import native
from syncd.api.keys import DIALECT
from syncd.api.native import push
from syncd.api.parts import PARTS, Parts
from syncd.api.route import routes_of
from syncd.api.serving import serving
from syncd.engine.hints import Hints
from syncd.engine.hub import Hub
from syncd.engine.link import Linking
from syncd.engine.plan import Plan
from syncd.engine.poll import Poller
from syncd.model.access import User
from syncd.model.activity import Filter
from syncd.model.errors import NotFoundError
from syncd.model.ids import Position
from syncd.model.profile import Profile
from syncd.ports.store import Store
from syncd.providers.kind import Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from syncd.runtime.vault import open_ring, write_ring
from tests.contract.rig import USER
from tests.engine.ground import BASE
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter
from tests.providers.google import google_login
from tests.providers.graph import graph_login
from tests.servers import google, graph
from tests.servers.google import GoogleServer
from tests.servers.google_watch import Channels
from tests.servers.graph import GraphServer
from tests.servers.graph_watch import Subscriptions
from tests.store.opening import opened

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PLAN = Plan(default_interval=MINUTE, pushed_interval=10 * MINUTE)
HOST = BASE.removesuffix("/v1/push")
Fate = Callable[[Sequence[Any]], Sequence[Any]]


@dataclass(kw_only=True)
class Called:
    """A connected profile, and what edits and calls at its provider."""

    store: Store
    clock: FakeClock
    poller: Poller
    connected: Profile
    callers: Channels | Subscriptions
    edit: Callable[[str], object]

    async def run_for(self, duration: timedelta) -> None:
        """Poll whenever that is due, as the schedule does."""
        end = self.clock.now() + duration
        while True:
            profile = await self.store.profile(self.connected.id)
            assert profile.next_poll_at is not None
            if profile.next_poll_at > end:
                self.clock.advance(end - self.clock.now())
                return
            self.clock.advance(max(profile.next_poll_at - self.clock.now(), timedelta()))
            await self.poller.poll(profile)

    async def told(self) -> list[str]:
        """Return the names of events that were added, in the stream's order."""
        first = Position(0)
        _, found, _ = await self.store.read(
            self.connected.id, after=first, limit=1000, wanted=Filter()
        )
        records = [orjson.loads(one.body) for one in found]
        mine = [one for one in records if one["metadata"]["type"] == "event"]
        assert {one["type"] for one in mine} <= {"add"}
        return [one["metadata"]["name"] for one in mine]


CALLING = ["google", "graph"]


@pytest.fixture(params=CALLING)
async def called(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Called]:
    clock, hub, meter = FakeClock(), Hub(), FakeMeter()
    write_ring(tmp_path / "keys")
    vault = open_ring(tmp_path / "keys")
    async with AsyncExitStack() as stack:
        server: GoogleServer | GraphServer
        if request.param == "google":
            server = await stack.enter_async_context(GoogleServer().running())
            login, callers = google_login(server), server.channels
            edit = google_edit(server)
        else:
            server = await stack.enter_async_context(GraphServer().running())
            login, callers = graph_login(server), server.subscriptions  # type: ignore[assignment]
            edit = graph_edit(server)
        callers.now = clock.now
        store = await stack.enter_async_context(opened(tmp_path, clock=clock))
        http = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        opener = Opener(
            KINDS, Rim(session=lambda: http, clock=clock, settings=server.settings), store, vault
        )
        interval = PLAN.pushed_interval
        hints = Hints(store, opener, clock, meter, base=BASE, interval=interval)
        callers.doors[HOST] = await door(stack, hints, clock)
        await store.add_user(User(id=USER, name="contract", created=clock.now()))
        linking = Linking(store, opener, vault, clock, hub)
        yield Called(
            store=store,
            clock=clock,
            poller=Poller(store, opener, hub, clock, meter, PLAN, draw=lambda: 0.5, hints=hints),
            connected=await linking.connect(USER, login),
            callers=callers,
            edit=edit,
        )
        assert server.complaints == []


async def door(stack: AsyncExitStack, hints: Hints, clock: FakeClock) -> str:
    """Serve the routes that providers call, a second away; return where."""

    @web.middleware
    async def arrive(request: web.Request, handler: Handler) -> web.StreamResponse:
        clock.advance(SECOND)
        request[DIALECT] = native.DIALECT
        try:
            return await handler(request)
        except NotFoundError:
            return web.Response(status=404)

    app = web.Application(middlewares=[arrive])
    app[PARTS] = cast("Parts", SimpleNamespace(hints=hints))
    for route in routes_of(push):
        app.router.add_route(route.method, route.path, serving(route))
    server = TestServer(app)
    await server.start_server()
    stack.push_async_callback(server.close)
    return f"http://127.0.0.1:{server.port}"


def google_edit(server: GoogleServer) -> Callable[[str], object]:
    start, end = google.at(24), google.at(24, 10)
    return lambda name: server.work.put(name.lower(), summary=name, start=start, end=end)


def graph_edit(server: GraphServer) -> Callable[[str], object]:
    start, end = graph.at(24), graph.at(24, 10)
    return lambda name: server.work.put(name.lower(), subject=name, start=start, end=end)


@dataclass
class Network:
    """What becomes of calls; those it holds back come with later ones, in any order."""

    fate: str
    random: Random

    def __post_init__(self) -> None:
        self.held = list[Any]()

    def __call__(self, calls: Sequence[Any]) -> Sequence[Any]:
        if self.fate == "kept":
            return calls
        if self.fate == "dropped":
            return []
        if self.fate == "doubled":
            return [*calls, *calls]
        self.held += calls
        self.random.shuffle(self.held)
        cut = self.random.randrange(len(self.held) + 1)
        sent, self.held = self.held[:cut], self.held[cut:]
        return sent


def test_every_provider_that_calls_is_among_these() -> None:
    assert [kind.name for kind in KINDS if kind.abilities.push] == CALLING


@pytest.mark.parametrize("fate", ["kept", "dropped", "doubled", "reordered"])
async def test_whatever_the_network_does_to_calls_each_edit_is_told_once(
    called: Called, fate: str
) -> None:
    """F40, P16, G12, MG16: the same activities, later."""
    random = Random(fate)  # noqa: S311 - the same each time
    await called.run_for(10 * SECOND)
    called.callers.fate = Network(fate, random)
    for number in range(12):
        called.edit(f"E{number}")
        await called.callers.call()
        await called.run_for(random.uniform(0, 90) * SECOND)
        if fate in {"kept", "doubled"}:
            await called.run_for(6 * SECOND)
            assert len(await called.told()) == number + 1, "at once"
    await called.run_for(PLAN.pushed_interval * 1.1 + MINUTE)
    assert sorted(await called.told()) == sorted(f"E{number}" for number in range(12))


async def test_a_quiet_calendar_is_looked_at_at_leisure(called: Called) -> None:
    """And as often as ever when its channel has come to its end and no other is to be had."""
    await called.run_for(2 * MINUTE)
    profile = await called.store.profile(called.connected.id)
    assert profile.next_poll_at is not None
    assert profile.next_poll_at - called.clock.now() > 9 * MINUTE
    called.callers.unwatchable |= called.callers.calendars.keys()
    if isinstance(called.callers, Subscriptions):
        called.callers.living.clear()  # without a word
    called.clock.advance(timedelta(days=8))
    await called.run_for(2 * MINUTE)
    profile = await called.store.profile(called.connected.id)
    assert profile.next_poll_at is not None
    assert profile.next_poll_at - called.clock.now() <= MINUTE
    called.edit("Late")
    await called.run_for(2 * MINUTE)
    assert await called.told() == ["Late"]
