"""One server a test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.serving import Api, serving


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with serving(tmp_path) as made:
        yield made
