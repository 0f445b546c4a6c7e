"""Cancellation storms: no half rows, nothing pinned (S4, S5, F32)."""

import asyncio
import random
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import aiosqlite
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.activity import Filter
from syncd.model.ids import CalendarId, Position, ProfileId
from syncd.store.open import SqlStore
from tests.store.samples import a_page, with_calendar

ROUNDS = 150
PAGE = 7
ALL = Filter()


@pytest.fixture
def dice() -> random.Random:
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    return random.Random(seed)  # noqa: S311 - replayed, not guessed


async def storm(dice: random.Random, work: Callable[[int], Awaitable[object]]) -> int:
    """Cancel ``work`` at every kind of moment, sometimes twice; return how often it ended first."""
    done = 0
    for number in range(ROUNDS):
        task = asyncio.ensure_future(work(number))
        await asyncio.sleep(dice.choice([0, 0, 0.0002, 0.001, 0.003, 0.01]))
        for _ in range(dice.choice([1, 1, 2])):
            task.cancel()
            await asyncio.sleep(0)
        with suppress(asyncio.CancelledError):
            await task
            done += 1
    return done


async def test_a_storm_leaves_no_half_rows_and_pins_nothing(
    store: SqlStore, dice: random.Random
) -> None:
    calendars = [await with_calendar(store, number) for number in (1, 2, 3)]

    async def write(calendar: CalendarId, number: int) -> None:
        known = await store.calendar(calendar)
        page = a_page(known, [f"/{number}/{one}" for one in range(PAGE)])
        await store.record(known, page, generation=1)

    async def read(profile: ProfileId, _: int) -> None:
        await store.read(profile, after=Position(0), limit=1000, wanted=ALL)
        await store.tallies(profile)

    async with asyncio.TaskGroup() as group:
        for one in calendars:
            group.create_task(storm(dice, partial(write, one.id)))
            group.create_task(storm(dice, partial(read, one.profile_id)))

    for one in calendars:
        stream = await store.stream(one.profile_id)
        (tally,) = (await store.tallies(one.profile_id)).values()
        known = await store.calendar(one.id)
        pages = known.revision - one.revision
        assert pages > 0
        assert (stream.head, tally.events) == (pages * PAGE, pages * PAGE)
    assert await store.check() == []
    assert await nothing_is_pinned(store)


async def nothing_is_pinned(store: SqlStore) -> bool:
    """Tell whether the WAL can be emptied, or no session of ours is inside a transaction."""
    if store._database.is_sqlite:
        await store._database._truncate(wait_ms=0)
        return store._database.wal_bytes() == 0

    async def work(connection: AsyncConnection) -> bool:
        query = (
            "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
            " WHERE relnamespace = current_schema()::regnamespace AND pid <> pg_backend_pid()"
        )
        return (await connection.exec_driver_sql(query)).scalar() == 0

    return await store._database.write(work)


async def test_a_shared_connection_without_a_shield_leaks_halves(
    tmp_path: Path, dice: random.Random
) -> None:
    """The control of the storm: the same, as it would be written without thinking."""
    async with aiosqlite.connect(tmp_path / "naive.db") as shared:
        await shared.execute("CREATE TABLE one (number)")
        await shared.execute("CREATE TABLE two (number)")

        async def write(number: int) -> None:
            await shared.execute("INSERT INTO one VALUES (?)", (number,))
            await asyncio.sleep(0)
            await shared.execute("INSERT INTO two VALUES (?)", (number,))
            await shared.commit()

        await storm(dice, write)
        await write(-1)
        half = "SELECT number FROM one EXCEPT SELECT number FROM two"
        assert await shared.execute_fetchall(half)


async def test_a_reader_cancelled_before_it_fetched_pins_the_wal(tmp_path: Path) -> None:
    """The control of the reader's half of it."""
    writer = sqlite3.connect(tmp_path / "naive.db", isolation_level=None, timeout=0)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("CREATE TABLE one (number)")
    writer.executemany("INSERT INTO one VALUES (?)", [(number,) for number in range(100)])
    async with aiosqlite.connect(tmp_path / "naive.db", isolation_level=None) as reader:

        async def read() -> None:
            cursor = await reader.execute("SELECT * FROM one")
            await asyncio.sleep(1)
            await cursor.fetchall()

        task = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        pinned = task.get_stack()[-1].f_locals["cursor"]  # as a traceback that is kept would do
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        writer.execute("INSERT INTO one VALUES (1)")
        (busy, _, _) = writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 1
        await pinned.close()
    writer.close()
