"""What the store keeps between reads is never older than what was written."""

import asyncio
from dataclasses import replace

from syncd.model.calendar import KnownCalendar
from syncd.model.resource import Change
from syncd.ports.vault import PASSWORD
from syncd.store.held import MOST, Held
from syncd.store.open import SqlStore
from tests.store.opening import NOON
from tests.store.samples import with_calendar, with_profile


async def test_calendars_are_read_anew_after_every_way_to_write_them(store: SqlStore) -> None:
    known = await with_calendar(store)
    profile = await store.profile(known.profile_id)

    async def listed() -> list[KnownCalendar]:
        return list(await store.calendars(profile.id))

    (before,) = await listed()
    await store.record(replace(before, last_error="late"), Change(), generation=profile.generation)
    (after,) = await listed()
    assert (after.last_error, after.revision) == ("late", before.revision + 1)
    renamed = replace(after, calendar=replace(after.calendar, name="Home"))
    await store.save_calendars(profile.id, [renamed], generation=profile.generation)
    assert [one.calendar.name for one in await listed()] == ["Home"]
    (last,) = await listed()
    gone = replace(last, removed_at=NOON)
    await store.save_calendars(profile.id, [gone], generation=profile.generation)
    assert await listed() == []


async def test_credentials_are_read_anew_after_every_way_to_write_them(store: SqlStore) -> None:
    profile = await with_profile(store)

    async def sealed() -> bytes | None:
        return await store.sealed(profile.id, PASSWORD)

    await sealed()
    profile = await store.save_profile(profile, sealed={PASSWORD: b"first", "token": b"t"})
    assert await sealed() == b"first"
    profile = await store.save_profile(profile, sealed={PASSWORD: b"second"})
    assert await sealed() == b"second"
    assert await store.sealed(profile.id, "token") == b"t"
    await store.save_profile(replace(profile, removed=True))
    assert await sealed() is None


async def test_what_was_read_while_somebody_wrote_is_not_kept() -> None:
    held = Held[str](keep=True)
    begun, go = asyncio.Event(), asyncio.Event()

    async def old() -> str:
        begun.set()
        await go.wait()
        return "old"

    async def new() -> str:
        return "new"

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(held.read(1, old))
        await begun.wait()
        with held.rewriting(2):
            pass
        go.set()
    assert reading.result() == "old"
    assert await held.read(1, new) == "new"
    assert await held.read(1, old) == "new"


async def test_the_oldest_answers_make_room() -> None:
    held = Held[int](keep=True)
    fetched = list[int]()

    def fetch(number: int) -> asyncio.Future[int]:
        fetched.append(number)
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(number)
        return answer

    for number in range(MOST + 1):
        await held.read(number, lambda number=number: fetch(number))  # type: ignore[misc]
    await held.read(MOST, lambda: fetch(MOST))
    await held.read(0, lambda: fetch(0))
    assert fetched == [*range(MOST + 1), 0]
