"""How often a request is tried in one poll, and how many may be sent (providers.md §3, P13)."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from aiolimiter import AsyncLimiter

from syncd.model.errors import ThrottledError
from syncd.model.ids import ProfileId
from syncd.ports.clock import Clock
from syncd.providers.answers import PassingError

TRIES = 3
_SHORTEST = timedelta(seconds=0.5)
_LONGEST = timedelta(seconds=8)
_MINUTE = 60.0

T = TypeVar("T")


async def retried(
    attempt: Callable[[], Awaitable[T]],
    clock: Clock,
    *,
    tries: int = TRIES,
    on: type[PassingError] = PassingError,
) -> T:
    """Return what ``attempt`` returns, after full jitter where it raises ``on``."""
    for failed in range(tries - 1):
        try:
            return await attempt()
        except on:
            most = min(_SHORTEST * 4**failed, _LONGEST)
            await clock.sleep(most * random.random())  # noqa: S311 - jitter, not a secret
    return await attempt()


class SpentError(ThrottledError):
    """The quota of the whole application is spent, not that of one profile (P13).

    ``lasts`` is for how long nobody is asked where the provider names no time.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: timedelta | None = None,
        lasts: timedelta = timedelta(seconds=_MINUTE),
    ) -> None:
        """Say why."""
        super().__init__(message, retry_after=retry_after)
        self.lasts = lasts


class Limits:
    """What one registered application may ask its provider, in all and for one profile (P13).

    Rates are a minute's; who is too fast waits. Once the quota of all is spent nobody is asked
    until it is there again.
    """

    def __init__(self, clock: Clock, *, per_minute: int, per_profile: int) -> None:
        """Allow ``per_minute`` requests in all, and ``per_profile`` of them for each profile."""
        self._clock = clock
        self._all = AsyncLimiter(per_minute, _MINUTE)
        self._per_profile = per_profile
        self._profiles = dict[ProfileId, AsyncLimiter]()
        self._closed_until = 0.0  # monotonic

    async def turn(self, profile: ProfileId | None) -> None:
        """Return when a request may be sent; raises SpentError while the quota is spent."""
        self._check()
        if profile is not None:
            own = self._profiles.get(profile)
            if own is None:
                own = self._profiles[profile] = AsyncLimiter(self._per_profile, _MINUTE)
            await own.acquire()
        await self._all.acquire()
        self._check()  # it may have been spent meanwhile

    def spent(self, wait: timedelta) -> None:
        """Ask nobody for so long."""
        until = self._clock.monotonic() + wait.total_seconds()
        self._closed_until = max(self._closed_until, until)

    def _check(self) -> None:
        left = self._closed_until - self._clock.monotonic()
        if left > 0:
            raise SpentError(
                "the quota of this application is spent", retry_after=timedelta(seconds=left)
            )
