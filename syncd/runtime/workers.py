"""Series are expanded in processes that their parent kills when over budget (F19).

A rule is a program that strangers write: some of a hundred bytes run for minutes. The daemon's
loop never steps through one; a worker does, for at most half a second of CPU each.
"""

import asyncio
import pickle
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import structlog

from syncd.formats.expand import Expansion, Recurring
from syncd.runtime.expander import LENGTH, READY

BUDGET_SECONDS = 0.5  # of CPU, a series
PATIENCE_SECONDS = 5.0  # of wall time, a series, on a machine that has no CPU to give
START_SECONDS = 20.0
AT_ONCE = 2

log = structlog.get_logger()


class ExpansionWorkers:
    """Processes that are started when first needed and kept; obeys ``engine.browse.Expand``."""

    def __init__(self, *, at_once: int = AT_ONCE, budget_seconds: float = BUDGET_SECONDS) -> None:
        """Start nothing yet."""
        self._budget = budget_seconds
        self._free = asyncio.LifoQueue[_Worker]()  # the one used last is the one that runs
        for _ in range(at_once):
            self._free.put_nowait(_Worker())

    async def __call__(
        self, series: Sequence[Recurring], after: datetime, before: datetime, limit: int
    ) -> Sequence[Expansion | None]:
        """Expand each within (after, before); None for one that is refused or over its time."""
        if not series:
            return ()
        worker = await self._free.get()
        try:
            return [await worker.ask((one, after, before, limit), self._budget) for one in series]
        finally:
            self._free.put_nowait(worker)

    async def close(self) -> None:
        """End the processes; nobody may be asking."""
        while not self._free.empty():
            await self._free.get_nowait().end()


class _Worker:
    """One child, or none while it is not needed."""

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None

    async def ask(self, question: object, budget: float) -> Expansion | None:
        """Return the answer; None, and the child is gone, if it takes too long."""
        try:
            child = self._child or await self._start()
            self._send(child, pickle.dumps(question))
            # what comes through this pipe was written by our own child
            answer = pickle.loads(await _within(child, budget))  # noqa: S301 - see above
        except (TimeoutError, asyncio.IncompleteReadError, OSError):
            log.info("expansion.ended", outcome="over_budget")
            await self.end()
            return None
        except asyncio.CancelledError:  # the answer would be taken for the next question's
            await self.end()
            raise
        return answer if isinstance(answer, Expansion) else None

    async def end(self) -> None:
        """Kill the child, if there is one."""
        child, self._child = self._child, None
        if child is not None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _start(self) -> asyncio.subprocess.Process:
        self._child = child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "syncd.runtime.expander",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(START_SECONDS):
            if await _read(child, LENGTH.size + len(READY)) != LENGTH.pack(len(READY)) + READY:
                raise OSError("the worker did not start")
        return child

    def _send(self, child: asyncio.subprocess.Process, frame: bytes) -> None:
        if child.stdin is not None:
            child.stdin.write(LENGTH.pack(len(frame)) + frame)


async def _within(child: asyncio.subprocess.Process, budget: float) -> bytes:
    """Return the next frame; raises TimeoutError once it has cost ``budget`` seconds of CPU."""
    latest = time.monotonic() + PATIENCE_SECONDS
    costly = _cpu_seconds(child.pid) + budget

    async def exactly(size: int) -> bytes:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(budget):
                    return await _read(child, size)  # takes nothing unless it takes all
            if _cpu_seconds(child.pid) >= costly or time.monotonic() >= latest:
                raise TimeoutError

    (length,) = LENGTH.unpack(await exactly(LENGTH.size))
    return await exactly(length)


async def _read(child: asyncio.subprocess.Process, size: int) -> bytes:
    if child.stdout is None:
        raise OSError("the worker has no pipe")
    return await child.stdout.readexactly(size)


def _cpu_seconds(pid: int) -> float:
    """Return what a child has used, by its CPU clock (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)
