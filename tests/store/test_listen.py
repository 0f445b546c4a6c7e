"""Hearing of what other processes recorded."""

import asyncio
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import TransientError
from syncd.model.ids import ProfileId
from syncd.model.subscription import Outcome, Reason, SigningSecret
from syncd.store.listen import tell
from syncd.store.open import SqlStore
from tests.contract.test_subscriptions import a_subscription, an_attempt
from tests.store.opening import NOON, SERVER, opened, postgres
from tests.store.samples import a_record, with_profile


async def hear(store: SqlStore, heard: "asyncio.Queue[ProfileId | str]") -> None:
    async for news in store.news():
        heard.put_nowait(news)


async def write_until_heard(
    store: SqlStore, heard: "asyncio.Queue[ProfileId | str]"
) -> ProfileId | str:
    """Record again and again: nobody says when a listener has begun to listen."""
    profile = await with_profile(store)
    while heard.empty():
        profile = await store.save_profile(profile, records=[a_record()])
        await asyncio.sleep(0.01)
    return heard.get_nowait()


async def test_other_processes_hear_what_was_recorded() -> None:
    """At COMMIT, from inside the transaction."""
    heard: asyncio.Queue[ProfileId | str] = asyncio.Queue()
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


async def test_other_processes_hear_of_what_was_changed_about_a_subscription() -> None:
    """Not the one that changed it: it has told its deliverer itself."""
    here, there = asyncio.Queue[ProfileId | str](), asyncio.Queue[ProfileId | str]()
    async with postgres() as url, opened(url) as one, opened(url) as two:
        listening = [asyncio.create_task(hear(*pair)) for pair in ((one, here), (two, there))]
        while here.empty() or there.empty():
            await one._database.write(lambda each: tell(each, _channel(one), "1"))
            await asyncio.sleep(0.01)
        await with_profile(one)
        hook = a_subscription()
        await one.add_subscription(hook, at=None, beginning=False)
        await one.save_subscription(replace(hook, reason=Reason.OPERATOR))
        await one.add_secret(hook.id, SigningSecret(id="new", sealed=b"x"), until=NOON)
        await one.queue_replays([an_attempt(1, outcome=Outcome.PENDING)])
        await one.hurry_replays(hook.id)
        await one.remove_subscription(hook.id)
        await one._database.write(lambda each: tell(each, _channel(one), "2"))  # the last
        for heard, changes in ((here, 0), (there, 6)):
            told = list[ProfileId | str]()
            while not told or told[-1] != 2:
                told.append(await asyncio.wait_for(heard.get(), 10))
            assert [each for each in told if isinstance(each, str)] == [hook.id] * changes
        for task in listening:
            task.cancel()


def _channel(store: SqlStore) -> str:
    assert store._appender.channel is not None
    return store._appender.channel


async def test_a_listener_that_lost_its_connection_is_told() -> None:
    heard: asyncio.Queue[ProfileId | str] = asyncio.Queue()
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
