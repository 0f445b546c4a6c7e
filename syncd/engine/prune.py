"""Retention: streams lose what is too old or too much, a small step at a time (S9, K39, R17)."""

from datetime import timedelta

import structlog

from syncd.model.ids import ProfileId
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.store import Store

ANSWERS_KEPT = timedelta(hours=24)
ASKED_KEPT = timedelta(hours=24)  # what applications asked of people, behind its end
STEP = 500  # activities a transaction
_PROFILES = 1_000  # a read
_PAUSE = timedelta(milliseconds=10)  # between two steps, for other writers

log = structlog.get_logger()


class Pruner:
    """Cuts the beginnings of streams off."""

    def __init__(
        self, store: Store, clock: Clock, meter: Meter, *, days: int, activities: int = 0
    ) -> None:
        """Keep ``days``, and at most ``activities`` of a profile; 0 is no limit by count."""
        self._store = store
        self._clock = clock
        self._meter = meter
        self._kept = timedelta(days=days)
        self._most = activities or None

    async def prune(self) -> int:
        """Go once through all streams; return how many activities were cut off."""
        await self._forget()
        total = 0
        after: ProfileId | None = None
        while profiles := await self._store.stream_ids(after=after, limit=_PROFILES):
            for profile in profiles:
                total += await self._one(profile)
            after = profiles[-1]
        for subscription in await self._store.expire_subscriptions():
            log.warning("subscription.disabled", subscription_id=subscription, reason="expired")
            self._meter.count("subscriptions_disabled_total", reason="expired")
        self._meter.count("pruned_activities_total", total)
        return total

    async def _forget(self) -> None:
        """Remove answers that no key asks for any more (R17), and who did not come back (N3).

        So are invitations and codes that nobody used, access tokens that have expired, and old
        attempts to deliver (N18).
        """
        now, store = self._clock.now(), self._store
        for forget, before in (
            (store.forget_requests, now - ANSWERS_KEPT),
            (store.forget_consents, now),
            (store.forget_invitations, now - ASKED_KEPT),
            (store.forget_grants, now - ASKED_KEPT),
        ):
            while await forget(before=before, limit=STEP) >= STEP:
                await self._clock.sleep(_PAUSE)
        old = now - self._kept
        while await store.forget_deliveries(old, limit=STEP) == STEP:
            await self._clock.sleep(_PAUSE)

    async def _one(self, profile: ProfileId) -> int:
        total, before = 0, self._clock.now() - self._kept
        while True:
            cut = await self._store.prune(profile, before=before, keep=self._most, limit=STEP)
            total += cut
            if cut < STEP:
                await self._store.forget_managed(profile, before)
                return total
            await self._clock.sleep(_PAUSE)
