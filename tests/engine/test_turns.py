"""Writers of one event go to its provider one after another (ADR 55)."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from syncd.model.errors import ConflictError
from syncd.model.ids import EventId
from tests.engine.desk import Desk, shown
from tests.engine.ground import Ground, series
from tests.engine.races import racing, review, work
from tests.fakes.calendars import Faults


@pytest.fixture
async def at(here: Ground) -> AsyncIterator[Desk]:
    async with racing(here) as made:
        yield made


async def test_writers_of_one_event_take_turns(at: Desk) -> None:
    """R18, ADR 55: whoever writes through us meets no conflict that is only ours."""
    name = await review(at)
    work(at).put("s.ics", series("Stand-up"))
    await at.ground.poll()
    stand_up = next(
        one.object_id for one in await at.ground.activities() if b'"Stand-up"' in one.body
    )

    async def slowly() -> None:
        await asyncio.sleep(0)

    at.ground.server.faults.before = slowly
    slots = [f"{stand_up}_{day}" for day in ("20261109T090000Z", "20261116T090000Z")]
    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(at.update(name, name=f"Ours {number}"))
        for slot in slots:
            group.create_task(at.update(EventId(slot), name="Special"))
    assert at.ground.server.writes == 8  # none twice
    at.ground.server.faults = Faults()
    await at.agree()


async def test_who_deletes_waits_for_whoever_changes(at: Desk) -> None:
    """ADR 55: a change that is under way is not refused for a delete of ours."""
    name, hangs, released = await review(at), asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        hangs.set()
        await released.wait()

    at.ground.server.faults.before = hang
    first = asyncio.create_task(at.update(name, name="First"))
    await hangs.wait()
    at.ground.server.faults = Faults()
    second = asyncio.create_task(at.delete(name))
    await asyncio.sleep(0.05)
    assert not second.done()
    released.set()
    assert shown(await first)["name"] == "First"
    await second
    assert work(at).resources == {}
    await at.agree()


async def test_who_waits_too_long_for_a_turn_is_told(
    at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ADR 55: a provider that hangs keeps nobody waiting for ever; others go on."""
    monkeypatch.setattr("syncd.engine.turns.PATIENCE_SECONDS", 0.02)
    name, hangs, released = await review(at), asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        hangs.set()
        await released.wait()

    at.ground.server.faults.before = hang
    first = asyncio.create_task(at.update(name, name="First"))
    await hangs.wait()
    with pytest.raises(ConflictError):
        await at.update(name, name="Second")
    at.ground.server.faults = Faults()
    await at.create("Another")
    released.set()
    assert shown(await first)["name"] == "First"
    assert shown(await at.update(name, location="Roof"))["name"] == "First"
