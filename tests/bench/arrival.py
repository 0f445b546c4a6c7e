"""From a change at the provider to its arrival, by SSE and by webhook: the whole daemon.

A calendar on Radicale is changed now and then, and polled every 5 s.
"""

import asyncio
import random
import time
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from aiohttp import web

from tests.bench.counting import counted
from tests.journeys.daemon import Daemon, configured
from tests.journeys.test_kill import Follower, beside
from tests.servers.caldav import Radicale
from tests.servers.receiver import Receiver
from tests.servers.seeding import ics

A_POLL = 0.5  # seconds; requests that are closer are of one poll


@dataclass(slots=True, kw_only=True)
class Ways:
    """Seconds of each change: from the provider's answer, and from the poll that saw it."""

    whole: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)


def percentile(values: Sequence[float], of_hundred: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * of_hundred // 100)]


class Arrivals:
    """When each title was first heard of, by name of the way."""

    def __init__(self) -> None:
        self.at: dict[str, dict[str, float]] = {"SSE": {}, "webhook": {}}
        self.listening = asyncio.Event()

    def note(self, way: str, record: Any) -> None:  # noqa: ANN401 - JSON
        name = record["metadata"].get("name") or ""
        self.at[way].setdefault(name.partition(" ")[0], time.monotonic())

    async def follow(self, daemon: Daemon, token: str) -> None:
        """Read server-sent events for ever."""
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{daemon.address}/v1/accounts/1/events/stream?cursor=latest"
        async with (
            aiohttp.ClientSession(headers=headers, read_bufsize=1 << 20) as http,
            http.get(url, timeout=aiohttp.ClientTimeout()) as response,
        ):
            assert response.status == 200
            async for line in response.content:
                self.listening.set()
                if line.startswith(b"data: "):
                    self.note("SSE", orjson.loads(line[6:]))


async def arrivals(
    folder: Path, changes: int, *, pause: float = 2, hurry: bool = False
) -> dict[str, Ways]:
    """Make changes at random moments; return how long each took by each way.

    ``hurry`` has the calendar polled as often as one may ask, not every 5 s.
    """
    chance, heard = random.Random(1), Arrivals()  # noqa: S311 - moments, the same each time
    async with (
        Radicale(folder / "radicale") as server,
        configured(folder / "syncd") as daemon,
        Receiver.listening() as receiver,
    ):
        await server.mkcalendar("work")
        await server.put("work", "bench-0.ics", ics(0))

        async def take(request: web.Request) -> web.StreamResponse:
            heard.note("webhook", orjson.loads(await request.read())["data"]["record"])
            return web.Response(status=204)

        receiver.answer = take
        with counted(server.port) as traffic:
            await daemon.start()
            await daemon.ask(
                *("profile", "add", "caldav", "--url", f"http://127.0.0.1:{traffic.port}/"),
                *("--username", server.username, "--password-stdin"),
                text=server.password,
            )
            await daemon.ask("profile", "sync", "1", "--wait")
            receiver.secrets = [(await daemon.ask("webhook", "add", receiver.url))["secret"]]
            token = (await daemon.ask("token", "create"))["token"]
            made = dict[str, float]()
            others = [Follower(daemon, token).hurry()] if hurry else []
            async with (
                beside(heard.follow(daemon, token), *others),
                asyncio.timeout(60 + 2 * changes * pause),
            ):
                await heard.listening.wait()
                for number in range(changes):
                    await asyncio.sleep(chance.uniform(0, 2 * pause))
                    title = f"Change{number}"
                    await server.put("work", f"bench-{number}.ics", ics(number, title))
                    made[title] = time.monotonic()
                while any(made.keys() - at.keys() for at in heard.at.values()):  # noqa: ASYNC110 - of other processes
                    await asyncio.sleep(0.05)
            begun = polls(traffic.asked)
    found = {way: Ways() for way in heard.at}
    for way, at in heard.at.items():
        for title, since in made.items():
            found[way].whole.append(at[title] - since)
            found[way].own.append(at[title] - begun[bisect_right(begun, at[title]) - 1])
    assert receiver.faults == []
    return found


def polls(asked: Sequence[float]) -> list[float]:
    """Return when polls began."""
    return [
        at
        for before, at in zip([float("-inf"), *asked], asked, strict=False)
        if at - before > A_POLL
    ]
