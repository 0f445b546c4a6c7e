"""A Graph adapter signed in at the fake, and one calendar followed as an engine would."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import ClientSession, DummyCookieJar

from syncd.model.event import Event
from syncd.model.ids import CalendarKey, ProfileId, ResourceKey, UserId
from syncd.model.profile import Profile
from syncd.model.resource import RawResource, Resource
from syncd.ports.delta import Delta
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import Secret
from syncd.ports.writing import Wrote
from syncd.providers.graph.adapter import GraphAdapter
from syncd.providers.kind import Rim
from tests.fakes.clock import FakeClock
from tests.fakes.keys import FakeKeys
from tests.providers.follow import Follower, Read
from tests.servers.graph import GraphServer
from tests.servers.graph_truth import CalendarTruth


@dataclass(kw_only=True)
class GraphDesk:
    """``follower`` reads the first calendar; ``held`` are its resources by now."""

    server: GraphServer
    adapter: GraphAdapter
    clock: FakeClock
    signed: SignedIn
    provider: Provider
    follower: Follower
    held: dict[ResourceKey, Resource]

    @property
    def work(self) -> CalendarTruth:
        return self.server.work

    @property
    def key(self) -> CalendarKey:
        return CalendarKey(self.work.key)

    async def read(self, *, full: bool = False) -> Read:
        read = await self.follower.read(full=full)
        for page in read.pages:
            self.take(page.upserts, page.deleted)
        if read.last.complete:
            named = frozenset().union(*(page.named for page in read.pages))
            self.held = {key: one for key, one in self.held.items() if key in named}
        return read

    def take(self, upserts: tuple[Resource, ...], deleted: frozenset[ResourceKey]) -> None:
        self.held |= {one.key: one for one in upserts}
        for key in deleted:
            self.held.pop(key, None)

    def wrote(self, wrote: Wrote) -> None:
        """Keep what a write came to, as the engine does."""
        page = Delta(upserts=wrote.upserts, deleted=wrote.deleted)
        self.follower._apply(page, Read(pages=[]))
        self.take(wrote.upserts, wrote.deleted)

    def events(self, key: str) -> tuple[Event, ...]:
        return self.held[ResourceKey(key)].events

    def raw(self, key: str) -> RawResource:
        one = self.held[ResourceKey(key)]
        return RawResource(key=one.key, etag=one.etag, raw=one.raw)

    def asked(self) -> list[str]:
        """Return what was asked since the last call, parts of batches by themselves."""
        whole = [f"{one.method} {one.path.removeprefix('/v1.0')}" for one in self.server.asked]
        parts = [f"{one.method} {one.path}" for one in self.server.parts]
        self.server.asked.clear()
        self.server.parts.clear()
        return [one for one in whole if not one.endswith("$batch")] + parts

    def wait(self, days: float) -> None:
        self.clock.advance(timedelta(days=days))


@asynccontextmanager
async def graph_adapter(server: GraphServer, clock: FakeClock) -> AsyncIterator[GraphAdapter]:
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield GraphAdapter(Rim(session=lambda: session, clock=clock, settings=server.settings))


def graph_login(server: GraphServer) -> Login:
    return Login(provider="graph", refresh_token=Secret(server.tokens.refresh_token))


@asynccontextmanager
async def graph_desk(server: GraphServer) -> AsyncIterator[GraphDesk]:
    clock = FakeClock()
    async with graph_adapter(server, clock) as adapter:
        signed = await adapter.sign_in(graph_login(server))
        profile = Profile(
            id=ProfileId(1),
            user_id=UserId("acc_1"),
            provider="graph",
            login=signed.login,
            identity=signed.identity,
            settings=signed.settings,
            created=clock.now(),
            modified=clock.now(),
            state_since=clock.now(),
        )
        keys = FakeKeys(**{name: one.reveal() for name, one in signed.secrets.items()})
        async with adapter.open(profile, keys) as provider:
            yield GraphDesk(
                server=server,
                adapter=adapter,
                clock=clock,
                signed=signed,
                provider=provider,
                follower=Follower(provider, CalendarKey(server.work.key)),
                held={},
            )
