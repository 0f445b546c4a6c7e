"""How many requests are out at once: in all, to a host, and to what failed last (F37)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 64
FAILING_AT_ONCE = 16  # of these: endpoints that hang must not take them all
A_HOST = 4

Turns = dict[tuple[str, str], tuple[asyncio.Semaphore, int]]


class Places:
    """Lends places; who waits at a host, or for its own last request, takes none of the others'."""

    def __init__(self) -> None:
        """Begin with all free."""
        self._well = asyncio.Semaphore(AT_ONCE - FAILING_AT_ONCE)
        self._failing = asyncio.Semaphore(FAILING_AT_ONCE)
        self._turns: Turns = {}

    @property
    def idle(self) -> bool:
        """Tell whether nobody has a place, nor waits for one."""
        return not self._turns

    @asynccontextmanager
    async def one(self, subscription: str, host: str, *, failing: bool) -> AsyncIterator[None]:
        """Wait until the subscription has none, for a place at its host, then for one of all."""
        alone, here = ("subscription", subscription), ("host", host)
        async with (
            _Turn(self._turns, alone, 1),
            _Turn(self._turns, here, A_HOST),
            self._failing if failing else self._well,
        ):
            yield


class _Turn:
    """A semaphore by name, as long as somebody has it or waits for it."""

    def __init__(self, turns: Turns, name: tuple[str, str], at_once: int) -> None:
        self._turns, self._name, self._at_once = turns, name, at_once

    async def __aenter__(self) -> None:
        turn, users = self._turns.get(self._name) or (asyncio.Semaphore(self._at_once), 0)
        self._turns[self._name] = (turn, users + 1)
        try:
            await turn.acquire()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._leave().release()

    def _leave(self) -> asyncio.Semaphore:
        turn, users = self._turns.pop(self._name)
        if users > 1:
            self._turns[self._name] = (turn, users - 1)
        return turn
