"""Pages that many want are read once, and never older than what somebody has heard of (ADR 48)."""

import asyncio

import pytest

from syncd.engine.shared import _MOST, SharedReads
from syncd.model.activity import Activity, Filter, Stream
from syncd.model.errors import TransientError
from syncd.model.ids import Position, ProfileId

ONE, TWO = ProfileId(1), ProfileId(2)
ALL = Filter()


class FakeStreams:
    """Counts reads; ``held`` stops them, ``fails`` the next ones."""

    def __init__(self) -> None:
        self.reads = 0
        self.held: asyncio.Event | None = None
        self.fails = 0

    async def read(
        self, profile: ProfileId, *, after: Position, limit: int, wanted: Filter
    ) -> tuple[Stream, tuple[Activity, ...], Position]:
        del limit, wanted
        self.reads += 1
        head = Position(self.reads)
        if self.held is not None:
            await self.held.wait()
        if self.fails:
            self.fails -= 1
            raise TransientError("busy")
        return Stream(profile_id=profile, epoch="a" * 8, head=head, floor=after), (), head


async def head(shared: SharedReads, profile: ProfileId = ONE, after: int = 0) -> int:
    stream, _, _ = await shared.read(profile, after=Position(after), limit=9, wanted=ALL)
    return stream.head


async def test_a_page_is_read_once_until_there_is_news() -> None:
    streams = FakeStreams()
    shared = SharedReads(streams)  # type: ignore[arg-type]  # all that it asks of a store
    assert [await head(shared), await head(shared)] == [1, 1]
    assert [await head(shared, after=5), await head(shared, TWO)] == [2, 3]
    shared.forget(ONE)
    assert [await head(shared), await head(shared, after=5), await head(shared, TWO)] == [4, 5, 3]
    shared.forget()
    assert await head(shared, TWO) == 6


async def test_who_heard_of_news_joins_no_read_that_began_before() -> None:
    streams = FakeStreams()
    streams.held = asyncio.Event()
    shared = SharedReads(streams)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as group:
        before = [group.create_task(head(shared)) for _ in range(2)]
        await asyncio.sleep(0)
        shared.forget(ONE)
        after = [group.create_task(head(shared)) for _ in range(2)]
        await asyncio.sleep(0)
        streams.held.set()
    assert [one.result() for one in (*before, *after)] == [1, 1, 2, 2]


async def test_others_do_not_fail_with_whoever_reads_for_them() -> None:
    streams = FakeStreams()
    streams.held = asyncio.Event()
    shared = SharedReads(streams)  # type: ignore[arg-type]
    async with asyncio.TaskGroup() as group:
        first = group.create_task(head(shared))
        await asyncio.sleep(0)
        second = group.create_task(head(shared))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        streams.held.set()
        assert await second == 2
    shared.forget()
    streams.fails = 1
    with pytest.raises(TransientError):
        await head(shared)
    assert await head(shared) == 4


async def test_few_pages_are_kept() -> None:
    streams = FakeStreams()
    shared = SharedReads(streams)  # type: ignore[arg-type]
    for number in range(3 * _MOST):
        await head(shared, ProfileId(number % 5), number)
    assert sum(len(one) for one in shared._reads.values()) == _MOST
