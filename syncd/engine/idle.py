"""Profiles that nobody polls: their sign-ins are used once a day, or they would die (F26, G11)."""

from datetime import timedelta

import structlog

from syncd.model.errors import SyncdError
from syncd.model.ids import ProfileId
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.provider import Perishable, Providers
from syncd.ports.store import Store

IDLE = timedelta(hours=12)  # without a poll that went well
_PROFILES = 1_000  # a read

log = structlog.get_logger()


class Idle:
    """Looks after paused profiles, and those that are polled less than twice a day."""

    def __init__(self, store: Store, providers: Providers, clock: Clock) -> None:
        """Open profiles at ``providers``."""
        self._store = store
        self._providers = providers
        self._clock = clock

    async def keep_alive(self) -> None:
        """Go once through all profiles; call it every hour.

        What a provider answers is no news here: a refusal counts when the profile is polled.
        """
        after: ProfileId | None = None
        while profiles := await self._store.profiles(after=after, limit=_PROFILES):
            for profile in profiles:
                if self._is_idle(profile):
                    await self._use(profile)
            after = profiles[-1].id

    def _is_idle(self, profile: Profile) -> bool:
        if profile.refused is not None:
            return False
        polled = profile.polled_at
        return profile.paused or polled is None or self._clock.now() - polled > IDLE

    async def _use(self, profile: Profile) -> None:
        try:
            async with self._providers.open(profile) as provider:
                if isinstance(provider, Perishable):
                    await provider.keep_alive()
        except SyncdError as error:
            log.info("grant.unused", profile_id=profile.id, reason=str(error))
