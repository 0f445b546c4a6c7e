"""Overlapping transactions on PostgreSQL, and readers of many profiles (F28, N11)."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.activity import Filter
from syncd.model.calendar import KnownCalendar
from syncd.model.ids import ProfileId
from syncd.model.merged import ORIGIN, Ends, MergedActivity, Place
from syncd.model.reach import Reach
from syncd.store import migrate
from syncd.store.open import SqlStore
from syncd.store.tables import activities, calendars, installations, streams
from tests.store.opening import opened, postgres, rewind
from tests.store.samples import a_calendar, a_page, a_record, with_calendar, with_profile

NIGHTLY = os.environ.get("SYNCD_TESTS") == "nightly"
ACTIVITIES = 100_000 if NIGHTLY else 10_000
WRITERS, READERS, PAGE = 16, 4, 25
PROFILES = (1, 2, 3, 4)
EVERYTHING = Reach(everything=True)

Seen = list[tuple[int, int]]


async def write(store: SqlStore, calendar: KnownCalendar, seed: int) -> None:
    """Record this writer's share, a page of its own size at a time."""
    chance, left, number = random.Random(seed), ACTIVITIES // WRITERS, 0  # noqa: S311 - any will do
    while left:
        size = min(left, chance.randint(1, 2 * PAGE))
        keys = [f"{calendar.key}{number}/{one}" for one in range(size)]
        calendar = await store.record(calendar, a_page(calendar, keys), generation=1)
        left, number = left - size, number + 1


async def read(store: SqlStore, after: Place) -> tuple[Ends, tuple[MergedActivity, ...], Place]:
    return await store.read_merged(
        EVERYTHING, after=after, limit=1000, wanted=Filter(), after_auth=False
    )


@asynccontextmanager
async def running(url: str) -> AsyncIterator[None]:
    """Hold a transaction open, older than all that begin inside of this."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT pg_current_xact_id()")
        yield


async def follow(store: SqlStore, until: int) -> Seen:
    """Read behind the last place, as a client does, until so many have come."""
    seen, after = Seen(), ORIGIN
    while len(seen) < until:
        _, found, after = await read(store, after)
        seen += [(one.place.profile, one.place.position) for one in found]
        if not found:
            await asyncio.sleep(0.005)
    return seen


async def follow_naively(store: SqlStore, ended: asyncio.Event) -> Seen:
    """Read behind the highest order seen, whatever still runs."""
    row, seen, after = activities.c, Seen(), Place(0, ProfileId(0), ORIGIN.position)
    key = (row.commit_order, row.profile_id, row.position)
    while True:
        last = ended.is_set()
        found = await store._database.fetch(
            select(*key).where(row.commit_order > after.order).order_by(*key)
        )
        seen += [(one.profile_id, one.position) for one in found]
        after = Place(*found[-1]) if found else after
        if last:
            return seen
        await asyncio.sleep(0.001)


@pytest.mark.timeout(1200 if NIGHTLY else 240)  # a loaded machine
async def test_sixteen_writers_lose_and_double_nothing_where_naive_reading_does() -> None:
    """Two processes' worth of connections; the control reads the same rows at the same time."""
    async with postgres() as url, opened(url) as one, opened(url) as two:
        known: list[KnownCalendar] = []
        for profile in PROFILES:
            first = await with_calendar(one, profile)
            more = [a_calendar(first.profile_id, f"/{number}/") for number in range(3)]
            await one.save_calendars(first.profile_id, more, generation=1)
            known.extend(await one.calendars(first.profile_id))
        assert len(known) == WRITERS
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            readers = [
                group.create_task(follow((one, two)[number % 2], ACTIVITIES))
                for number in range(READERS)
            ]
            naive = group.create_task(follow_naively(two, ended))
            async with asyncio.TaskGroup() as writers:
                for number, calendar in enumerate(known):
                    writers.create_task(write((one, two)[number % 2], calendar, number))
            ended.set()
        share = ACTIVITIES // len(PROFILES)
        for reader in readers:
            seen = reader.result()
            assert seen == readers[0].result()
            for profile in PROFILES:
                mine = [position for each, position in seen if each == profile]
                assert mine == list(range(1, share + 1))  # each once, in its profile's order
        assert set(naive.result()) < set(readers[0].result())
        assert await one.check() == []


