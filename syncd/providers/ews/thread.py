"""Blocking work of one profile in a thread of its own (E2, ADR 27)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from syncd.providers.ews.line import Line

AT_ONCE = 8  # profiles that have a thread at work
LONGEST = timedelta(seconds=130)  # of one piece of work, however a server drips (O4)

T = TypeVar("T")


class Thread:
    """Runs one piece of work after the other.

    ``turn`` admits one piece of a profile, however often it is open; ``gate`` admits ``AT_ONCE``
    of all profiles.
    """

    def __init__(self, line: Line, turn: asyncio.Lock, gate: asyncio.Semaphore) -> None:
        """Start nothing before there is work."""
        self._line = line
        self._turn = turn
        self._gate = gate
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ews")

    async def run(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns; a caller that is cancelled leaves no thread at work.

        Then, and for TimeoutError after ``LONGEST``, the line is cut, so that the wait is short;
        nothing more can be done with it.
        """
        async with self._turn, self._gate:
            running = asyncio.get_running_loop().run_in_executor(self._pool, work)
            try:
                async with asyncio.timeout(LONGEST.total_seconds()):
                    return await asyncio.shield(running)
            except (asyncio.CancelledError, TimeoutError):
                self._line.cut()
                await _ended(running)
                raise

    def close(self) -> None:
        """End the thread, which has no work any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


async def _ended(running: "asyncio.Future[T]") -> None:
    while not running.done():
        try:
            await asyncio.wait({running})
        except asyncio.CancelledError:  # a second one changes nothing
            continue
    if not running.cancelled():
        running.exception()  # seen, and of no interest to anybody
