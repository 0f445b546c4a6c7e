"""Overlapping writers on PostgreSQL, and readers that must lose nothing (I3, F28)."""

import asyncio
import random
from itertools import count

import psycopg
import pytest

from syncd.model.activity import Filter
from syncd.model.calendar import KnownCalendar
from syncd.model.ids import Position, ProfileId
from syncd.store.open import SqlStore
from tests.store.opening import opened, postgres
from tests.store.samples import a_calendar as calendar_named
from tests.store.samples import a_page, with_calendar

WRITERS, READERS, ACTIVITIES, PAGE = 16, 4, 20_000, 50
PROFILES = (1, 2)


async def write(store: SqlStore, calendar: KnownCalendar) -> None:
    """Record this writer's share, page by page, from whatever revision is there."""
    for number in range(ACTIVITIES // WRITERS // PAGE):
        page = a_page(calendar, [f"{calendar.key}{number}/{one}" for one in range(PAGE)])
        calendar = await store.record(calendar, page, generation=1)


async def follow(store: SqlStore, profile: ProfileId, until: int) -> list[int]:
    """Read behind the last position seen, as a client does, until all has come."""
    seen: list[int] = []
    while len(seen) < until:
        after = Position(seen[-1] if seen else 0)
        _, read, _ = await store.read(profile, after=after, limit=1000, wanted=Filter())
        seen.extend(one.position for one in read)
        if not read:
            await asyncio.sleep(0.005)
    return seen


@pytest.mark.timeout(120)  # a loaded machine
async def test_no_reader_loses_an_activity_and_positions_have_no_gap() -> None:
    """Two processes' worth of connections write to two streams at once."""
    async with postgres() as url, opened(url) as one, opened(url) as two:
        calendars: list[KnownCalendar] = []
        for profile in PROFILES:
            first = await with_calendar(one, profile)
            more = [calendar_named(first.profile_id, f"/{number}/") for number in range(7)]
            await one.save_calendars(first.profile_id, more, generation=1)
            calendars.extend(await one.calendars(first.profile_id))
        assert len(calendars) == WRITERS
        share = ACTIVITIES // len(PROFILES)
        async with asyncio.TaskGroup() as group:
            for number, calendar in enumerate(calendars):
                group.create_task(write((one, two)[number % 2], calendar))
            readers = [
                group.create_task(
                    follow((one, two)[number // 2], ProfileId(PROFILES[number % 2]), share)
                )
                for number in range(READERS)
            ]
        for reader in readers:
            assert reader.result() == list(range(1, share + 1))
        assert await one.check() == []


async def test_a_cursor_over_a_sequence_does_lose() -> None:
    """The control: ``id > cursor`` on a bigserial, read by the same kind of client."""
    async with postgres() as url:
        setup = await psycopg.AsyncConnection.connect(url, autocommit=True)
        await setup.execute("CREATE TABLE naive (id bigserial PRIMARY KEY)")
        ended = asyncio.Event()

        async def write(seed: int) -> None:
            pause = random.Random(seed)  # noqa: S311 - any will do
            async with await psycopg.AsyncConnection.connect(url) as connection:
                for _ in range(40):
                    await connection.execute("INSERT INTO naive DEFAULT VALUES")
                    await asyncio.sleep(pause.random() / 200)
                    await connection.commit()

        async def read() -> set[int]:
            seen: set[int] = set()
            cursor = 0
            for _ in count():
                last = ended.is_set()
                rows = await setup.execute("SELECT id FROM naive WHERE id > %s", (cursor,))
                found = {row[0] for row in await rows.fetchall()}
                seen |= found
                cursor = max(found, default=cursor)
                if last:
                    break
                await asyncio.sleep(0.001)
            return seen

        async with asyncio.TaskGroup() as group:
            reading = group.create_task(read())
            async with asyncio.TaskGroup() as writers:
                for seed in range(WRITERS):
                    writers.create_task(write(seed))
            ended.set()
        rows = await setup.execute("SELECT id FROM naive")
        lost = {row[0] for row in await rows.fetchall()} - reading.result()
        assert lost
        await setup.close()