async def test_one_profiles_records_keep_their_order_against_that_of_transactions() -> None:
    """Who began first comes to the stream last: the lower transaction has the higher position."""
    async with postgres() as url, opened(url) as store:
        calendar = await with_calendar(store)
        profile = calendar.profile_id
        began, may_go_on = asyncio.Event(), asyncio.Event()

        async def early(connection: AsyncConnection) -> None:
            mine = calendars.c.calendar_id == calendar.id
            await connection.execute(update(calendars).where(mine).values(missing=0))
            began.set()
            await may_go_on.wait()
            await store._appender.append(connection, profile, [a_record("late")])

        async def late(connection: AsyncConnection) -> None:
            await store._appender.append(connection, profile, [a_record("soon")])

        async with asyncio.TaskGroup() as group:
            group.create_task(store._database.write(early))
            await began.wait()
            await store._database.write(late)
            held, found, _ = await store.read_merged(
                EVERYTHING, after=None, limit=9, wanted=Filter(), after_auth=False
            )
            assert (found, held.settled) == ((), False)  # the early one may still come before it
            may_go_on.set()
        assert await follow(store, 2) == [(1, 1), (1, 2)]
        rows = await store._database.fetch(select(activities.c.commit_order))
        assert len({row.commit_order for row in rows}) == 1


async def test_ids_of_another_servers_transactions_hold_nothing_back(tmp_path: Path) -> None:
    """S8: a dump that was put back on a younger server."""
    async with postgres() as url:
        async with opened(url, state_dir=tmp_path) as store:
            profile = await with_profile(store)
            await store.save_profile(profile, records=[a_record("a"), a_record("b")])

            async def age(connection: AsyncConnection) -> None:
                later = activities.c.commit_order + 10**12
                await connection.execute(update(activities).values(commit_order=later))
                later = streams.c.head_order + 10**12
                await connection.execute(update(streams).values(head_order=later))
                await connection.execute(update(installations).values(server_identity="other"))

            await store._database.write(age)
        async with opened(url, state_dir=tmp_path) as store:
            assert await follow(store, 2) == [(1, 1), (1, 2)]
            profile = await store.profile(profile.id)
            async with running(url):
                await store.save_profile(profile, records=[a_record("c")])
                assert await follow(store, 2) == [(1, 1), (1, 2)]  # the third is held back
                _, found, after = await read(store, ORIGIN)
                assert [one.place.position for one in found] == [1, 2]
                assert (await read(store, after))[1] == ()  # and these are not told again
            assert await follow(store, 3) == [(1, 1), (1, 2), (1, 3)]


async def test_rows_from_before_the_order_of_commits_are_brought_in_order() -> None:
    """Revision 11."""

    def old_and_new(connection: Connection) -> list[tuple[int, int, int]]:
        rewind(connection, "0008")
        for position, order in ((1, "7"), (2, "5"), (3, "9")):
            connection.execute(
                text(
                    "INSERT INTO activities (commit_order, profile_id, position, kind, type,"
                    " object_id, recorded_at, body)"
                    " VALUES (CAST(:order AS xid8), 1, :position, 'event', 'add', 'x', 0, :body)"
                ),
                {"order": order, "position": position, "body": b"{}"},
            )
        migrate.upgrade(connection)
        row = activities.c
        rows = connection.execute(
            select(row.profile_id, row.position, row.commit_order).order_by(row.position)
        )
        return [tuple(one) for one in rows]

    async with postgres() as url, opened(url) as store:

        async def work(connection: AsyncConnection) -> list[tuple[int, int, int]]:
            told = await connection.run_sync(old_and_new)
            await connection.rollback()
            return told

        assert await store._database.write(work) == [(1, 1, 7), (1, 2, 7), (1, 3, 9)]
