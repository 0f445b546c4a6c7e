"""Readers of server-sent events: many, beside a naive loop, and some that never read (K41).

Full sizes by ``SYNCD_TESTS=nightly``.
"""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bench.sse import MIB, fanout, stalled

NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"
READERS, IDLE, STALL = (1000, 100, 10) if NIGHTLY else (40, 4, 1)
RECORDS = 600  # of 11 kB: more than the kernel keeps for who does not read


@pytest.mark.timeout(600 if NIGHTLY else 60)
async def test_what_a_poll_found_reaches_all_readers_for_less_than_a_naive_loop_takes(
    tmp_path: Path,
) -> None:
    (tmp_path / "ten").mkdir()
    (tmp_path / "one").mkdir()
    readers = READERS if NIGHTLY else 100
    ten = await fanout(tmp_path / "ten", readers, 10, rounds=2)
    one = await fanout(tmp_path / "one", readers, 1, rounds=10)
    print(ten, ten.share, one, one.share)  # noqa: T201 - the figures, where they are wanted
    assert ten.share >= 1
    assert one.share >= (0.7 if NIGHTLY else 0.35)  # reading the store is shared by fewer


@pytest.mark.timeout(600 if NIGHTLY else 60)
async def test_who_never_reads_costs_little_memory_is_cut_off_and_loses_nothing(
    tmp_path: Path,
) -> None:
    """K41, F36."""
    found = await stalled(tmp_path, READERS, IDLE, RECORDS, timedelta(seconds=STALL))
    print(found.grown / MIB)  # noqa: T201 - the figure, where it is wanted
    assert found.left == READERS - IDLE
    assert len(found.seen_again) == IDLE
    for positions in found.seen_again:
        assert positions == list(range(positions[0], positions[0] + RECORDS))
    # queued for each, it would be 66 MiB for ten readers
    assert found.grown < (64 if NIGHTLY else 32) * MIB
