"""One poll after another, on a real store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine.ground import Ground, event, exception, ground, series


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path) as made:
        yield made


async def test_a_first_read_tells_account_calendar_events_in_this_order(here: Ground) -> None:
    """K42: the account, then each calendar before its events."""
    work = here.server.add("/work/")
    work.put("a.ics", event("Review"))
    work.put("b.ics", series("Stand-up"), exception("Stand-up, late", 3, uid="Stand-up"))
    polled = await here.poll()
    assert polled.error is None
    assert await here.told() == [
        "add account initial",
        "add calendar Work",
        "add event Review",
        "add event Stand-up",
        "add event Stand-up, late",
        "update account connected",
    ]
    assert polled.activities == 4


async def test_a_poll_without_news_writes_nothing(here: Ground) -> None:
    here.server.add("/work/").put("a.ics", event("Review"))
    await here.poll()
    head = await here.head()
    for _ in range(3):
        assert (await here.poll()).activities == 0
    assert await here.head() == head
    assert len(here.server.reads) == 1  # nothing moved, nothing was read
