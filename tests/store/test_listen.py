"""Hearing of what other processes recorded."""

import asyncio
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import TransientError
from syncd.model.ids import ProfileId
from syncd.store.open import SqlStore
from tests.store.opening import SERVER, opened, postgres
from tests.store.samples import a_record, with_profile


async def hear(store: SqlStore, heard: "asyncio.Queue[ProfileId]") -> None:
    async for profile in store.news():
        heard.put_nowait(profile)


async def write_until_heard(store: SqlStore, heard: "asyncio.Queue[ProfileId]") -> ProfileId:
    """Record again and again: nobody says when a listener has begun to listen."""
    profile = await with_profile(store)
    while heard.empty():
        profile = await store.save_profile(profile, records=[a_record()])
        await asyncio.sleep(0.01)
    return heard.get_nowait()


async def test_other_processes_hear_what_was_recorded() -> None:
    """At COMMIT, from inside the transaction."""
    heard: asyncio.Queue[ProfileId] = asyncio.Queue()
    async with postgres() as url, opened(url) as one, opened(url) as two:
        listening = asyncio.create_task(hear(two, heard))
        assert await write_until_heard(one, heard) == 1
        while not heard.empty():
            heard.get_nowait()

        async def fail(connection: AsyncConnection) -> None:
            await one._appender.append(connection, ProfileId(1), [a_record()])
            raise RuntimeError("rolled back")

        with pytest.raises(RuntimeError):
            await one._database.write(fail)
        await asyncio.sleep(0.05)
        assert heard.empty()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening


async def test_a_listener_that_lost_its_connection_is_told() -> None:
    heard: asyncio.Queue[ProfileId] = asyncio.Queue()
    async with (
        postgres() as url,
        opened(url) as store,
        await psycopg.AsyncConnection.connect(SERVER, autocommit=True) as server,
    ):
        listening = asyncio.create_task(hear(store, heard))
        await write_until_heard(store, heard)
        await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = %s",
            (f'LISTEN "{store._appender.channel}"',),
        )
        with pytest.raises(TransientError):
            await listening


async def test_there_is_nobody_to_hear_on_sqlite(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        assert [one async for one in store.news()] == []
