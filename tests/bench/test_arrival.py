"""The time from a change at the provider to its arrival; full size by ``SYNCD_TESTS=nightly``."""

import os
from pathlib import Path

import pytest

from tests.bench.arrival import arrivals, percentile

NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"


@pytest.mark.timeout(900 if NIGHTLY else 120)
async def test_what_a_poll_sees_arrives_soon(tmp_path: Path) -> None:
    """The goal is a second at the 99th percentile; small runs only show that all arrive."""
    changes, pause = (100, 2.0) if NIGHTLY else (3, 0.3)
    found = await arrivals(tmp_path, changes, pause=pause, hurry=not NIGHTLY)
    print(found)  # noqa: T201 - the figures, where they are wanted
    for way in found.values():
        assert len(way.own) == changes
        assert min(way.own) >= 0
        assert percentile(way.own, 99) <= (1 if NIGHTLY else 30)
