"""What one daemon of all those on a database does: it polls, pushes and prunes (ADR 50)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from syncd.engine.deliver import Deliverer
from syncd.model.errors import TransientError
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.runtime.metrics import Metrics

LOOK_EVERY = timedelta(seconds=5)

log = structlog.get_logger()


class Rounds:
    """Knows whether they are ours; whoever asks ``here`` does nothing meanwhile if they are not."""

    def __init__(self, store: Store, deliverer: Deliverer, clock: Clock, metrics: Metrics) -> None:
        """Leave them to others until ``take``."""
        self._store = store
        self._deliverer = deliverer
        self._clock = clock
        self._metrics = metrics
        self._here = False

    @property
    def here(self) -> bool:
        """Tell whether this daemon does them."""
        return self._here

    def look_again(self) -> None:
        """Find what there is to be pushed: news of it may have been missed."""
        if self._here:
            self._deliverer.resume()

    async def take(self) -> None:
        """Do them whenever no other daemon does; until cancelled."""
        await self._leave()
        told = False  # once an outage
        while True:
            try:
                async with self._store.duty() as still:
                    told = False
                    if still is not None:
                        await self._do(still)
            except TransientError as error:
                if not told:
                    log.warning("rounds.interrupted", why=str(error))
                told = True
            await self._clock.sleep(LOOK_EVERY)

    async def _do(self, still: Callable[[], Awaitable[None]]) -> None:
        self._here = True
        self._deliverer.resume()
        self._metrics.show({"rounds_here": 1})
        log.info("rounds.taken")
        try:
            while True:
                await self._clock.sleep(LOOK_EVERY)
                await still()
        except Exception:
            await self._leave()  # before another daemon's become too many
            raise

    async def _leave(self) -> None:
        self._here = False
        self._metrics.show({"rounds_here": 0})
        await self._deliverer.rest()
