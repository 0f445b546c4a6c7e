"""A profile at a fake of a cloud, polled for real into a real store, its stream replayed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import orjson
from aiohttp import ClientSession, DummyCookieJar

from syncd.engine.browse import Browser
from syncd.engine.hub import Hub
from syncd.engine.link import Linking
from syncd.engine.plan import Plan
from syncd.engine.poll import Polled, Poller
from syncd.engine.write import Writer
from syncd.engine.written import Written
from syncd.model.access import User
from syncd.model.activity import Filter
from syncd.model.ids import Position
from syncd.model.profile import Profile
from syncd.ports.link import Login
from syncd.ports.store import Store
from syncd.providers.kind import Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from syncd.runtime.vault import open_ring, write_ring
from tests.api.serving import inline
from tests.contract.rig import PAUSE, USER
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter
from tests.providers.google import google_login
from tests.providers.graph import graph_login
from tests.servers.google import GoogleServer
from tests.servers.graph import GraphServer
from tests.store.opening import opened
from tests.witness import Replay


class CloudServer(Protocol):
    complaints: list[str]

    @property
    def settings(self) -> dict[str, dict[str, str]]: ...


S = TypeVar("S", bound=CloudServer)


@dataclass(kw_only=True)
class CloudRig(Generic[S]):
    server: S
    store: Store
    clock: FakeClock
    poller: Poller
    linking: Linking
    writer: Writer
    meter: FakeMeter
    connected: Profile
    replay: Replay = field(default_factory=Replay)

    async def profile(self) -> Profile:
        return await self.store.profile(self.connected.id)

    async def poll(self) -> Polled:
        self.clock.advance(PAUSE)
        return await self.poller.poll(await self.profile(), listing=True)

    async def drain(self) -> list[tuple[str, str]]:
        """Return what is new in the stream: type, and the event's name."""
        after = Position(self.replay.position)
        _, found, _ = await self.store.read(
            self.connected.id, after=after, limit=500, wanted=Filter()
        )
        records = [orjson.loads(one.body) for one in found]
        self.replay.apply(records)
        kinds = {"event", "calendar"}
        return [
            (one["type"], one["metadata"]["name"])
            for one in records
            if one["metadata"]["type"] in kinds
        ]

    async def step(self) -> list[tuple[str, str]]:
        polled = await self.poll()
        assert polled.error is None
        return await self.drain()

    def named(self, name: str) -> dict[str, Any]:
        return next(one for one in self.replay.events.values() if one["name"] == name)


@asynccontextmanager
async def cloud_rig(where: Path, server: S, login: Login) -> AsyncIterator[CloudRig[S]]:
    """Connect a profile at a server that runs."""
    clock, hub, meter = FakeClock(), Hub(), FakeMeter()
    recent = Written(clock)
    write_ring(where / "keys")
    vault = open_ring(where / "keys")
    plan = Plan(default_interval=timedelta(seconds=60), default_reconcile=timedelta(days=1))
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(where, clock=clock))
        http = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        rim = Rim(session=lambda: http, clock=clock, settings=server.settings)
        opener = Opener(KINDS, rim, store, vault)
        await store.add_user(User(id=USER, name="contract", created=clock.now()))
        browser = Browser(store, inline, clock)
        linking = Linking(store, opener, vault, clock, hub)
        yield CloudRig(
            server=server,
            store=store,
            clock=clock,
            poller=Poller(
                *(store, opener, hub, clock, meter, plan), draw=lambda: 0.5, written=recent
            ),
            linking=linking,
            writer=await stack.enter_async_context(
                Writer(store, opener, browser, hub, clock, written=recent)
            ),
            meter=meter,
            connected=await linking.connect(USER, login),
        )
        assert server.complaints == []


GoogleRig = CloudRig[GoogleServer]
GraphRig = CloudRig[GraphServer]


@asynccontextmanager
async def google_rig(where: Path) -> AsyncIterator[GoogleRig]:
    async with (
        GoogleServer().running() as server,
        cloud_rig(where, server, google_login(server)) as rig,
    ):
        yield rig


@asynccontextmanager
async def graph_rig(where: Path) -> AsyncIterator[GraphRig]:
    async with (
        GraphServer().running() as server,
        cloud_rig(where, server, graph_login(server)) as rig,
    ):
        yield rig
