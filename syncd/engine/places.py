"""How many requests are out at once: in all, to a host, and to what failed last (F37)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 64
FAILING_AT_ONCE = 16  # of these: endpoints that hang must not take them all
A_HOST = 4


class Places:
    """Lends places; a host's queue takes none of the others'."""

    def __init__(self) -> None:
        """Begin with all free."""
        self._well = asyncio.Semaphore(AT_ONCE - FAILING_AT_ONCE)
        self._failing = asyncio.Semaphore(FAILING_AT_ONCE)
        self._hosts = dict[str, tuple[asyncio.Semaphore, int]]()

    @asynccontextmanager
    async def one(self, host: str, *, failing: bool) -> AsyncIterator[None]:
        """Wait for a place at a host, then for one of all, and hold both."""
        turn, users = self._hosts.get(host, (asyncio.Semaphore(A_HOST), 0))
        self._hosts[host] = (turn, users + 1)
        try:
            async with turn, self._failing if failing else self._well:
                yield
        finally:
            turn, users = self._hosts.pop(host)
            if users > 1:
                self._hosts[host] = (turn, users - 1)
