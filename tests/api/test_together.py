"""Readers at one place wait together (K41, ADR 48)."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from syncd.api.sse import AT_ONCE
from syncd.api.together import AT_MOST, Piece, Together, packed
from syncd.model.errors import TransientError
from tests.api.serving import Api
from tests.api.test_follow import following, put, records
from tests.store.opening import counted


class Looks:
    """Looks that end when they are told to."""

    def __init__(self) -> None:
        self.begun = list[str]()
        self.news = asyncio.Event()
        self.fault: Exception | None = None

    async def look(self, cursor: str) -> Piece:
        self.begun.append(cursor)
        await self.news.wait()
        if self.fault is not None:
            raise self.fault
        return Piece(parts=(b"x",), cursor=cursor + "x")


async def test_one_look_answers_all_who_stand_there() -> None:
    looks = Looks()
    async with Together() as together, asyncio.TaskGroup() as group:
        lane = together.lane("a")
        assert together.lane("a") is lane
        waiting = [
            group.create_task(_answer(together.lane(name).ask(cursor, looks.look)))
            for name, cursor in (("a", "1"), ("a", "1"), ("a", "2"), ("b", "1"))
        ]
        waiting[1].cancel()  # leaves
        await asyncio.sleep(0.01)
        assert sorted(looks.begun) == ["1", "1", "2"]
        looks.news.set()
        assert [(await one).cursor for one in (waiting[0], *waiting[2:])] == ["1x", "2x", "1x"]
        assert (await lane.ask("1", looks.look)).cursor == "1x"  # anew
    assert len(looks.begun) == 4


async def test_what_goes_wrong_is_told_to_all_and_ends_nothing_else() -> None:
    looks = Looks()
    looks.fault = TransientError("busy")
    async with Together() as together:
        lane = together.lane("a")
        both = [lane.ask("1", looks.look) for _ in range(2)]
        looks.news.set()
        for one in both:
            with pytest.raises(TransientError):
                await one
        looks.fault = None
        assert (await lane.ask("1", looks.look)).cursor == "1x"


async def test_the_end_waits_for_no_news() -> None:
    looks = Looks()
    async with Together() as together:
        waiting = together.lane("a").ask("1", looks.look)
        await asyncio.sleep(0)
    assert waiting.cancelled()


def test_parts_are_of_a_size_that_a_reader_takes_at_once() -> None:
    small, large = b"s" * 1000, b"l" * (AT_MOST + 1)
    parts = packed([small, large, *[small] * AT_ONCE])
    assert b"".join(parts) == small + large + small * AT_ONCE
    assert large in parts
    assert all(len(one) <= AT_MOST for one in parts if one is not large)
    assert len(parts) == 2 + 1 + AT_ONCE * 1000 // AT_MOST
    assert packed([]) == ()


async def test_many_readers_of_a_stream_read_the_store_together(api: Api) -> None:
    """K41: and each is told of everything."""
    api.ground.server.add("/work/")
    await api.ground.poll()
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(following(api, "?cursor=latest")) for _ in range(20)
        ]
        for each in streams:
            assert (await anext(each)).fields == {"retry": "3000"}
            assert (await anext(each)).silent
        with counted(api.ground.store) as statements:
            put(api, "New")
            await api.ground.poll()
            told = [(await records(each, 1))[0] for each in streams]
    assert {one.name for one in told} == {"New"}
    assert len({one.fields["id"] for one in told}) == 1
    reads = [sql for sql, _ in statements if "FROM streams LEFT OUTER JOIN activities" in sql]
    assert len(reads) < 20  # news, and what follows it; a heartbeat now and then


async def _answer(waiting: "asyncio.Future[Piece]") -> Piece:
    return await waiting
