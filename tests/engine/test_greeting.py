"""A verification is sent once, soon, and whatever becomes of it (C15)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from syncd.ports.sink import Message, Receipt
from tests.engine.pushed import URL, Ground, down
from tests.fakes.clock import FakeClock
from tests.store.opening import NOON, opened
from tests.store.samples import with_profile


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    clock = FakeClock(NOON)
    async with opened(tmp_path, clock=clock) as store:
        await with_profile(store, 1)
        yield Ground(store, clock)


async def test_what_it_is_answered_is_logged_and_no_more(here: Ground) -> None:
    async with here.running():
        made = await here.subscribe()
        here.sink.answers = down
        with capture_logs() as logged:
            here.deliverer.greet(made)
            await here.settled()
        assert await here.seen(made) == made
        assert await here.store.deliveries(made.id) == []
    assert [(one["event"], one["why"]) for one in logged] == [("greeting.failed", "answered 503")]


async def test_a_fault_of_ours_stops_no_other_push(here: Ground) -> None:
    def broken(_url: str, message: Message) -> Receipt:
        raise RuntimeError(message.word)

    async with here.running():
        made = await here.subscribe()
        here.sink.answers, well = broken, here.sink.answers
        here.deliverer.greet(made)
        await here.settled()
        here.sink.answers = well
        await here.append(1, "a")
        await here.settled()
        assert here.arrived() == [(1, "a")]


async def test_it_is_broken_off_at_the_end(here: Ground) -> None:
    """Nobody waits 20 s for somebody's endpoint when the daemon stops."""
    here.sink.held[URL] = asyncio.Event()
    async with asyncio.timeout(5):
        async with here.running():
            here.deliverer.greet(await here.subscribe())
            while not here.sink.running[URL]:  # noqa: ASYNC110 - the fake tells nobody
                await asyncio.sleep(0)
    assert here.sink.running[URL] == 0
