"""Health and checks (S7)."""

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import TransientError
from syncd.store.open import SqlStore
from tests.store.opening import opened
from tests.store.samples import a_page, with_calendar


async def test_health_names_the_database_and_what_is_left(store: SqlStore) -> None:
    health = await store.health()
    product, version = health.database.split(" ", maxsplit=1)
    assert health.writable
    assert health.writer_wait == timedelta(0)
    if product == "SQLite":
        assert version == sqlite3.sqlite_version
        assert health.wal_bytes is not None
        assert health.free_bytes is not None
    else:
        assert product == "PostgreSQL"
        assert (health.wal_bytes, health.free_bytes) == (None, None)


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("DELETE FROM activities WHERE position = 2", "stream 1: 2 activities from 1 to 3"),
        ("DELETE FROM activities WHERE position = 3", "stream 1: 2 activities from 1 to 2"),
        ("DELETE FROM activities", "stream 1: 0 activities"),
        ("UPDATE streams SET floor = 1", "where 2 to 3 should be"),
        ("DELETE FROM streams", "profile 1 has no stream"),
        ("DELETE FROM calendars", "resources of calendar cal_"),
    ],
)
async def test_a_planted_fault_is_found(store: SqlStore, planted: str, found: str) -> None:
    calendar = await with_calendar(store)
    page = a_page(calendar, ["/cal/1", "/cal/2", "/cal/3"])
    await store.record(calendar, page, generation=1)
    assert await store.check() == []

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(text(planted))

    await store._database.write(work)
    assert any(found in one for one in await store.check())


async def test_a_damaged_file_is_found(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        calendar = await with_calendar(store)
        keys = [f"/cal/{number}" for number in range(200)]
        await store.record(calendar, a_page(calendar, keys), generation=1)
    with (tmp_path / "syncd.db").open("r+b") as file:
        page = file.seek(0, 2) * 3 // 4 // 4096 * 4096  # of rows, not of what opening reads
        file.seek(page)
        file.write(b"\xff" * 512)
    async with opened(tmp_path) as store:
        assert any("damaged" in one or "integrity_check" in one for one in await store.check())


async def test_a_closed_store_is_let_go_although_the_database_is(tmp_path: Path) -> None:
    """A full disk must not keep a daemon from ending."""
    async with opened(tmp_path) as store:

        async def refuse(connection: AsyncConnection) -> None:
            await connection.exec_driver_sql("PRAGMA query_only=ON")

        await store._database.write(refuse)
        with pytest.raises(TransientError):
            await store.reserve_profile()
