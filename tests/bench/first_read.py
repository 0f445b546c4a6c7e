"""The whole daemon reading a large calendar for the first time: memory and the loop's lag."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.bench.clients import Site
from tests.journeys.daemon import Daemon, configured


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRead:
    """Seconds until every event was in the stream, the most memory, the longest lags seen."""

    seconds: float
    rss_mib: float
    lag_p99_seconds: float


async def first_read(site: Site, folder: Path, count: int) -> FirstRead:
    async with configured(folder) as daemon:
        await daemon.start()
        begun = asyncio.get_running_loop().time()
        await daemon.ask(
            *("profile", "add", "caldav", "--url", site.url, "--username", site.username),
            "--password-stdin",
            text=site.password,
        )
        token = (await daemon.ask("token", "create"))["token"]
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
            while await _position(daemon, session) < count:  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.2)
            taken = asyncio.get_running_loop().time() - begun
            async with session.get(f"{daemon.address}/metrics") as answer:
                lag = _p99(await answer.text())
        return FirstRead(seconds=taken, rss_mib=_peak(daemon), lag_p99_seconds=lag)


async def _position(daemon: Daemon, session: aiohttp.ClientSession) -> int:
    async with session.get(f"{daemon.address}/v1/accounts/me/events?cursor=latest") as answer:
        cursor = (await answer.json())["cursor"]
    return int(cursor[8:])  # an epoch of eight letters, then the position


def _peak(daemon: Daemon) -> float:
    assert daemon.process is not None
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def _p99(metrics: str) -> float:
    """Return the bound of the bucket that holds the 99th percentile of the loop's lag."""
    buckets = re.findall(r'loop_lag_seconds_bucket\{le="([^"]+)"\} ([\d.e+]+)', metrics)
    assert buckets
    total = float(buckets[-1][1])
    return next(float(bound) for bound, seen in buckets if float(seen) >= 0.99 * total)
