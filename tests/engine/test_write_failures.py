"""Writes whose callers leave, and whose providers fail half-way (R15, ADR 11)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from syncd.engine import upstream
from syncd.engine.draft import EventDraft
from syncd.model.errors import (
    StaleStateError,
    TransientError,
    UpstreamError,
    UpstreamTimeoutError,
)
from tests.engine.desk import Desk, desk, shown
from tests.engine.ground import Ground
from tests.engine.races import KEY, racing, review
from tests.fakes.calendars import Faults


@pytest.fixture
async def at(here: Ground) -> AsyncIterator[Desk]:
    async with racing(here) as made:
        yield made


@pytest.mark.parametrize("steps", range(40))
async def test_a_caller_that_leaves_takes_nothing_along(at: Desk, steps: int) -> None:
    """Cancelled at any moment, a write that reached the provider is recorded all the same."""
    name = await review(at)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(at.update(name, name="Ours"))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
    await at.writer.settled()
    head = await at.ground.head()
    polled = await at.ground.poll(listing=True)
    assert polled.error is None
    assert await at.ground.head() == head
    await at.agree()


async def test_leaving_the_writer_ends_what_runs(here: Ground) -> None:
    """At a shutdown that waited long enough: who waits is told, the next poll tells the rest."""
    here.server.add("/work/")
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    here.server.faults.after = hang
    async with asyncio.TaskGroup() as group:
        async with desk(here) as at:
            task = group.create_task(_refused(at))
            await begun.wait()
        assert await task == "syncd is stopping"
    here.server.faults.after = None
    await here.poll()
    assert (await here.told())[-1] == "add event Review"


async def _refused(at: Desk) -> str:
    with pytest.raises(TransientError) as told:
        await at.create()
    return str(told.value)


async def test_a_provider_that_takes_too_long_is_a_timeout(
    at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R15: whether it was done, the next poll tells."""
    monkeypatch.setattr(upstream, "PATIENCE", timedelta(milliseconds=50))

    async def hang() -> None:
        await asyncio.Event().wait()

    at.ground.server.faults.after = hang
    with pytest.raises(UpstreamTimeoutError):
        await at.update(await review(at), name="Ours")
    at.ground.server.faults = Faults()
    before = await at.ground.head()
    await at.ground.poll()
    assert await at.ground.told(before) == ["update event Ours"]
    await at.agree()


async def test_an_answer_that_was_lost_is_found_by_the_next_poll(at: Desk) -> None:
    at.ground.server.faults.answering = TransientError("reset")
    with pytest.raises(UpstreamError):
        await at.create("New")
    at.ground.server.faults = Faults()
    before = await at.ground.head()
    again = await at.create("New")
    assert await at.ground.told(before) == ["add event New"]
    assert shown(again)["name"] == "New"
    await at.agree()


async def test_a_write_whose_answer_cannot_be_read_keeps_what_is_known(at: Desk) -> None:
    """I10: the event stays as it was, and is named among what could not be read."""
    name = await review(at)
    at.ground.server.faults.blurred = True
    assert shown(await at.update(name, name="Ours"))["name"] == "Review"
    ((_, fault),) = await at.ground.store.faults(at.ground.profile_id)
    assert fault.key == KEY
    with pytest.raises(UpstreamError):
        await at.create("New")


async def test_a_writer_that_never_gets_its_turn_says_so(
    at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> None:
        raise StaleStateError("no")

    monkeypatch.setattr(at.ground.store, "record", never)
    with pytest.raises(StaleStateError, match="faster"):
        await at.writer.update_event(
            await at.ground.profile(),
            await at.calendar(),
            await review(at),
            EventDraft(name="Ours"),
        )
