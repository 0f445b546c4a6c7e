"""Server-sent events in the bench: many readers, some of which never read, beside a naive loop."""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from syncd.api.parts import Pace
from syncd.api.sse import message
from syncd.api.streams import OPEN
from syncd.model.activity import Kind, Record, Type
from syncd.model.ids import Cursor
from syncd.runtime.heap import settle_heap
from tests.api.serving import Api, serving
from tests.bench.test_page import stored

A_TOKEN = 100  # requests at once (R16)
SMALL = b"{" + stored(1).partition(b",")[2]
LARGE = SMALL[:-1] + b',"padding":"%b"}' % (b"x" * 10_000)
MIB = 1 << 20


class Clients:
    """Readers in a process of their own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator["Clients"]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.sse_clients"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield cls(process)
        finally:
            process.kill()
            await process.wait()

    async def do(self, **told: Any) -> None:  # noqa: ANN401 - JSON
        """Return when it is done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(told).encode() + b"\n")
        assert await self._process.stdout.readline() == b"done\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fanout:
    """CPU seconds of one record to one reader: ours with reading the store, and a naive loop's."""

    readers: int
    at_once: int  # records that are there when readers are woken
    ours: float
    naive: float

    @property
    def share(self) -> float:
        """Return our deliveries per CPU second as a part of the naive loop's."""
        return self.naive / self.ours


async def record(api: Api, count: int, body: bytes = SMALL) -> None:
    """Record changes; nobody is woken yet."""
    store, profile = api.ground.store, api.ground.profile_id
    plain = {"kind": Kind.EVENT, "type": Type.ADD, "object_id": "event1"}
    records = [Record(**plain, body=body, recorded_at=api.clock.now())] * count  # type: ignore[arg-type]
    for at in range(0, count, 500):
        await store.save_profile(await store.profile(profile), records=records[at : at + 500])


@asynccontextmanager
async def naive(queues: list[asyncio.Queue[bytes]]) -> AsyncIterator[TestServer]:
    """Serve the loop that everybody writes first: a queue a client, a write a message."""

    async def follow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        queue = asyncio.Queue[bytes]()
        queues.append(queue)
        while True:
            await response.write(await queue.get())

    app = web.Application()
    app.router.add_get("/", follow)
    server = TestServer(app)
    await server.start_server()
    try:
        yield server
    finally:
        await server.close()


async def fanout(
    folder: Path, readers: int, at_once: int, *, rounds: int, turns: int = 3
) -> Fanout:
    """Measure rounds of so many new records, told to all readers; the median of turns."""
    queues = list[asyncio.Queue[bytes]]()
    async with (
        serving(folder, pace=Pace()) as api,
        naive(queues) as peer,
        Clients.running() as mine,
        Clients.running() as theirs,
    ):
        tokens = [await api.token() for _ in range(1 + readers // A_TOKEN)]
        path = f"/v1/accounts/{api.account}/events/stream?cursor=latest"
        many = {"count": readers, "idle": 0}
        await mine.do(open={"port": api.client.port, "path": path, "tokens": tokens, **many})
        await theirs.do(open={"port": peer.port, "path": "/", "tokens": ["none"], **many})
        settle_heap()
        ours, others = list[float](), list[float]()
        seen, sent = 0, message(stored(1), "abcdefgh1")
        for _ in range(turns):
            spent = [0.0, 0.0]
            for _ in range(rounds):
                seen += at_once
                await record(api, at_once)
                begun = time.process_time()
                api.ground.hub.wake(api.ground.profile_id)
                await mine.do(until=seen)
                spent[0] += time.process_time() - begun
                begun = time.process_time()
                for _ in range(at_once):
                    for queue in queues:
                        queue.put_nowait(sent)
                await theirs.do(until=seen)
                spent[1] += time.process_time() - begun
            ours.append(spent[0])
            others.append(spent[1])
        await theirs.do(reset=True)
    count = readers * at_once * rounds
    return Fanout(
        readers=readers,
        at_once=at_once,
        ours=statistics.median(ours) / count,
        naive=statistics.median(others) / count,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalled:
    """What became of readers of whom some never read."""

    grown: int  # bytes of memory, at the most, since all were connected
    left: int  # streams that are still open
    seen_again: Sequence[list[int]]  # positions of what came to each that returned


def resident() -> int:
    """Return this process's resident memory in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def stalled(folder: Path, readers: int, idle: int, records: int, stall: timedelta) -> Stalled:
    """Tell many readers much, and let those return that were cut off."""
    async with (
        serving(folder, pace=replace(Pace(), stall=stall)) as api,
        Clients.running() as clients,
    ):
        tokens = [await api.token() for _ in range(1 + readers // A_TOKEN)]
        path = f"/v1/accounts/{api.account}/events/stream?cursor=latest"
        where = {"port": api.client.port, "path": path, "tokens": tokens}
        await clients.do(open={**where, "count": readers, "idle": idle})
        begun = (await api.json(f"/v1/accounts/{api.account}/events/latest"))["cursor"]
        open_streams = api.client.server.app[OPEN]._open  # type: ignore[attr-defined]
        while len(open_streams) < readers:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        settle_heap()
        before, most, told = resident(), 0, 0
        while told < records:
            told += 100
            await record(api, 100, LARGE)
            api.ground.hub.wake(api.ground.profile_id)
            await clients.do(until=told)
            most = max(most, resident())
        with suppress(TimeoutError):
            async with asyncio.timeout(stall.total_seconds() + 20):
                while len(open_streams) > readers - idle:
                    await asyncio.sleep(0.05)
                    most = max(most, resident())
        left = len(open_streams)
        again = list[list[int]]()
        for _ in range(idle):
            again.append(await _returned(api, begun, records))
    return Stalled(grown=most - before, left=left, seen_again=again)


async def _returned(api: Api, last: str, count: int) -> list[int]:
    """Come back with the last id that was seen, and return the positions that follow."""
    path, found = f"/v1/accounts/{api.account}/events/stream", list[int]()
    async with await api.get(path, headers={"Last-Event-ID": last}) as response:
        async for line in response.content:
            if line.startswith(b"id: "):
                found.append(Cursor.parse(line[4:].decode().strip()).position)
            if len(found) == count:
                break
    return found
