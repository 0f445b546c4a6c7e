"""A profile at a fake provider, for every test of the engine that polls."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.ground import Ground, ground


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path, page_size=10) as made:
        yield made
