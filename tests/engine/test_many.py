"""One record to many subscriptions: what is read and written together (ADR 48)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from syncd.model.errors import TransientError
from syncd.model.ids import ProfileId
from syncd.model.subscription import Status, Word
from syncd.ports.store.subscriptions import Note, Standing
from tests.engine.pushed import URL, Ground
from tests.engine.test_deliver import HOUR, here  # noqa: F401 - a fixture
from tests.store.opening import counted

MANY = 30
ONE = ProfileId(1)
Held = tuple[asyncio.Event, asyncio.Event]


@pytest.fixture
def ground(here: Ground) -> Ground:  # noqa: F811 - the fixture
    return here


@pytest.fixture
def held(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Held:
    """Hold back notes: tell when the first are to be written, and let them be."""
    plain, noting, go_on = ground.store.note_deliveries, asyncio.Event(), asyncio.Event()

    async def slowly(notes: Sequence[Note]) -> frozenset[str]:
        noting.set()
        await go_on.wait()
        return await plain(notes)

    monkeypatch.setattr(ground.store, "note_deliveries", slowly)
    return noting, go_on


async def test_many_subscriptions_cost_few_statements(ground: Ground) -> None:
    made = [await ground.subscribe(f"https://app{number}.example/") for number in range(MANY)]
    with counted(ground.store) as statements:
        await ground.append(1, "a")
        await ground.settled()
    for number in range(MANY):
        assert ground.arrived(f"https://app{number}.example/") == [(1, "a")]
    texts = [sql for sql, _ in statements]
    assert len([sql for sql in texts if "activities.body" in sql]) == 1
    assert len([sql for sql in texts if "subscriptions.url" in sql]) == 1
    assert len([sql for sql in texts if sql.startswith("INSERT INTO deliveries")]) <= MANY // 5
    assert len(texts) < MANY
    for one in made:
        assert len(await ground.store.deliveries(one.id)) == 1
        assert await ground.store.behind_of(one.id) == 0


async def test_what_is_changed_while_it_is_read_is_sent_as_it_is_now(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, plain = await ground.subscribe(), ground.store.subscribers
    read, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(profile: ProfileId) -> Sequence[Standing]:
        found = await plain(profile)
        read.set()
        await go_on.wait()
        return found

    monkeypatch.setattr(ground.store, "subscribers", slowly)
    async with asyncio.TaskGroup() as group:
        group.create_task(ground.append(1, "a"))
        await read.wait()
        before = await ground.seen(made)
        after = replace(before, url="https://new.example/")
        await ground.subscriptions.change(before, after)
        await ground.deliverer.settled()
        go_on.set()
    await ground.settled()
    assert ground.arrived("https://new.example/") == [(1, "a")]
    assert ground.arrived(URL) == []


async def test_what_could_not_be_noted_is_sent_again_with_its_id(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I14: the place moves only with a note; nothing is skipped."""
    made, plain = await ground.subscribe(), ground.store.note_deliveries

    async def full(notes: Sequence[Note]) -> None:
        del notes
        raise TransientError("the disk is full")

    monkeypatch.setattr(ground.store, "note_deliveries", full)
    await ground.append(1, "a", "b")
    await ground.settled()
    assert await ground.store.place(made.id, ONE) == 0
    first = list(ground.sink.arrived[URL])
    assert [one.object_id for one in first] == ["a", "b"]
    monkeypatch.setattr(ground.store, "note_deliveries", plain)
    await ground.settled(HOUR)
    assert ground.sink.arrived[URL] == first * 2
    assert await ground.store.place(made.id, ONE) == 2
    assert (await ground.seen(made)).status is Status.ACTIVE


async def test_news_while_the_last_are_noted_are_sent_without_reading_the_place_anew(
    ground: Ground, held: Held
) -> None:
    """What the store says of a place is older than what was sent."""
    made, (noting, go_on) = await ground.subscribe(), held
    await ground.append(1, "a")
    await noting.wait()
    await ground.append(1, "b")
    with counted(ground.store) as statements:
        go_on.set()
        await ground.settled()
    assert not [sql for sql, _ in statements if sql.startswith("SELECT positions")]
    assert ground.arrived() == [(1, "a"), (1, "b")]
    assert [one.attempt for one in await ground.store.deliveries(made.id)] == [1, 1]


async def test_what_was_delivered_is_noted_when_a_webhook_has_stopped(
    ground: Ground, held: Held
) -> None:
    """N15: else enabling it would begin where it stood before."""
    made, (noting, go_on) = await ground.subscribe(), held
    await ground.append(1, "a")
    await noting.wait()
    async with asyncio.TaskGroup() as group:
        pausing = group.create_task(ground.subscriptions.enable(made.id, enabled=False))
        await asyncio.sleep(0.05)
        assert not pausing.done()
        go_on.set()
    assert await ground.store.place(made.id, ONE) == 1
    await ground.subscriptions.enable(made.id, enabled=True)
    await ground.settled()
    assert ground.arrived() == [(1, "a")]


async def test_a_step_goes_over_what_is_not_wanted(ground: Ground) -> None:
    made = await ground.subscribe(words=frozenset({Word.EVENT_ADD}), calendars=frozenset({"cal"}))
    await ground.append(1, "a", "b")
    with counted(ground.store) as statements:
        await ground.settled()
    assert ground.arrived() == []
    assert await ground.store.place(made.id, ONE) == 2
    assert await ground.store.deliveries(made.id) == []
    assert len([sql for sql, _ in statements if sql.startswith("UPDATE positions")]) == 1


async def test_nothing_is_kept_of_subscriptions_that_rest(ground: Ground) -> None:
    made = [await ground.subscribe(f"https://app{number}.example/") for number in range(3)]
    await ground.append(1, "a")
    await ground.settled()
    await ground.subscriptions.remove(made[0].id)
    deliverer = ground.deliverer
    assert not deliverer._running
    assert not deliverer._ahead
    assert not deliverer._looks
    assert deliverer._sender.places.idle
    assert not deliverer._ledger._notes._last
