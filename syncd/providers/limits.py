"""How often a request is tried in one poll (providers.md §3, Transient)."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from syncd.ports.clock import Clock
from syncd.providers.answers import PassingError

TRIES = 3
_SHORTEST = timedelta(seconds=0.5)
_LONGEST = timedelta(seconds=8)

T = TypeVar("T")


async def retried(attempt: Callable[[], Awaitable[T]], clock: Clock, *, tries: int = TRIES) -> T:
    """Return what ``attempt`` returns, after full jitter where it raises PassingError."""
    for failed in range(tries - 1):
        try:
            return await attempt()
        except PassingError:
            most = min(_SHORTEST * 4**failed, _LONGEST)
            await clock.sleep(most * random.random())  # noqa: S311 - jitter, not a secret
    return await attempt()
