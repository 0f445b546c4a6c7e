"""What the tests of the daemon and its command line share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.journeys.daemon import Daemon, configured
from tests.servers.caldav import Radicale


@pytest.fixture
async def syncd(tmp_path: Path) -> AsyncIterator[Daemon]:
    """A daemon that is configured and was not started yet."""
    async with configured(tmp_path / "syncd") as made:
        yield made


@pytest.fixture
async def connected(syncd: Daemon, tmp_path: Path) -> AsyncIterator[Daemon]:
    """The same daemon, which runs, with one profile that it has read."""
    async with Radicale(tmp_path / "radicale") as server:
        await server.mkcalendar("work", name="Work")
        await syncd.start()
        await syncd.connect(server)
        await syncd.ask("profile", "sync", "1", "--wait")
        yield syncd
