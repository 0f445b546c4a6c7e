"""One process of all those on a database does what one must do (ADR 50)."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from syncd.model.errors import TransientError
from syncd.store import database
from syncd.store.open import SqlStore
from tests.store.opening import opened, postgres


async def on_duty(store: SqlStore) -> bool:
    async with store.duty() as still:
        if still is not None:
            await still()
        return still is not None


_HOLDERS = """
SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1
AND (classid::bigint << 32 | objid::bigint) = hashtextextended(current_schema() || ' syncd duty', 0)
"""


async def cut_off(url: str) -> None:
    """End the session that has the lock, as a server that restarts does."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as server:
        ended = await (await server.execute(_HOLDERS)).fetchall()
        assert ended == [(True,)]


async def test_one_has_it_until_it_leaves() -> None:
    async with postgres() as url, opened(url) as one, opened(url) as two, postgres() as elsewhere:
        async with one.duty() as still, opened(elsewhere) as stranger:
            assert still is not None
            assert not await on_duty(two)
            assert await on_duty(stranger)
        assert await on_duty(two)
        assert await on_duty(one)


async def test_who_lost_its_connection_is_told_and_another_takes_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with postgres() as url, opened(url) as one, opened(url) as two:

        async def keep() -> None:
            async with one.duty() as still:
                assert still is not None
                await still()
                await cut_off(url)
                assert await on_duty(two)
                await still()

        with pytest.raises(TransientError):
            await keep()
        monkeypatch.setattr(database, "LONGEST_CHECK", 0.0)
        with pytest.raises(TransientError):
            await on_duty(one)


async def test_a_file_has_one_process(tmp_path: Path) -> None:
    async with opened(tmp_path) as store, store.duty() as one, store.duty() as two:
        assert one is not None
        assert two is not None
        await asyncio.wait_for(one(), 1)
