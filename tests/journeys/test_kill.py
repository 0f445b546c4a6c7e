"""``kill -9`` at random moments under load: nothing lost, nothing doubled, no cursor broken (I15).

The journey: a person edits calendars on a real server without pause, an application follows the
stream by cursor, and the daemon is killed again and again. Afterwards the records that the
application has, each got once, rebuild what an independent client finds on the server.
"""

import asyncio
import contextlib
import json
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.journeys.daemon import Daemon, configured
from tests.journeys.person import Person
from tests.servers.caldav import Radicale
from tests.witness import Replay, Witness

KILLS = 200 if os.environ.get("SYNCD_TESTS") == "nightly" else 8
CALENDARS = ("work", "home")


class Follower:
    """An application: reads by cursor, keeps the last one, and never believes an error."""

    def __init__(self, daemon: Daemon, token: str) -> None:
        self.daemon = daemon
        self.headers = {"Authorization": f"Bearer {token}"}
        self.cursor: str | None = None
        self.records: list[dict[str, Any]] = []

    async def follow(self) -> None:
        """Read for ever; the daemon may be away."""
        async with aiohttp.ClientSession(headers=self.headers) as session:
            while True:
                try:
                    await self._once(session, wait=1)
                except (aiohttp.ClientError, json.JSONDecodeError, TimeoutError):
                    await asyncio.sleep(0.02)

    async def hurry(self) -> None:
        """Have the profile polled for ever, as often as one may ask."""
        url = f"{self.daemon.address}/v1/profiles/1/sync"
        async with aiohttp.ClientSession(headers=self.headers) as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.post(url):
                        pass
                await asyncio.sleep(0.1)

    async def drain(self) -> None:
        """Read to the end; the daemon must be there."""
        async with aiohttp.ClientSession(headers=self.headers) as session:
            while await self._once(session, wait=0):
                continue

    async def _once(self, session: aiohttp.ClientSession, *, wait: int) -> int:
        query = {"page_size": "50", "wait": str(wait)}
        if self.cursor is not None:
            query["cursor"] = self.cursor
        url = f"{self.daemon.address}/v1/accounts/me/events"
        async with session.get(url, params=query) as answer:
            page = await answer.json()
            assert answer.status == 200, page
        self.cursor = page["cursor"]
        self.records += page["objects"]
        return len(page["objects"])


@asynccontextmanager
async def beside(*works: Any) -> AsyncIterator[None]:  # noqa: ANN401 - coroutines
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if error is not None and not isinstance(error, asyncio.CancelledError):
                raise error


@pytest.mark.timeout(900 if KILLS > 100 else 180)
async def test_killed_at_random_moments_nothing_is_lost_doubled_or_skipped(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)  # noqa: S311 - a seed that can be repeated
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    async with (
        Radicale(tmp_path / "radicale") as server,
        configured(tmp_path / "syncd") as daemon,
        Person.editing(server, CALENDARS, chance) as person,
        Witness.running() as witness,
    ):
        await daemon.start()
        await daemon.connect(server)
        token = (await daemon.ask("token", "create"))["token"]
        follower = Follower(daemon, token)
        async with beside(follower.follow(), follower.hurry(), person.edit()):
            for _ in range(KILLS):
                await asyncio.sleep(chance.uniform(0.0, 1.2))
                await daemon.kill()
                await daemon.start()
        for _ in range(3):
            await daemon.ask("profile", "sync", "1", "--wait")
        await follower.drain()
        held = await witness.read(
            url=server.url, username=server.username, password=server.password
        )
        replay = Replay()
        replay.apply(follower.records)
        assert replay.neutral() == held
        assert replay.counts["update"] > KILLS // 5
        assert await daemon.stop() == 0
