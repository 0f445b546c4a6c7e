"""How the database is used: PRAGMAs, turns, checkpoints, failures (S2, S4, S5)."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import SyncdError, TransientError
from syncd.model.ids import ResourceKey
from syncd.model.resource import Change, KeptResource
from syncd.store.database import Database
from syncd.store.open import SqlStore
from tests.fakes.clock import FakeClock
from tests.store.opening import SERVER, opened, postgres
from tests.store.samples import a_page, with_calendar, with_profile

MIB = 1 << 20


async def pragma(connection: AsyncConnection, name: str) -> object:
    return (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()


async def test_the_writer_and_the_readers_are_set_up_as_promised(tmp_path: Path) -> None:
    """S2, to the letter; FULL is what I15 stands on."""
    names = ["journal_mode", "synchronous", "foreign_keys", "busy_timeout", "mmap_size"]
    async with opened(tmp_path) as store:
        names += ["journal_size_limit", "query_only", "wal_autocheckpoint"]

        async def work(connection: AsyncConnection) -> list[object]:
            return [await pragma(connection, name) for name in names]

        assert await store._database.write(work) == [
            "wal", 2, 1, 5000, 0, 64 * MIB, 0, 1000,
        ]  # fmt: skip
        read = [(await store._database.fetch(text(f"PRAGMA {name}")))[0][0] for name in names[2:5]]
        assert read == [1, 5000, 0]
        for name, value in (("query_only", 1), ("wal_autocheckpoint", 0)):
            assert (await store._database.fetch(text(f"PRAGMA {name}")))[0][0] == value
        with pytest.raises(TransientError, match="readonly"):
            await store._database.fetch(text("DELETE FROM users RETURNING user_id"))


async def test_a_new_file_has_large_pages_and_an_older_one_keeps_its_own(tmp_path: Path) -> None:
    """ADR 51."""

    async def page_size(where: Path) -> object:
        async with opened(where, copied=False) as store:
            await fill(store, 1)
            return await store._database.write(lambda connection: pragma(connection, "page_size"))

    for name in ("new", "older"):
        (tmp_path / name).mkdir()
    with closing(sqlite3.connect(tmp_path / "older" / "syncd.db")) as before:
        before.execute("PRAGMA page_size=4096")
        before.execute("VACUUM")
    assert await page_size(tmp_path / "new") == 8192
    assert await page_size(tmp_path / "older") == 4096


async def test_commits_reach_the_disk_where_the_servers_default_is_laxer() -> None:
    """I15, on PostgreSQL."""
    async with postgres() as url, opened(f"{url}%20-csynchronous_commit%3Doff") as store:

        async def work(connection: AsyncConnection) -> object:
            return (await connection.execute(text("SHOW synchronous_commit"))).scalar()

        assert await store._database.write(work) == "on"


async def test_a_bug_is_no_transient_error(store: SqlStore) -> None:
    with pytest.raises(Exception, match="nowhere") as raised:
        await store._database.fetch(text("SELECT * FROM nowhere"))
    assert not isinstance(raised.value, SyncdError)


async def test_writes_wait_for_their_turn_and_the_wait_is_measured(
    tmp_path: Path, clock: FakeClock
) -> None:
    """S7."""
    async with opened(tmp_path, clock=clock) as store:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def slow(_: AsyncConnection) -> None:
            entered.set()
            await leave.wait()

        async with asyncio.TaskGroup() as group:
            group.create_task(store._database.write(slow))
            await entered.wait()
            asked = group.create_task(store.health())
            while not store._database._waiting:  # noqa: ASYNC110 - it has no event for tests
                await asyncio.sleep(0)
            clock.advance(timedelta(seconds=2))
            leave.set()
        health = asked.result()
        assert health.writer_wait == timedelta(seconds=2)
        assert health.writable


async def test_a_cancelled_writer_leaves_when_its_transaction_has_ended(store: SqlStore) -> None:
    """S4, however often it is cancelled."""
    entered, leave = asyncio.Event(), asyncio.Event()
    ended: list[str] = []

    async def slow(_: AsyncConnection) -> None:
        entered.set()
        await leave.wait()
        ended.append("work")

    writing = asyncio.create_task(store._database.write(slow))
    await entered.wait()
    for _ in range(3):
        writing.cancel()
        await asyncio.sleep(0.01)
        assert not writing.done()
    leave.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert ended == ["work"]


async def test_a_cancelled_caller_that_waits_for_its_turn_leaves_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        entered, leave = asyncio.Event(), asyncio.Event()

        async def slow(_: AsyncConnection) -> None:
            entered.set()
            await leave.wait()

        first = asyncio.create_task(store._database.write(slow))
        await entered.wait()
        second = asyncio.create_task(store._database.write(slow))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert not first.done()
        leave.set()
        await first


async def test_a_locked_database_is_tried_again_later(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:

        async def hurry(connection: AsyncConnection) -> None:
            await connection.exec_driver_sql("PRAGMA busy_timeout=20")

        await store._database.write(hurry)
        with closing(sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(TransientError, match="locked"):
                await store.reserve_profile()
            assert not (await store.health()).writable
        assert await store.reserve_profile() == 1


async def test_a_lost_connection_costs_one_call_and_leaves_no_half() -> None:
    """The server closes what the store has open, also in the middle of a transaction."""
    async with (
        postgres() as url,
        opened(url) as store,
        await psycopg.AsyncConnection.connect(SERVER, autocommit=True) as server,
    ):
        await with_profile(store)
        rows = await store._database.fetch(text("SELECT pg_backend_pid()"))
        await server.execute("SELECT pg_terminate_backend(%s)", (rows[0][0],))
        with pytest.raises(TransientError):
            await store.users()
        assert len(await store.users()) == 1

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(text("UPDATE users SET name = 'half'"))
            pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar()
            await server.execute("SELECT pg_terminate_backend(%s)", (pid,))

        with pytest.raises(TransientError):
            await store._database.write(work)
        assert [user.name for user in await store.users()] == ["ada"]
        assert await store.reserve_profile() == 1


async def test_an_unreachable_server_is_a_transient_error(tmp_path: Path) -> None:
    with pytest.raises(TransientError):
        async with opened("postgresql://postgres@127.0.0.1:1/none", state_dir=tmp_path):
            pass


async def fill(store: SqlStore, pages: int) -> int:
    """Write pages of 2 MiB; return the largest size that the WAL had after one."""
    calendar = await with_calendar(store)
    largest = 0
    for page in range(pages):
        kept = tuple(
            KeptResource(key=ResourceKey(f"{page}/{one}"), uid="", etag="", raw=bytes(4096))
            for one in range(500)
        )
        calendar = await store.record(calendar, Change(kept=kept), generation=1)
        largest = max(largest, store._database.wal_bytes() or 0)
    return largest


async def test_the_wal_stays_small_while_readers_come_and_go(tmp_path: Path) -> None:
    """F32, S2."""
    async with opened(tmp_path) as store:

        async def read() -> None:
            while True:
                await store.users()

        readers = [asyncio.create_task(read()) for _ in range(4)]
        largest = await fill(store, 20)
        for one in readers:
            one.cancel()
        assert largest < 16 * MIB


async def test_a_reader_that_stays_would_pin_the_wal(tmp_path: Path) -> None:
    """The control of the test above; and writers go on nevertheless."""
    async with opened(tmp_path) as store:
        with closing(sqlite3.connect(tmp_path / "syncd.db", isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM users").fetchall()
            assert await fill(store, 10) > 16 * MIB
        calendar = (await store.profiles())[0].id
        (known,) = await store.calendars(calendar)
        await store.record(known, Change(), generation=1)
        assert store._database.wal_bytes() == 0


async def test_nothing_is_left_beside_a_closed_store(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await fill(store, 1)
    left = sorted(one.name for one in tmp_path.iterdir())  # noqa: ASYNC240 - nothing else runs
    assert left == ["store.beats", "syncd.db"]


async def test_rows_of_a_snapshot_are_read_in_one_step_into_the_thread(tmp_path: Path) -> None:
    """F32: between execute, fetch and close there is nowhere to be cancelled."""
    async with opened(tmp_path) as store:
        calendar = await with_calendar(store)
        await store.record(calendar, a_page(calendar, ["/cal/1"]), generation=1)
        database: Database = store._database
        async with database._reader.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None
            steps = 0
            plain = driver._tx.put_nowait

            class Counting:
                def put_nowait(self, step: object) -> None:
                    nonlocal steps
                    steps += 1
                    plain(step)

            driver._tx = Counting()
            rows = (await connection.execute(text("SELECT body FROM activities"))).all()
        assert len(rows) == 1
        assert steps == 1


async def test_a_closed_store_waits_for_what_runs_and_takes_nothing_more(store: SqlStore) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(_: AsyncConnection) -> str:
        entered.set()
        await leave.wait()
        return "done"

    writing = asyncio.create_task(store._database.write(slow))
    await entered.wait()
    closing_it = asyncio.create_task(store._database.close())
    await asyncio.sleep(0.01)
    with pytest.raises(TransientError, match="closed"):
        await store.reserve_profile()
    assert not closing_it.done()
    leave.set()
    await closing_it
    assert await writing == "done"
    with pytest.raises(TransientError, match="closed"):
        await store.users()
