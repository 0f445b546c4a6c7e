"""Healthy endpoints beside bad ones: what it costs them in time (F37)."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from syncd.engine.deliver import Deliverer
from tests.bench.webhooks import Hooks, Pushed, pushed, served_hooks

WAYS = 10
PAUSE = 0.2  # seconds between two records


@contextmanager
def served_badly(each: int) -> Iterator[list[str]]:
    command = [sys.executable, "-m", "tests.bench.bad_serve", str(each)]
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
        process.stdin.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """The 99th percentile of seconds from a record to a healthy endpoint, of each round."""

    without: Sequence[float]
    beside: Sequence[float]
    tried: int  # attempts at bad endpoints

    @property
    def ratio(self) -> float:
        """Return how many times longer it takes beside bad ones."""
        return statistics.median(self.beside) / statistics.median(self.without)


async def delays(folder: Path, *, good: int, each: int, records: int, rounds: int) -> Delays:
    """Tell ``good`` endpoints of records, in turn without and with ``each`` bad ones a way."""
    without, beside, tried = list[float](), list[float](), 0
    with served_hooks(good) as hooks, served_badly(each) as bad_urls:
        assert len(bad_urls) == WAYS * each
        async with pushed(folder) as here, ticking(here.deliverer):
            bad = await here.subscribe(bad_urls)
            for one in bad:
                await here.subscriptions.enable(one.id, enabled=False)
            await here.subscribe(hooks.urls)
            await told(here, hooks, 1)  # connections are open
            for _ in range(rounds):
                without.append(await told(here, hooks, records))
                for one in bad:
                    await here.subscriptions.enable(one.id, enabled=True)
                beside.append(await told(here, hooks, records))
                for one in bad:
                    await here.subscriptions.enable(one.id, enabled=False)
            for one in bad:
                tried += len(await here.store.deliveries(one.id, limit=1000))
    return Delays(without=without, beside=beside, tried=tried)


@asynccontextmanager
async def ticking(deliverer: Deliverer) -> AsyncIterator[None]:
    """Let what is due be tried again, as the daemon's schedule does."""

    async def tick() -> None:
        while True:
            await deliverer.tick()
            await asyncio.sleep(1)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(tick())
        yield
        task.cancel()


async def told(here: Pushed, hooks: Hooks, records: int) -> float:
    """Record a change from time to time; return the 99th percentile of their ways."""
    begun = list[float]()
    for _ in range(records):
        await here.record(1)
        begun.append(time.monotonic())
        await here.deliverer.wake(here.profile)
        await asyncio.sleep(PAUSE)
    arrived = dict[str, list[float]]()
    async with asyncio.timeout(60):
        while sum(map(len, arrived.values())) < records * len(hooks.urls):
            for at, host, _ in await asyncio.to_thread(hooks.arrived):
                arrived.setdefault(host, []).append(at)
            await asyncio.sleep(0.05)
    taken = sorted(
        at - since
        for times in arrived.values()
        for at, since in zip(times, begun, strict=True)  # each host's come in order
    )
    return taken[len(taken) * 99 // 100]
