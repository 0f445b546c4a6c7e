"""Bursts: what is sent one by one, but written and noted together (ADR 52)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.engine.sending import BURST, BURST_LASTS, Sender
from syncd.model.errors import TransientError
from syncd.model.ids import ProfileId
from syncd.model.subscription import Format, Outcome, Subscription
from syncd.ports.sink import Message, Receipt
from syncd.ports.store.subscriptions import Note
from tests.engine.pushed import URL, Ground
from tests.fakes.clock import FakeClock
from tests.fakes.meter import FakeMeter
from tests.fakes.sink import WELL, FakeBurstSink, refused
from tests.store.opening import NOON, opened
from tests.store.samples import with_profile

MANY = tuple(f"e{number}" for number in range(BURST + 4))


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    clock = FakeClock(NOON)
    async with opened(tmp_path, clock=clock) as store:
        await with_profile(store, 1)
        made = Ground(store, clock)
        async with made.running():
            yield made


async def test_a_burst_is_noted_together_and_ends_with_its_time(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted, plain = list[int](), here.deliverer._ledger._notes.add

    async def counted(note: Note) -> None:
        noted.append(len(note.deliveries))
        await plain(note)

    monkeypatch.setattr(here.deliverer._ledger._notes, "add", counted)
    made = await here.subscribe()
    await here.append(1, *MANY)
    await here.settled()
    assert noted == [BURST, 4]
    noted.clear()

    def slow(_url: str, _message: Message) -> Receipt:
        here.clock.advance(BURST_LASTS * 0.6)
        return WELL

    here.sink.answers = slow
    await here.append(1, *MANY[:5])
    await here.settled()
    assert noted == [2, 2, 1]
    assert [name for _, name in here.arrived()] == [*MANY, *MANY[:5]]
    assert await here.store.place(made.id, ProfileId(1)) == len(MANY) + 5


async def test_what_arrived_is_kept_of_a_burst_that_somebody_stops(here: Ground) -> None:
    """A change of the webhook cancels what is under way; nothing that arrived is sent again."""
    made, reached = await here.subscribe(), asyncio.Event()

    def third_hangs(url: str, message: Message) -> Receipt:
        if message.object_id == "b":
            here.sink.held[url] = asyncio.Event()
            reached.set()
        return WELL

    here.sink.answers = third_hangs
    await here.append(1, "a", "b", "c")
    async with asyncio.timeout(10):
        await reached.wait()
    await here.deliverer.stop(made.id)
    assert await here.store.place(made.id, ProfileId(1)) == 2
    logged = await here.store.deliveries(made.id)
    assert [one.outcome for one in logged] == [Outcome.DELIVERED] * 2
    here.sink.held.clear()
    await here.deliverer.changed(made.id)
    await here.settled()
    assert [name for _, name in here.arrived()] == ["a", "b", "c"]


async def test_a_note_that_fails_does_not_keep_a_burst_from_being_stopped(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, reached = await here.subscribe(), asyncio.Event()

    def second_hangs(url: str, _message: Message) -> Receipt:
        here.sink.held[url] = asyncio.Event()
        reached.set()
        return WELL

    async def full(_note: Note) -> None:
        raise TransientError("full")

    here.sink.answers = second_hangs
    monkeypatch.setattr(here.deliverer._ledger._notes, "add", full)
    await here.append(1, "a", "b")
    async with asyncio.timeout(10):
        await reached.wait()
    await here.deliverer.stop(made.id)
    assert made.id not in here.deliverer._later
    monkeypatch.undo()
    here.sink.held.clear()
    here.sink.answers = lambda _url, _message: WELL
    await here.deliverer.changed(made.id)
    await here.settled()
    assert [name for _, name in here.arrived()] == ["a", "a", "b"]
    assert len({one.id for one in here.sink.arrived[URL]}) == 2


async def test_a_failure_ends_a_burst_and_what_was_before_it_is_kept(here: Ground) -> None:
    made = await here.subscribe()
    here.sink.answers = lambda _url, one: refused(503) if one.object_id == "c" else WELL
    await here.append(1, "a", "b", "c", "d")
    await here.settled()
    assert [name for _, name in here.arrived()] == ["a", "b"]
    assert [one.object_id for _, one in here.sink.tried] == ["a", "b", "c"]
    assert await here.store.place(made.id, ProfileId(1)) == 2
    seen = await here.seen(made)
    assert (seen.attempts, seen.delivered_at) == (1, NOON)
    logged = await here.store.deliveries(made.id)
    assert [(one.position, one.outcome, one.attempt) for one in logged] == [
        (3, Outcome.FAILED, 1),
        (2, Outcome.DELIVERED, 1),
        (1, Outcome.DELIVERED, 1),
    ]


@pytest.mark.parametrize(
    ("milliseconds", "arrive", "prepared"),
    [
        (0, BURST, [1, BURST - 1]),
        (10, 10, [1, 9]),
        (40, 3, [1, 1, 1]),  # two more were sure, and the third ends it
        (200, 1, [1]),
    ],
)
async def test_no_more_is_signed_at_once_than_there_is_time_for(
    milliseconds: int, arrive: int, prepared: list[int]
) -> None:
    """What a slow receiver is not sent in this burst is signed in vain, and at the wrong time."""
    sink, clock, arrived = FakeBurstSink(), FakeClock(NOON), list[Receipt]()
    sender = Sender({Format.STANDARD: sink}, clock, FakeMeter())

    def slow(_url: str, _message: Message) -> Receipt:
        clock.advance(timedelta(milliseconds=milliseconds))
        return WELL

    sink.answers = slow
    messages = [Message(id=str(number), word="event.add", at=NOON) for number in range(BURST)]
    asked = Subscription(id="whk_a", url=URL, created=NOON, secrets=())
    assert await sender.many(asked, messages, arrived) is None
    assert len(arrived) == arrive
    assert sink.arrived[URL] == messages[:arrive]
    assert sink.prepared == prepared


async def test_what_comes_behind_a_failure_was_prepared_and_is_not_sent() -> None:
    sink, arrived = FakeBurstSink(), list[Receipt]()
    sender = Sender({Format.STANDARD: sink}, FakeClock(NOON), FakeMeter())
    sink.answers = lambda _url, one: refused(500) if one.id == "2" else WELL
    messages = [Message(id=str(number), word="event.add", at=NOON) for number in range(5)]
    asked = Subscription(id="whk_a", url=URL, created=NOON, secrets=())
    assert await sender.many(asked, messages, arrived) == refused(500)
    assert sink.prepared == [1, 4]
    assert [one.id for _, one in sink.tried] == ["0", "1", "2"]
    assert len(arrived) == 2
