"""One server a test, and its operator."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.serving import Api, serving
from tests.web.desk import Operator


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with serving(tmp_path) as made:
        yield made


@pytest.fixture
async def operator(api: Api) -> Operator:
    """Somebody who has logged in."""
    made = Operator(api)
    assert (await made.log_in()).status == 303
    return made
