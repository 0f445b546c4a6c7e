"""A profile at a stage, polled for real into a real store, replayed and compared."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import orjson
from aiohttp import ClientSession, DummyCookieJar, TCPConnector

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
from syncd.model.profile import Profile, Reason
from syncd.ports.link import Login
from syncd.ports.store import Store
from syncd.ports.vault import Vault
from syncd.providers.kind import Rim
from syncd.providers.opener import Opener
from syncd.providers.registry import KINDS
from syncd.runtime.vault import open_ring, write_ring
from tests.api.serving import inline
from tests.contract.stage import Stage
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter
from tests.store.opening import opened
from tests.witness import Neutral, Replay, in_order

USER = UserId("acc_contract")
NOBODY = ProfileId(0)  # until connected
PAUSE = timedelta(seconds=90)  # between two polls: longer than any interval or back-off meant here
Json = dict[str, Any]
S = TypeVar("S", bound=Stage)


@dataclass(slots=True, kw_only=True)
class Rig(Generic[S]):
    """``poll`` as the schedule would, then ``agree``: the stream says what the stage holds.

    ``seen`` is how syncd is told the stage's addresses: as they are, or those of a proxy.
    """

    stage: S
    store: Store
    clock: FakeClock
    poller: Poller
    linking: Linking
    opener: Opener
    writer: Writer
    meter: FakeMeter
    vault: Vault
    seen: Callable[[str], str]
    profile_id: ProfileId = NOBODY
    replay: Replay = field(default_factory=Replay)

    async def connect(self) -> Profile:
        profile = await self.linking.connect(USER, self.login())
        self.profile_id = profile.id
        return profile

    def login(self) -> Login:
        login = self.stage.login()
        return replace(login, url=self.seen(login.url))

    @property
    def refusal(self) -> Reason:
        """Why a profile of this provider is disconnected once its sign-in has died (N9)."""
        granted = self.stage.login().refresh_token is not None
        return Reason.INVALID_GRANT if granted else Reason.CREDENTIALS_REFUSED

    async def profile(self) -> Profile:
        return await self.store.profile(self.profile_id)

    async def poll(self, times: int = 1, *, pause: timedelta = PAUSE) -> Polled:
        polled = Polled(activities=0)
        for _ in range(times):
            self.clock.advance(pause)
            polled = await self.poller.poll(await self.profile(), listing=True)
        return polled

    async def news(self) -> list[Json]:
        """Apply what is new in the stream, and return it."""
        records = list[Json]()
        while True:
            after = Position(self.replay.position)
            _, found, _ = await self.store.read(
                self.profile_id, after=after, limit=500, wanted=Filter(kinds=frozenset(Kind))
            )
            if not found:
                return records
            some = [orjson.loads(one.body) for one in found]
            self.replay.apply(some)
            records += some

    async def told(self) -> list[tuple[str, str]]:
        """Apply what is new in the stream; return type and name of events and calendars."""
        told = [
            one for one in await self.news() if one["metadata"]["type"] in {"event", "calendar"}
        ]
        return sorted((one["type"], one["metadata"]["name"]) for one in told)

    def named(self, name: str) -> Json:
        """Return the event of this name as the stream has told it."""
        return next(one for one in self.replay.events.values() if one["name"] == name)

    async def drain(self) -> dict[str, int]:
        """Apply what is new in the stream; return how many records of each type came."""
        before = dict(self.replay.counts)
        await self.news()
        return {name: count - before[name] for name, count in self.replay.counts.items()}

    async def agree(self) -> Neutral:
        """Compare the replayed stream with the stage as an independent client reads it."""
        await self.drain()
        held = await self.truth()
        told = self.replay.neutral()
        assert told == held, differences(told, held)
        return held

    async def truth(self) -> Neutral:
        """Return what the stage holds, events in the order of ``Replay.neutral``."""
        held = await self.stage.truth()
        return {calendar: in_order(events) for calendar, events in held.items()}

    async def step(self, **expected: int) -> Neutral:
        """Poll and compare; the poll told exactly these adds, updates and deletes of objects."""
        polled = await self.poll()
        assert polled.error is None
        told = await self.drain()
        assert told == {"add": 0, "update": 0, "delete": 0, **expected}
        return await self.agree()

    async def account_states(self) -> list[str]:
        """Return every state that the stream told of the profile, from the beginning."""
        wanted = Filter(kinds=frozenset({Kind.ACCOUNT}))
        _, found, _ = await self.store.read(
            self.profile_id, after=Position(0), limit=1000, wanted=wanted
        )
        return [orjson.loads(one.body)["metadata"]["state"] for one in found]


def differences(told: Neutral, held: Neutral) -> list[str]:
    """Return what only one of both says."""
    sides = (("told", told, held), ("held", held, told))
    return [
        f"only {side}: {calendar}: {event}"
        for side, one, other in sides
        for calendar, events in one.items()
        for event in events or [{}]
        if event not in other.get(calendar, []) and (events or calendar not in other)
    ]


def plainly(text: str) -> str:
    """Return an address as it is."""
    return text


@asynccontextmanager
async def rigged(  # noqa: PLR0913 - how it may differ from most
    stage: S,
    folder: Path,
    *,
    seen: Callable[[str], str] = plainly,
    connector: Callable[[], TCPConnector] = TCPConnector,
    draw: float = 0.5,
    reconcile: timedelta = timedelta(days=1),
) -> AsyncIterator[Rig[S]]:
    """Yield a rig whose profile is not yet connected.

    ``connector`` makes its way out; ``draw`` is how the dice fall where times are jittered;
    ``reconcile`` is how often everything is listed.
    """
    clock, hub, meter = FakeClock(), Hub(), FakeMeter()
    write_ring(folder / "keys")
    vault = open_ring(folder / "keys")
    plan = Plan(default_interval=timedelta(seconds=60), default_reconcile=reconcile)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(folder, clock=clock))
        http = await stack.enter_async_context(
            ClientSession(connector=connector(), cookie_jar=DummyCookieJar())
        )
        rim = Rim(
            session=lambda: http,
            clock=clock,
            settings=_seen(stage.settings, seen),
            admits=lambda *_: True,
        )
        opener = Opener(KINDS, rim, store, vault)
        await store.add_user(User(id=USER, name="contract", created=clock.now()))
        browser, written = Browser(store, inline, clock), Written(clock)
        writer = await stack.enter_async_context(
            Writer(store, opener, browser, hub, clock, written=written)
        )
        yield Rig(
            stage=stage,
            store=store,
            clock=clock,
            poller=Poller(
                store, opener, hub, clock, meter, plan, draw=lambda: draw, written=written
            ),
            linking=Linking(store, opener, vault, clock, hub),
            opener=opener,
            writer=writer,
            meter=meter,
            vault=vault,
            seen=seen,
        )


def _seen(
    settings: Mapping[str, Mapping[str, str]], seen: Callable[[str], str]
) -> dict[str, dict[str, str]]:
    return {
        provider: {key: seen(value) for key, value in told.items()}
        for provider, told in settings.items()
    }
