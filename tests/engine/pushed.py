"""A store with two profiles, and pushing over it, as the tests of pushing begin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from syncd.engine.deliver import Deliverer
from syncd.engine.hub import Hub
from syncd.engine.link import Linking
from syncd.engine.subscriptions import Subscriptions
from syncd.model.ids import ProfileId
from syncd.model.subscription import Subscription
from syncd.ports.sink import Message, Receipt
from syncd.store.open import SqlStore
from tests.engine.pushing import pushing
from tests.fakes.clock import FakeClock
from tests.fakes.linker import FakeLinker
from tests.fakes.sink import FakeSink, refused
from tests.fakes.vault import FakeVault
from tests.store.opening import NOON, opened
from tests.store.samples import USER, a_record, with_profile

URL = "https://app.example/hook"
SECOND = timedelta(seconds=1)


class Ground:
    """A store with two profiles of one user, and pushing over it; ``restart`` ends and begins."""

    def __init__(self, store: SqlStore, clock: FakeClock) -> None:
        self.store, self.clock, self.hub, self.sink = store, clock, Hub(), FakeSink()
        self.subscriptions: Subscriptions
        self.deliverer: Deliverer
        self._numbers = iter(range(10**6))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        linking = Linking(self.store, FakeLinker(), FakeVault(), self.clock, self.hub)
        made = pushing(self.store, self.hub, linking, self.clock, self.sink)
        async with made as (self.subscriptions, self.deliverer):
            await self.deliverer.tick()
            yield

    async def subscribe(self, url: str = URL, **fields: object) -> Subscription:
        start = str(fields.pop("start", "now"))
        plain = {"id": "", "url": url, "created": NOON, "secrets": (), "user_id": USER}
        asked = Subscription(**{**plain, **fields})  # type: ignore[arg-type]  # checked at run time
        made, _ = await self.subscriptions.add(asked, start=start)
        return made

    async def append(self, profile: int = 1, *names: str) -> None:
        found = await self.store.profile(ProfileId(profile))
        records = [
            a_record(
                name,
                body=b'{"type":"add","metadata":{"id":"%s"},"recorded_at":"2026-11-20T12:00:00Z"}'
                % name.encode(),
            )
            for name in names or (f"e{next(self._numbers)}",)
        ]
        await self.store.save_profile(found, records=records)
        await self.deliverer.wake(ProfileId(profile))

    async def settled(self, later: timedelta = timedelta()) -> None:
        """Let what is due be sent, ``later`` if that is asked for."""
        self.clock.advance(later)
        await self.deliverer.tick()
        await self.deliverer.settled()

    def arrived(self, url: str = URL) -> list[tuple[int, str]]:
        return [(int(one.profile_id or 0), one.object_id) for one in self.sink.arrived[url]]

    async def seen(self, subscription: Subscription) -> Subscription:
        return await self.store.subscription(subscription.id)


@asynccontextmanager
async def pushed(folder: Path) -> AsyncIterator[Ground]:
    """Two profiles, and nothing pushed yet."""
    clock = FakeClock(NOON)
    async with opened(folder, clock=clock) as store, pushed_from(store, clock) as made:
        yield made


@asynccontextmanager
async def pushed_from(store: SqlStore, clock: FakeClock) -> AsyncIterator[Ground]:
    """Two profiles in an empty store."""
    await with_profile(store, 1)
    await with_profile(store, 2)
    made = Ground(store, clock)
    async with made.running():
        yield made


def down(_url: str, _message: Message) -> Receipt:
    return refused(503)
