"""Notes of deliveries that are written together (I14, ADR 48)."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from syncd.engine import notes as module
from syncd.engine.notes import AT_ONCE, Notes
from syncd.model.errors import ConflictError, NotFoundError, StaleStateError, TransientError
from syncd.ports.store.subscriptions import Note


class FakeStore:
    """Keeps what was written together; ``refused`` are subscriptions that stand elsewhere."""

    def __init__(self) -> None:
        self.written = list[list[str]]()
        self.tried = 0
        self.refused = dict[str, Exception]()
        self.ended = frozenset[str]()
        self.held: asyncio.Event | None = None

    async def note_deliveries(self, notes: Sequence[Note]) -> frozenset[str]:
        self.tried += 1
        if self.held is not None:
            await self.held.wait()
        names = [one.subscription_id for one in notes]
        for name in names:
            if name in self.refused:
                raise self.refused[name]
        self.written.append(names)
        return self.ended & set(names)


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def note(name: str) -> Note:
    return Note(subscription_id=name)


async def test_notes_of_a_moment_are_one_transaction(store: FakeStore) -> None:
    async with Notes(store) as notes:  # type: ignore[arg-type]  # all that it asks of one
        for name in ("a", "b", "a"):
            await notes.add(note(name))
        await notes.written("a")
        assert store.written == [["a", "b", "a"]]
        await notes.written("b")
        await notes.written("never heard of")
        await notes.add(note("c"))
        await notes.written("c")
    assert store.written == [["a", "b", "a"], ["c"]]


async def test_leaving_writes_what_is_left(
    store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", timedelta(milliseconds=1))
    async with Notes(store) as notes:  # type: ignore[arg-type]
        await notes.add(note("a"))
        assert store.written == []
    assert store.written == [["a"]]


async def test_who_has_many_waits_until_they_are_written(store: FakeStore) -> None:
    """A kill makes no more than two such heaps come again."""
    store.held = asyncio.Event()
    async with Notes(store) as notes, asyncio.TaskGroup() as group:  # type: ignore[arg-type]
        for _ in range(AT_ONCE - 1):
            await notes.add(note("a"))
        last = group.create_task(notes.add(note("a")))
        await asyncio.sleep(0.05)  # longer than a note waits for others
        assert store.tried == 1
        assert not last.done()
        store.held.set()
        await last
    assert [len(one) for one in store.written] == [AT_ONCE]


@pytest.mark.parametrize("refused", [StaleStateError("elsewhere"), NotFoundError("gone")])
async def test_one_that_is_refused_takes_no_other_with_it(
    store: FakeStore, refused: Exception
) -> None:
    """ADR 42: who comes second notes nothing."""
    store.refused["b"] = refused
    async with Notes(store) as notes:  # type: ignore[arg-type]
        for name in ("a", "b", "c", "b"):
            await notes.add(note(name))
        await notes.written("a")
        await notes.written("c")
        assert store.written == [["a"], ["c"]]
        with pytest.raises(type(refused)):
            await notes.add(note("b"))  # nothing more is sent in vain
        store.refused.clear()
        await notes.add(note("b"))
        await notes.written("b")
    assert store.written[2:] == [["b"]]


async def test_a_store_that_fails_is_asked_once_and_all_are_told(store: FakeStore) -> None:
    store.refused["a"] = TransientError("full")
    async with Notes(store) as notes:  # type: ignore[arg-type]
        for name in ("a", "b"):
            await notes.add(note(name))
        for name in ("a", "b"):
            with pytest.raises(TransientError):
                await notes.written(name)
        assert store.tried == 1


async def test_whose_grant_has_ended_adds_no_more(store: FakeStore) -> None:
    """C20: what was written is written; the next one is refused, and nobody else's."""
    store.ended = frozenset({"a"})
    async with Notes(store) as notes:  # type: ignore[arg-type]  # all that it asks of one
        for name in ("a", "b"):
            await notes.add(note(name))
        await notes.written("b")
        with pytest.raises(ConflictError, match="grant has ended"):
            await notes.add(note("a"))
    assert store.written == [["a", "b"]]
