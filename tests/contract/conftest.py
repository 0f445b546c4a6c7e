"""The stores that every store contract runs over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.store.open import SqlStore
from tests.fakes.clock import FakeClock
from tests.store.opening import NOON, opened, postgres


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture(params=["sqlite", "postgres"])
async def address(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An address at which there is no store yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/syncd.db"
        return
    async with postgres() as url:
        yield url


@pytest.fixture
async def store(address: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with opened(address, clock=clock, state_dir=tmp_path) as one:
        yield one
