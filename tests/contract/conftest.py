"""The stores that every store contract runs over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncd.store.open import SqlStore
from tests.store.opening import StillClock, opened, postgres


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(params=["sqlite", "postgres"])
async def address(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An address at which there is no store yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/syncd.db"
        return
    async with postgres() as url:
        yield url


@pytest.fixture
async def store(address: str, clock: StillClock, tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with opened(address, clock=clock, state_dir=tmp_path) as one:
        yield one
