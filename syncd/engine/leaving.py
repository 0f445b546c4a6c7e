"""Giving grants back to providers, but none that another profile lives by (api.md K5, N4)."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

import structlog

from syncd.model.errors import SyncdError
from syncd.model.profile import Profile
from syncd.ports.link import Linker, SignedIn
from syncd.ports.store import Store

PATIENCE = timedelta(seconds=10)  # somebody waits for the answer

log = structlog.get_logger()


class Leaving:
    """Asks providers to honour a grant no longer; where they do not answer, it is dropped.

    Google ends all grants that one person gave one client together, so a grant is kept as long as
    somebody else's profile is of the same person.
    """

    def __init__(self, store: Store, linker: Linker) -> None:
        """Ask by ``linker``."""
        self._store = store
        self._linker = linker

    async def give_back(self, provider: str, signed: SignedIn) -> bool:
        """Give back a new grant that nothing was made of; tell whether that was done (N4)."""
        if await self._store.profiles_of_person(provider, signed.identity):
            return False
        return await self._asked(provider, self._linker.give_up(provider, signed.secrets))

    async def leave(self, profile: Profile) -> bool:
        """Give back the grant of a profile that is about to go; tell whether that was done (K5)."""
        same = await self._store.profiles_of_person(profile.provider, profile.identity)
        if any(one.id != profile.id for one in same):
            return False
        return await self._asked(profile.provider, self._linker.leave(profile))

    async def _asked(self, provider: str, asked: Awaitable[bool]) -> bool:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                return await asked
        except (SyncdError, TimeoutError) as error:
            log.warning("grant.kept", provider=provider, error=str(error))
            return False
