"""Pushing with a sink that does as it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from syncd.engine.deliver import Deliverer
from syncd.engine.hub import Hub
from syncd.engine.ledger import Ledger
from syncd.engine.link import Linking
from syncd.engine.notes import Notes
from syncd.engine.subscriptions import Subscriptions
from syncd.model.subscription import Format
from syncd.ports.clock import Clock
from syncd.ports.sink import Sink
from syncd.ports.store import Store
from syncd.runtime.outbound import Guard
from tests.fakes.meter import FakeMeter
from tests.fakes.sink import FakeSink
from tests.fakes.vault import FakeVault

PUBLIC = "https://syncd.example"


@asynccontextmanager
async def pushing(  # noqa: PLR0913 - what it touches
    store: Store,
    hub: Hub,
    linking: Linking,
    clock: Clock,
    sink: Sink | None = None,
    *,
    most: int = 1000,
) -> AsyncIterator[tuple[Subscriptions, Deliverer]]:
    """Push what the store holds; without jitter."""
    meter = FakeMeter()
    sinks = dict.fromkeys(Format, sink or FakeSink())
    async with Notes(store) as notes:
        ledger = Ledger(store, notes, linking, clock, meter, public_url=PUBLIC, draw=lambda: 0.5)
        async with Deliverer(store, hub, ledger, sinks, clock=clock, meter=meter) as deliverer:
            made = Subscriptions(
                *(store, FakeVault(), clock, deliverer, ledger),
                admits=Guard(()).admits,
                most=most,
            )
            yield made, deliverer
