"""A disk that fills up costs the write that does not fit, and nothing else (F35)."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.activity import Filter
from syncd.model.errors import TransientError
from syncd.model.ids import Position
from syncd.store.open import SqlStore
from tests.store.opening import opened
from tests.store.samples import a_page, with_calendar

KEYS = [f"/cal/{number}" for number in range(60)]


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Refuse every write behind this size of a file, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def limit_pages(store: SqlStore, more: int) -> None:
    """Let the file grow by so many pages and no further."""

    async def work(connection: AsyncConnection) -> None:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages + more}")

    await store._database.write(work)


async def state(store: SqlStore) -> object:
    """Return everything that a half transaction would have changed."""
    (profile,) = await store.profiles()
    read = await store.read(profile.id, after=Position(0), limit=1000, wanted=Filter())
    (calendar,) = await store.calendars(profile.id)
    return read, calendar, await store.etags(calendar.id), await store.tallies(profile.id)


async def test_a_full_database_at_every_page_leaves_no_half_transaction(tmp_path: Path) -> None:
    """SQLITE_FULL at the k-th page, for all k, until everything fits."""
    async with opened(tmp_path) as store:
        calendar = await with_calendar(store)
        before = await state(store)
        for more in range(100):
            await limit_pages(store, more)
            try:
                await store.record(calendar, a_page(calendar, KEYS), generation=1)
            except TransientError:
                assert await state(store) == before
                assert await store.check() == []
            else:
                break
        assert 3 < more < 99
        assert len(await store.etags(calendar.id)) == len(KEYS)
        assert await store.check() == []


async def test_a_full_disk_at_every_block_leaves_no_half_transaction(tmp_path: Path) -> None:
    """The WAL itself cannot grow: at the k-th half block, for all k; then all goes on by itself."""
    async with opened(tmp_path) as store:
        calendar = await with_calendar(store)
        before = await state(store)
        size = store._database.wal_bytes() or 0
        for more in range(0, 1 << 20, 2000):
            try:
                with files_up_to(size + more):
                    await store.record(calendar, a_page(calendar, KEYS), generation=1)
            except TransientError:
                assert await state(store) == before
            else:
                break
        assert more > 10_000
        assert len(await store.etags(calendar.id)) == len(KEYS)
        assert await store.check() == []


async def test_a_full_disk_is_told_by_health_and_reading_goes_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        calendar = await with_calendar(store)
        assert (await store.health()).writable
        with files_up_to(store._database.wal_bytes() or 0):
            assert not (await store.health()).writable
            with pytest.raises(TransientError):
                await store.reserve_profile()
            assert await store.calendar(calendar.id) == calendar
        assert (await store.health()).writable
        assert await store.reserve_profile() == 1
