"""Google: gcal_sync and a bare loop beside us in one run; full sizes by ``SYNCD_TESTS=nightly``.

What is held here is what was reached; docs/performance.md says where that is less than the goal.
"""

import os
from pathlib import Path

import pytest

from tests.bench.google import beside_gcal_sync, crowded

NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"
SMALL, LARGE = (1000, 10_000) if NIGHTLY else (200, 1000)
PROFILES, TIMES = (2000, 5) if NIGHTLY else (200, 3)


@pytest.mark.timeout(3600 if NIGHTLY else 240)
async def test_a_poll_without_news_costs_a_fraction_of_gcal_syncs_whatever_the_calendar_holds(
    tmp_path: Path,
) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "large").mkdir()
    small = await beside_gcal_sync(tmp_path / "small", SMALL, times=TIMES)
    large = await beside_gcal_sync(tmp_path / "large", LARGE, times=TIMES)
    print(small, large)  # noqa: T201 - the figures, where they are wanted
    assert 1 / large.share("quiet", "file") >= (300 if NIGHTLY else 15)
    assert large.ours["quiet"] <= 2 * small.ours["quiet"]  # flat
    # the goal of 0.3 is missed: all of it lies in a database and in a stream afterwards
    assert large.share("first", "first") <= 3


@pytest.mark.timeout(3600 if NIGHTLY else 240)
async def test_quiet_profiles_cost_little_more_than_their_requests(tmp_path: Path) -> None:
    found = await crowded(tmp_path, PROFILES, times=TIMES)
    print(found, found.share)  # noqa: T201 - the figures, where they are wanted
    assert found.share >= 0.3  # the goal of 0.5 is missed by a little; neighbours take the rest
