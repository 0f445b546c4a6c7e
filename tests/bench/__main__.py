"""``python -m tests.bench`` measures at full size and prints the tables of docs/performance.md."""

import asyncio
import sys
import tempfile
from pathlib import Path

import structlog

from tests.bench import pushing
from tests.bench.clients import CROWD, served
from tests.bench.cores import own_cpu
from tests.bench.first_read import first_read
from tests.bench.google import beside_gcal_sync, crowded
from tests.bench.polling import FEW, Comparison, compared, many_calendars

KINDS = ("xandikos", "radicale")
SLOW = ("radicale", 10_000)  # its first reads take long: few profiles
OPERATIONS = {
    "first": "first read",
    "quiet": "no change",
    "bare": "no change, its bare request",
    "alone": "no change, polled alone",
    "ten": "10 changes",
}
HEAD = """| server, events | operation | syncd CPU | requests | bytes | caldav | vdirsyncer |
|---|---|---|---|---|---|---|"""
GOOGLE_HEAD = """
| events | operation | syncd CPU | gcal_sync | gcal_sync needs |
|---|---|---|---|---|"""
GOOGLE = {
    "first": ("first read, their memory store", "first"),
    "quiet": ("no change, their file store", "file"),
    "alone": ("no change, polled alone, their file store", "file"),
}
PROFILES = 2000


def rows(found: Comparison) -> None:
    for name, told in OPERATIONS.items():
        cost = found.ours[name]
        theirs = "quiet" if name in {"alone", "bare"} else name
        peers = [
            f"{peer[theirs].cpu / cost.cpu:.0f} times" if theirs in peer else ""
            for peer in (found.caldav, found.vdirsyncer)
        ]
        say(
            f"| {found.kind}, {found.count:,} | {told} | {cost.cpu * 1e3:.1f} ms | {cost.requests} "
            f"| {cost.bytes:,} | {' | '.join(peers)} |"
        )


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def polling(*sizes: int) -> None:
    say(HEAD)
    for kind in KINDS:
        for count in sizes:
            with tempfile.TemporaryDirectory() as folder:
                crowd = FEW if (kind, count) == SLOW else CROWD
                rows(await compared(kind, Path(folder), count, crowd=crowd))
    say("\n| 20 calendars, no change | syncd CPU | requests | bytes |\n|---|---|---|---|")
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            quiet = (await many_calendars(kind, Path(folder)))["quiet"]
        say(f"| {kind} | {quiet.cpu * 1e3:.1f} ms | {quiet.requests} | {quiet.bytes:,} |")


async def reading(*sizes: int) -> None:
    say("\n| first read by the daemon | seconds | RSS | lag p99 |\n|---|---|---|---|")
    for count in sizes:
        with (
            tempfile.TemporaryDirectory() as folder,
            served("xandikos", Path(folder) / "server", count=count) as site,
        ):
            read = await first_read(site, Path(folder) / "syncd", count)
        lag = f"≤ {read.lag_p99_seconds * 1e3:.0f} ms"
        say(f"| xandikos, {count:,} | {read.seconds:.1f} | {read.rss_mib:.0f} MiB | {lag} |")


async def google(*sizes: int) -> None:
    say(GOOGLE_HEAD)
    for count in sizes:
        with tempfile.TemporaryDirectory() as folder:
            found = await beside_gcal_sync(Path(folder), count)
        for name, (told, theirs) in GOOGLE.items():
            cpu, peer = found.ours[name], found.theirs[theirs]
            times = f"{peer / cpu:.1f}" if name == "first" else f"{peer / cpu:.0f}"
            say(
                f"| {count:,} | {told} | {cpu * 1e3:.2f} ms | {peer * 1e3:.2f} ms | {times} times |"
            )
    with tempfile.TemporaryDirectory() as folder:
        crowd = await crowded(Path(folder), PROFILES)
    say("\n| profiles, no change | syncd CPU | bare loop | polls a CPU second |\n|---|---|---|---|")
    ours, bare = crowd.ours * 1e3, crowd.bare * 1e3
    say(f"| {PROFILES:,} | {ours:.3f} ms | {bare:.3f} ms | {crowd.share:.2f} of the loop's |")


def main(*sizes: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with own_cpu():
        asyncio.run(polling(*sizes))
    asyncio.run(reading(*sizes))
    with own_cpu():
        asyncio.run(google(*sizes))
    pushing.main()


main(*(int(size) for size in sys.argv[1:] or (1000, 10_000)))
