"""Recording what a write touched like a page of a poll, never older over newer (ADR 11, I1, I5)."""

import asyncio
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from syncd.engine.hub import Hub
from syncd.engine.meaning import meaning
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import StaleStateError
from syncd.model.ids import CalendarId
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.delta import Delta
from syncd.ports.store import Store

TRIES = 8  # each lost to a poll, or to another process, that recorded in between


class Recorder:
    """Writes down what the provider answered; writers of one calendar take turns at it."""

    def __init__(self, store: Store, hub: Hub, clock: Clock) -> None:
        """Record in ``store`` and wake readers by ``hub``."""
        self._store = store
        self._hub = hub
        self._clock = clock
        self._turns = WeakValueDictionary[CalendarId, asyncio.Lock]()

    async def record(
        self,
        profile: Profile,
        before: KnownCalendar,
        page: Delta,
        again: Callable[[], Awaitable[Delta]],
    ) -> None:
        """Record ``page``, which the provider told after ``before`` was read.

        If anything was recorded since, it may be newer than ``page``: then the row is read again
        and the same resources are asked for ``again``, in this order. Raises NotFoundError if the
        calendar or the profile is gone, StaleStateError if this never ends.
        """
        turn = self._turns.setdefault(before.id, asyncio.Lock())
        async with turn:
            known = before
            for _ in range(TRIES):
                try:
                    await self._try(profile, known, page)
                except StaleStateError:
                    profile = await self._store.profile(profile.id)
                    known = await self._store.calendar(before.id)
                    page = await again()
                else:
                    return
        raise StaleStateError(f"calendar {before.id} changes faster than it can be written")

    async def _try(self, profile: Profile, known: KnownCalendar, page: Delta) -> None:
        keys = {one.key for one in page.upserts} | page.deleted
        seen = await self._store.seen(known.id, keys)
        change = await meaning(self._store, known, page, seen, at=self._clock.now())
        await self._store.record(known, change, generation=profile.generation)
        if change.records:
            self._hub.wake(profile.id)
