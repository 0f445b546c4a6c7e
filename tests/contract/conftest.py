"""What the contracts run over: every store, every stage."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from syncd.store.open import SqlStore
from tests.contract.rig import Rig, rigged
from tests.contract.scenarios import lacking
from tests.contract.stage import Stage
from tests.contract.stages import STAGES
from tests.contract.stages.caldav import DAV_STAGES, DavStage
from tests.fakes.clock import FakeClock
from tests.store.opening import NOON, Schemas, opened, postgres

FIXTURES: dict[str, tuple[type[Stage], ...]] = {"rig": STAGES, "dav": DAV_STAGES}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a scenario over every stage that does not lack what it needs.

    A file with a ``rig`` of its own is about one provider.
    """
    for fixture, stages in FIXTURES.items():
        if fixture in metafunc.fixturenames and not hasattr(metafunc.module, fixture):
            able = [one for one in stages if not lacking(metafunc.function, one)]
            metafunc.parametrize(fixture, able, indirect=True, ids=lambda one: one.name)


@pytest.fixture
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig[Stage]]:
    """A stage with a profile that is not connected yet."""
    stage: Stage = request.param(tmp_path / "stage")
    await stage.start()
    (tmp_path / "store").mkdir()
    try:
        async with rigged(stage, tmp_path / "store") as ready:
            yield ready
    finally:
        await stage.stop()
    assert stage.complaints() == []


@pytest.fixture
async def dav(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig[DavStage]]:
    """A CalDAV stage, for what is said in iCalendar."""
    stage: DavStage = request.param(tmp_path / "stage")
    await stage.start()
    (tmp_path / "store").mkdir()
    try:
        async with rigged(stage, tmp_path / "store") as ready:
            yield ready
    finally:
        await stage.stop()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture(scope="session")
def schemas() -> Iterator[Schemas]:
    made = Schemas()
    yield made
    asyncio.run(made.drop())


@pytest.fixture(params=["sqlite", "postgres"])
async def address(
    request: pytest.FixtureRequest, tmp_path: Path, schemas: Schemas
) -> AsyncIterator[str]:
    """An address at which there is no store yet, or an empty one for those who open ``store``."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/syncd.db"
        return
    async with schemas.lent() if "store" in request.fixturenames else postgres() as url:
        yield url


@pytest.fixture
async def store(address: str, clock: FakeClock, tmp_path: Path) -> AsyncIterator[SqlStore]:
    async with opened(address, clock=clock, state_dir=tmp_path) as one:
        yield one
