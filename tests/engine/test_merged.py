"""Reading many profiles behind one cursor, and waiting (N11; K36-K40)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.engine.hub import Hub
from syncd.engine.merged import MergedReader
from syncd.model.access import User
from syncd.model.activity import Filter
from syncd.model.errors import CursorExpiredError, MalformedCursorError
from syncd.model.ids import Cursor, Position, ProfileId, UserId
from syncd.model.merged import MergedBatch
from syncd.model.reach import Reach
from syncd.store.open import SqlStore
from tests.fakes.clock import FakeClock
from tests.store.opening import NOON, opened
from tests.store.samples import USER, a_profile, a_record, with_profile

SECOND = timedelta(seconds=1)
LONG = timedelta(seconds=20)
EVE = UserId("acc_eve")
MINE = Reach(users=frozenset({USER}))
HERS = Reach(users=frozenset({EVE}))


class Ground:
    """Two profiles of one user, one of another."""

    def __init__(self, store: SqlStore, clock: FakeClock) -> None:
        self.store = store
        self.hub = Hub()
        self.reader = MergedReader(store, self.hub, clock)

    async def read(
        self,
        cursor: str | None = None,
        *,
        reach: Reach = MINE,
        limit: int = 100,
        wait: timedelta = timedelta(),
    ) -> MergedBatch:
        return await self.reader.read(reach, cursor=cursor, limit=limit, wanted=Filter(), wait=wait)

    async def append(self, profile: int, name: str = "x") -> None:
        found = await self.store.profile(ProfileId(profile))
        await self.store.save_profile(found, records=[a_record(name)])
        self.hub.wake(found.id)

    async def end(self, reach: Reach = MINE) -> str:
        return str((await self.read("latest", reach=reach)).cursor)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    clock = FakeClock(NOON)
    async with opened(tmp_path, clock=clock) as store:
        await with_profile(store, 1)
        await with_profile(store, 2)
        await store.add_user(User(id=EVE, name="eve", created=NOON))
        await store.add_profile(a_profile(3, user_id=EVE), sealed={}, records=())
        yield Ground(store, clock)


def profiles(batch: MergedBatch) -> list[int]:
    return [one.place.profile for one in batch.activities]


async def test_pages_follow_one_another_without_gap_or_repeat(here: Ground) -> None:
    """K35."""
    for profile in (1, 2, 3, 2, 1):
        await here.append(profile)
    for limit in (1, 2, 9):
        cursor, found = None, list[int]()
        while (batch := await here.read(cursor, limit=limit)).activities:
            found += profiles(batch)
            cursor = str(batch.cursor)
        assert found == [1, 2, 2, 1]
        assert str(batch.cursor) == cursor  # an empty page echoes its cursor


async def test_a_records_own_cursor_leads_to_what_follows_it(here: Ground) -> None:
    for profile in (1, 2, 1):
        await here.append(profile)
    whole = await here.read()
    for number, one in enumerate(whole.activities):
        after = await here.read(str(whole.behind(one)))
        assert after.activities == whole.activities[number + 1 :]


async def test_after_auth_stays_with_the_cursor(here: Ground) -> None:
    """K36: also for profiles whose first read ends later."""
    await here.append(1, "old")
    batch = await here.read("after-auth")
    assert batch.activities == ()
    one = await here.store.profile(ProfileId(1))
    await here.store.save_profile(one, first_read_done=True)
    await here.append(1, "new")
    await here.append(2, "old")
    following = await here.read(str(batch.cursor))
    assert [one.activity.object_id for one in following.activities] == ["new"]
    assert str(following.cursor).endswith("-a")
    assert await here.read(str(following.cursor)) == await here.read(
        str(following.behind(following.activities[-1]))
    )


@pytest.mark.parametrize(
    "cursor",
    ["", "nonsense", str(Cursor("abcdefgh", Position(1))), "abcdefgh-1-1", "abcdefgh-01-1-1"],
)
async def test_another_kind_of_cursor_is_refused(here: Ground, cursor: str) -> None:
    """N11."""
    with pytest.raises(MalformedCursorError):
        await here.read(cursor)


async def test_a_cursor_below_the_floor_is_expired_and_the_restart_is_read(here: Ground) -> None:
    """K39: never an empty page."""
    for profile in (1, 2, 1):
        await here.append(profile)
    first = str((await here.read(limit=1)).cursor)
    await here.store.prune(ProfileId(2), before=NOON + SECOND, keep=None)
    with pytest.raises(CursorExpiredError) as refused:
        await here.read(first)
    assert profiles(await here.read(refused.value.restart)) == [1]
    assert profiles(await here.read()) == [1]


async def test_a_wait_ends_with_the_first_news_of_what_is_covered(here: Ground) -> None:
    """K40: another user's news wake nobody, once it is known whose they are."""
    end = await here.end()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(here.read(end, wait=LONG))
        await asyncio.sleep(0.05)
        await here.append(3)
        await asyncio.sleep(0.05)
        assert here.reader._owners == {3: EVE}
        assert not here.reader._concerns(MINE, ProfileId(3))
        assert not waiting.done()
        await here.append(2)
    assert profiles(waiting.result()) == [2]


async def test_a_profile_that_is_connected_meanwhile_ends_a_wait(here: Ground) -> None:
    end = await here.end()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(here.read(end, wait=LONG))
        await asyncio.sleep(0.05)
        await here.store.add_profile(a_profile(4), sealed={}, records=[a_record()])
        here.hub.wake(ProfileId(4))
    assert profiles(waiting.result()) == [4]


async def test_a_removed_profiles_last_record_ends_a_wait(here: Ground) -> None:
    """N11: one reader learns every end."""
    end = await here.end()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(here.read(end, wait=LONG))
        await asyncio.sleep(0.05)
        gone = replace(await here.store.profile(ProfileId(1)), removed=True)
        await here.store.save_profile(gone, records=[a_record()])
        here.hub.wake(gone.id)
    assert profiles(waiting.result()) == [1]


async def test_a_wait_without_news_ends_empty_at_the_end(here: Ground) -> None:
    """K40."""
    await here.append(1)
    end = await here.end()
    batch = await here.read(end, wait=timedelta(milliseconds=20))
    assert (batch.activities, str(batch.cursor)) == ((), end)
    assert not here.hub._watches


async def test_what_older_transactions_held_back_is_looked_for_again(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL: nobody wakes for a transaction that recorded nothing and ended late."""
    await here.append(1)
    end = await here.end(HERS)
    plain, calls = here.store.read_merged, 0

    async def held_back(*args: object, **more: object) -> object:
        nonlocal calls
        calls += 1
        ends, found, place = await plain(*args, **more)  # type: ignore[arg-type]
        if calls <= 3:
            return replace(ends, last=0, settled=False), (), more["after"]
        return ends, found, place

    monkeypatch.setattr(here.store, "read_merged", held_back)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(here.read(end, reach=HERS, wait=LONG))
        await asyncio.sleep(0.01)
        found = await here.store.profile(ProfileId(3))
        await here.store.save_profile(found, records=[a_record()])  # and no wake
    assert profiles(waiting.result()) == [3]
