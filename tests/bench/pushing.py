"""``python -m tests.bench.pushing`` measures pushing at full size and prints its tables."""

import asyncio
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import structlog

from tests.bench.arrival import arrivals, percentile
from tests.bench.bad import delays
from tests.bench.cores import own_cpu
from tests.bench.sse import MIB, fanout, stalled
from tests.bench.webhooks import sends

RUNS = (
    ("one webhook, 1,000 records", 1, 1000, 1),
    ("48 webhooks, 40 records each", 48, 40, 1),
    ("48 webhooks, a record at a time", 48, 1, 20),
)
READERS, IDLE, STALL, RECORDS = 1000, 100, timedelta(seconds=10), 600
CHANGES = 150


def say(*cells: str) -> None:
    sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.flush()


def head(*cells: str) -> None:
    sys.stdout.write("\n")
    say(*cells)
    sys.stdout.write("|---" * len(cells) + "|\n")


async def sending() -> None:
    head("webhooks", "syncd CPU of a delivery", "bare loop", "deliveries a CPU second")
    for name, webhooks, each, rounds in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            sent = await sends(Path(folder), webhooks, each, rounds=rounds)
        ours, bare = f"{sent.ours * 1e6:.0f} µs", f"{sent.bare * 1e6:.0f} µs"
        say(name, ours, bare, f"{sent.share:.2f} of the loop's")


async def arriving() -> None:
    head("readers, records at a wake", "syncd CPU of a delivery", "naive loop", "a CPU second")
    for at_once, rounds in ((1, 20), (2, 10), (10, 4)):
        with tempfile.TemporaryDirectory() as folder:
            told = await fanout(Path(folder), READERS, at_once, rounds=rounds)
        ours, naive = f"{told.ours * 1e6:.1f} µs", f"{told.naive * 1e6:.1f} µs"
        say(f"{READERS:,}, {at_once}", ours, naive, f"{told.share:.1f} times the loop's")
    head("readers", "that never read", "memory grew by", "cut off after 10 s", "lost on return")
    with tempfile.TemporaryDirectory() as folder:
        kept = await stalled(Path(folder), READERS, IDLE, RECORDS, STALL)
    lost = sum(RECORDS - len(set(one)) for one in kept.seen_again)
    cut = READERS - kept.left
    say(f"{READERS:,}", str(IDLE), f"{kept.grown / MIB:.0f} MiB", str(cut), str(lost))
    head("endpoints", "p99 without bad ones", "p99 beside 30 bad ones", "ratio of the medians")
    with tempfile.TemporaryDirectory() as folder:
        slow = await delays(Path(folder), good=70, each=3, records=20, rounds=5)
    spans = [f"{min(one) * 1e3:.0f}-{max(one) * 1e3:.0f} ms" for one in (slow.without, slow.beside)]
    say("70 healthy", *spans, f"{slow.ratio:.2f}")
    head("from a change to its arrival", "p50", "p99", "syncd's own, p50", "syncd's own, p99")
    with tempfile.TemporaryDirectory() as folder:
        found = await arrivals(Path(folder), CHANGES)
    for way, ways in found.items():
        whole = [f"{percentile(ways.whole, at):.2f} s" for at in (50, 99)]
        own = [f"{percentile(ways.own, at) * 1e3:.0f} ms" for at in (50, 99)]
        say(way, *whole, *own)


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with own_cpu():
        asyncio.run(sending())
    asyncio.run(arriving())


if __name__ == "__main__":
    main()
