"""A profile at a real server, polled for real into a real store, replayed and compared."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import orjson
from aiohttp import ClientSession

from syncd.engine.browse import Browser
from syncd.engine.hub import Hub
from syncd.engine.link import Linking
from syncd.engine.plan import Plan
from syncd.engine.poll import Polled, Poller
from syncd.engine.write import Writer
from syncd.engine.written import Written
from syncd.model.access import User
from syncd.model.activity import Filter, Kind
from syncd.model.ids import Position, ProfileId, UserId
from syncd.model.profile import Profile
from syncd.ports.link import Login
from syncd.ports.store import Store
from syncd.ports.vault import Secret
from syncd.providers.kind import Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from syncd.runtime.vault import open_ring, write_ring
from tests.api.serving import inline
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter
from tests.servers.caldav import CalDavServer
from tests.store.opening import opened
from tests.witness import Neutral, Replay, Witness

USER = UserId("acc_contract")
NOBODY = ProfileId(0)  # until connected
PAUSE = timedelta(seconds=90)  # between two polls: longer than any interval or back-off meant here


@dataclass(slots=True, kw_only=True)
class Rig:
    """``poll`` as the schedule would, then ``agree``: the stream says what the server holds."""

    server: CalDavServer
    witness: Witness
    store: Store
    clock: FakeClock
    poller: Poller
    linking: Linking
    opener: Opener
    writer: Writer
    meter: FakeMeter
    profile_id: ProfileId = NOBODY
    replay: Replay = field(default_factory=Replay)

    async def connect(self) -> Profile:
        profile = await self.linking.connect(USER, self.login())
        self.profile_id = profile.id
        return profile

    def login(self, password: str | None = None) -> Login:
        return Login(
            provider=self.server.provider,
            url=self.server.url,
            username=self.server.username,
            password=Secret(password or self.server.password),
        )

    async def profile(self) -> Profile:
        return await self.store.profile(self.profile_id)

    async def poll(self, times: int = 1) -> Polled:
        polled = Polled(activities=0)
        for _ in range(times):
            self.clock.advance(PAUSE)
            polled = await self.poller.poll(await self.profile(), listing=True)
        return polled

    async def drain(self) -> dict[str, int]:
        """Apply what is new in the stream; return how many records of each type came."""
        before = dict(self.replay.counts)
        while True:
            after = Position(self.replay.position)
            _, found = await self.store.read(
                self.profile_id, after=after, limit=500, wanted=Filter(kinds=frozenset(Kind))
            )
            if not found:
                break
            self.replay.apply(orjson.loads(one.body) for one in found)
        return {name: count - before[name] for name, count in self.replay.counts.items()}

    async def agree(self) -> Neutral:
        """Compare the replayed stream with the server as the independent client reads it."""
        await self.drain()
        at = self.server.held
        held = await self.witness.read(url=at.url, username=at.username, password=at.password)
        told = self.replay.neutral()
        assert told.keys() == held.keys()
        for calendar, events in held.items():
            assert told[calendar] == events, calendar
        return held

    async def step(self, **expected: int) -> Neutral:
        """Poll and compare; the poll told exactly these adds, updates and deletes of objects."""
        polled = await self.poll()
        assert polled.error is None
        told = await self.drain()
        assert told == {"add": 0, "update": 0, "delete": 0, **expected}
        return await self.agree()


@asynccontextmanager
async def rigged(server: CalDavServer, folder: Path, witness: Witness) -> AsyncIterator[Rig]:
    """Yield a rig whose profile is not yet connected."""
    clock, hub, meter = FakeClock(), Hub(), FakeMeter()
    write_ring(folder / "keys")
    vault = open_ring(folder / "keys")
    plan = Plan(default_interval=timedelta(seconds=60), default_reconcile=timedelta(days=1))
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(folder, clock=clock))
        http = await stack.enter_async_context(ClientSession())
        rim = Rim(session=lambda: http, clock=clock, settings=server.settings)
        opener = Opener(KINDS, rim, store, vault)
        await store.add_user(User(id=USER, name="contract", created=clock.now()))
        browser, written = Browser(store, inline, clock), Written(clock)
        writer = await stack.enter_async_context(
            Writer(store, opener, browser, hub, clock, written=written)
        )
        yield Rig(
            server=server,
            witness=witness,
            store=store,
            clock=clock,
            poller=Poller(
                store, opener, hub, clock, meter, plan, draw=lambda: 0.5, written=written
            ),
            linking=Linking(store, opener, vault, clock, hub),
            opener=opener,
            writer=writer,
            meter=meter,
        )
