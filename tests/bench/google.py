"""Google in the bench: gcal_sync beside us on one calendar, and many quiet profiles."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from aiohttp import ClientSession

from syncd.ports.link import Login
from syncd.ports.vault import Secret
from syncd.runtime.heap import settle_heap
from tests.bench.clients import ours
from tests.peers import peer_python
from tests.servers.google import OWNER

QUIET = 16  # profiles of a tick, as in the bench of CalDAV
AT_ONCE = 16  # requests of the bare loop, as the plan of the daemon


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleSite:
    """The fake in its own process; its one calendar is the primary."""

    settings: dict[str, dict[str, str]]
    refresh_token: str
    access_token: str

    @property
    def api(self) -> str:
        return self.settings["google"]["api_url"]

    @property
    def login(self) -> Login:
        return Login(provider="google", refresh_token=Secret(self.refresh_token))


@contextmanager
def served_google(count: int) -> Iterator[GoogleSite]:
    command = [sys.executable, "-m", "tests.bench.google_serve", str(count)]
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield GoogleSite(**json.loads(process.stdout.readline()))
        process.stdin.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleCosts:
    """Median CPU seconds of an operation: ``ours`` and ``theirs`` by name."""

    count: int
    ours: dict[str, float]
    theirs: dict[str, float]

    def share(self, our: str, their: str) -> float:
        """Return our CPU as a part of gcal_sync's."""
        return self.ours[our] / self.theirs[their]


async def beside_gcal_sync(folder: Path, count: int, *, times: int = 5) -> GoogleCosts:
    """Measure first reads and polls without news of one calendar of so many events."""
    with served_google(count) as site:
        theirs = await _gcal_sync(site, folder, times)
        settle_heap()  # as the daemon does
        firsts = list[float]()
        for turn in range(times):
            async with ours(folder / f"first{turn}", settings=site.settings) as direct:
                await direct.connect(site.login)
                firsts.append(await direct.poll(listing=True))
        async with ours(folder / "quiet", settings=site.settings) as direct:
            await direct.connect(site.login)
            await direct.poll(listing=True)
            settle_heap()
            alone = [await direct.poll() for _ in range(4 * times)]
            while len(direct.profiles) < QUIET:
                await direct.connect(site.login)
            ticks = [await direct.tick() for _ in range(times + 2)]
        told = {"first": firsts, "alone": alone, "quiet": ticks[2:]}  # behind the first reads
        costs = {name: statistics.median(found) for name, found in told.items()}
        return GoogleCosts(count=count, ours=costs, theirs=theirs)


async def _gcal_sync(site: GoogleSite, folder: Path, times: int) -> dict[str, float]:
    script = Path(__file__).with_name("peer_gcal.py")
    process = await asyncio.create_subprocess_exec(
        *(str(await asyncio.to_thread(peer_python)), "-W", "ignore", str(script)),
        *(site.api, site.access_token, OWNER, str(folder), str(times)),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    return {name: statistics.median(found) for name, found in json.loads(told).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """CPU seconds that one poll without news costs: ours, and a bare loop's request."""

    profiles: int
    ours: float
    bare: float

    @property
    def share(self) -> float:
        """Return our polls per CPU second as a part of the bare loop's."""
        return self.bare / self.ours


async def crowded(folder: Path, profiles: int, *, times: int = 5) -> Crowd:
    """Measure many profiles that have nothing new, each turn beside a bare loop's."""
    with served_google(1) as site:
        async with ours(folder / "crowd", settings=site.settings) as direct:
            for _ in range(profiles):
                await direct.connect(site.login)
            found, bare = list[float](), list[float]()
            settle_heap()
            for turn in range(times + 2):
                spent = await direct.tick()
                if turn > 1:  # the first one reads everything, the next one looks once more
                    found.append(spent)
                    bare.append(await bare_loop(site, profiles))
        return Crowd(profiles=profiles, ours=statistics.median(found), bare=statistics.median(bare))


async def bare_loop(site: GoogleSite, requests: int) -> float:
    """Return the CPU seconds of a request that asks the same, and reads the answer, and no more."""
    address = f"{site.api}/calendars/{quote(OWNER, safe='')}/events"
    headers = {"Authorization": f"Bearer {site.access_token}", "Accept": "application/json"}
    query = {"maxResults": "2500", "singleEvents": "false"}
    async with ClientSession() as session:
        async with session.get(address, params=query, headers=headers) as response:
            query["syncToken"] = (await response.json())["nextSyncToken"]
        turn = asyncio.Semaphore(AT_ONCE)

        async def ask() -> None:
            async with turn, session.get(address, params=query, headers=headers) as response:
                assert (await response.json())["items"] == []

        begun = time.process_time()
        async with asyncio.TaskGroup() as group:
            for _ in range(requests):
                group.create_task(ask())
        return (time.process_time() - begun) / requests
