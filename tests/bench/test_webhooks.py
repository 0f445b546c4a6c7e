"""Webhooks: what a delivery takes beside a bare loop, and what bad endpoints cost healthy ones.

Full sizes by ``SYNCD_TESTS=nightly``; docs/performance.md has the figures.
"""

import os
from pathlib import Path

import pytest
from aiohttp import ClientTimeout

from syncd.engine import places
from syncd.sinks import post
from tests.bench.bad import delays
from tests.bench.webhooks import sends

NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"
RUNS = {  # webhooks, records each at a time, times, and the share of the bare loop's sends
    "many": (48, 40 if NIGHTLY else 5, 1, 0.4 if NIGHTLY else 0.2),
    "alone": (1, 1000 if NIGHTLY else 150, 1, 0.4 if NIGHTLY else 0.25),
    "news": (48, 1, 20 if NIGHTLY else 4, 0.3 if NIGHTLY else 0.15),
}


@pytest.mark.timeout(600 if NIGHTLY else 60)
@pytest.mark.parametrize("run", RUNS)
async def test_a_delivery_costs_little_more_than_its_request(run: str, tmp_path: Path) -> None:
    """From the store to a note of the answer; the smaller a run, the dearer its transactions."""
    webhooks, each, rounds, least = RUNS[run]
    found = await sends(tmp_path, webhooks, each, rounds=rounds, turns=5 if NIGHTLY else 3)
    print(run, found, found.share)  # noqa: T201 - the figures, where they are wanted
    assert found.share >= least


@pytest.mark.timeout(600 if NIGHTLY else 60)
async def test_bad_endpoints_cost_healthy_ones_no_time(tmp_path: Path) -> None:
    """F37: 30 of 100 are bad, in ten ways; waiting for one of them would be 20 s."""
    size = {"good": 70, "each": 3, "records": 20, "rounds": 5}
    small = {"good": 21, "each": 1, "records": 4, "rounds": 1}
    found = await delays(tmp_path, **(size if NIGHTLY else small))
    print(found, found.ratio)  # noqa: T201 - the figures, where they are wanted
    assert found.tried >= 7  # hanging and dripping take longer
    assert found.ratio <= (2 if NIGHTLY else 50)  # of few, the slowest says little


async def test_one_queue_for_all_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: with one place for all, whoever is well waits for an endpoint that hangs."""
    monkeypatch.setattr(places, "AT_ONCE", places.FAILING_AT_ONCE + 1)
    monkeypatch.setattr(post, "TIMEOUT", ClientTimeout(total=1))
    found = await delays(tmp_path, good=10, each=1, records=2, rounds=1)
    print(found, found.ratio)  # noqa: T201 - the figures, where they are wanted
    assert found.ratio > 10
