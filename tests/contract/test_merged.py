"""What ``Merged`` promises: many profiles in one order, nothing lost (api.md N11, F28)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from syncd.model.activity import Filter, Kind, Type
from syncd.model.errors import CursorExpiredError
from syncd.model.ids import ApplicationId, ProfileId, UserId
from syncd.model.merged import ORIGIN, Ends, MergedActivity, MergedCursor, Place
from syncd.model.profile import Profile
from syncd.model.reach import Reach
from syncd.store.merged import SqlMerged
from syncd.store.open import SqlStore
from tests.store.opening import NOON, opened
from tests.store.samples import USER, a_profile, a_record, an_application, with_profile

EVERYTHING = Reach(everything=True)
ALL = Filter()


async def page(  # noqa: PLR0913 - of a read
    store: SqlMerged,
    reach: Reach = EVERYTHING,
    *,
    after: Place | None = None,
    limit: int = 1000,
    wanted: Filter = ALL,
    after_auth: bool = False,
) -> tuple[Ends, tuple[MergedActivity, ...], Place]:
    """Read once nothing is held back: on one server other tests have transactions of their own."""
    while True:
        read = await store.read_merged(
            reach, after=after, limit=limit, wanted=wanted, after_auth=after_auth
        )
        if read[0].settled:
            return read
        await asyncio.sleep(0.01)


def named(found: tuple[MergedActivity, ...]) -> list[tuple[int, int]]:
    return [(one.place.profile, one.place.position) for one in found]


async def seen(
    store: SqlMerged, reach: Reach = EVERYTHING, **more: object
) -> list[tuple[int, int]]:
    _, found, _ = await page(store, reach, **more)  # type: ignore[arg-type]
    return named(found)


async def append(store: SqlStore, profile: Profile, *names: str) -> Profile:
    return await store.save_profile(profile, records=[a_record(name) for name in names])


async def test_commits_come_in_their_order_each_once(store: SqlStore) -> None:
    one, two = await with_profile(store, 1), await with_profile(store, 2)
    one = await append(store, one, "a", "b")
    two = await append(store, two, "c")
    await append(store, one, "d")
    whole = [(1, 1), (1, 2), (2, 1), (1, 3)]
    ends, found, end = await page(store)
    assert named(found) == whole
    assert [one.activity.object_id for one in found] == ["a", "b", "c", "d"]
    assert found[0].activity.body.startswith(b'{"id":"%s-1",' % ends.epoch.encode())
    assert end == ends.latest > found[-1].place
    assert ends.last == found[-1].place.order
    assert ends.settled
    assert await seen(store, after=end) == []
    for size in (1, 2, 3):
        paged, after = list[tuple[int, int]](), None
        while True:
            _, found, after = await page(store, after=after, limit=size)
            if not found:
                break
            paged += named(found)
        assert paged == whole


async def test_an_empty_store_has_ends(store: SqlStore) -> None:
    ends, found, end = await page(store)
    assert (found, end, ends.floor, ends.latest) == ((), ORIGIN, ORIGIN, ORIGIN)
    assert ends.check(MergedCursor(ends.epoch, end)) == ORIGIN


async def test_a_reader_gets_what_it_covers_and_nothing_else(store: SqlStore) -> None:
    """R6: by profile, by user, by application with those of none; removed ones keep theirs."""
    await with_profile(store, 1)
    application = an_application()
    await store.add_application(application)
    eve = UserId("acc_eve")
    await store.add_user(replace(await store.user(USER), id=eve, name="eve"))
    profiles = {1: await store.profile(ProfileId(1))}
    other = replace(application, id=ApplicationId("app_other"), name="other")
    await store.add_application(other)
    profiles[2] = a_profile(2, application_id=application.id)
    profiles[3] = a_profile(3, user_id=eve, application_id=other.id)
    for number in (2, 3):
        await store.add_profile(profiles[number], sealed={}, records=())
    for profile in profiles.values():
        await append(store, profile, "x")
    ways = {
        (1,): Reach(profiles=frozenset({ProfileId(1)})),
        (1, 2): Reach(users=frozenset({USER})),
        (3,): Reach(users=frozenset({eve})),
        (1, 2, 3): Reach(users=frozenset({USER, eve})),
        (1, 3): Reach(profiles=frozenset({ProfileId(1)}), users=frozenset({eve})),
        (): Reach(),
    }
    for expected, reach in ways.items():
        assert [profile for profile, _ in await seen(store, reach)] == list(expected)
    through = Reach(applications=frozenset({application.id}))
    assert [profile for profile, _ in await seen(store, through)] == [1, 2]
    gone = replace(await store.profile(ProfileId(2)), removed=True)
    await store.save_profile(gone, records=[a_record(type=Type.DELETE)])
    assert await seen(store, through) == [(1, 1), (2, 1), (2, 2)]
    assert await store.stream_ids() == [1, 2, 3]
    assert await store.stream_ids(after=ProfileId(1), limit=1) == [2]


async def test_filters_leave_out_and_the_end_is_reached(store: SqlStore) -> None:
    """K38."""
    profile = await with_profile(store)
    records = [
        a_record(kind=Kind.ACCOUNT),
        a_record(type=Type.UPDATE),
        a_record(kind=Kind.CONTACT, type=Type.DELETE),
    ]
    await store.save_profile(profile, records=records)
    assert await seen(store) == [(1, 1), (1, 2)]
    assert await seen(store, wanted=Filter(kinds=frozenset(Kind))) == [(1, 1), (1, 2), (1, 3)]
    ends, found, end = await page(store, wanted=Filter(types=frozenset({Type.DELETE})))
    assert (found, end) == ((), ends.latest)


async def test_after_auth_leaves_out_what_was_there_before_each_profile(store: SqlStore) -> None:
    """K36: also of a profile whose first read has not ended."""
    one, two = await with_profile(store, 1), await with_profile(store, 2)
    one = await append(store, one, "old")
    two = await append(store, two, "old")
    one = await store.save_profile(one, records=[a_record("old")], first_read_done=True)
    await append(store, one, "new")
    assert await seen(store, after_auth=True) == [(1, 3)]
    two = await store.save_profile(two, first_read_done=True)
    await append(store, two, "new")
    assert await seen(store, after_auth=True) == [(1, 3), (2, 2)]


async def test_what_retention_cut_off_is_never_skipped_silently(store: SqlStore) -> None:
    """I4: the stream begins where nothing is missing of any profile within reach."""
    one, two = await with_profile(store, 1), await with_profile(store, 2)
    one = await append(store, one, "a", "b")
    two = await append(store, two, "c", "d")
    one = await append(store, one, "e")
    _, found, _ = await page(store)
    places = {pair: each.place for pair, each in zip(named(found), found, strict=True)}
    await store.prune(ProfileId(2), before=NOON, keep=1)
    ends, found, _ = await page(store)
    assert named(found) == [(2, 2), (1, 3)]
    assert ends.floor == places[2, 1]
    for pair in ((2, 1), (2, 2), (1, 3)):
        assert ends.check(MergedCursor(ends.epoch, places[pair])) == places[pair]
    for place in (ORIGIN, places[1, 1], places[1, 2]):
        with pytest.raises(CursorExpiredError) as refused:
            ends.check(MergedCursor(ends.epoch, place))
        assert refused.value.reason == "retention"
        assert refused.value.restart == str(MergedCursor(ends.epoch, places[2, 1]))
    mine = Reach(profiles=frozenset({ProfileId(1)}))
    assert await seen(store, mine) == [(1, 1), (1, 2), (1, 3)]
    for profile in (1, 2):
        await store.prune(ProfileId(profile), before=NOON + timedelta(days=1), keep=None)
    ends, found, end = await page(store, after=places[1, 3])
    assert (found, end, ends.floor) == ((), places[1, 3], places[1, 3])
    assert ends.check(MergedCursor(ends.epoch, end)) == end
    await append(store, two, "f")
    assert await seen(store, after=end) == [(2, 3)]


async def test_a_cursor_beyond_the_end_or_of_another_life_is_refused(store: SqlStore) -> None:
    """I4, K39."""
    await append(store, await with_profile(store), "a")
    ends, (one,), _ = await page(store)
    beyond = replace(one.place, order=ends.high + 1)
    other = MergedCursor("a" * 8, one.place)
    for cursor, reason in ((MergedCursor(ends.epoch, beyond), "retention"), (other, "epoch")):
        with pytest.raises(CursorExpiredError) as refused:
            ends.check(cursor)
        assert refused.value.reason == reason
        assert refused.value.latest == str(MergedCursor(ends.epoch, ends.latest))


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqlStore]:
    """PostgreSQL goes along an index, and holds nobody up."""
    async with opened(tmp_path) as store:
        yield store


async def test_a_read_is_one_statement_and_goes_through_so_many_rows(
    sqlite: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S5, S6: on SQLite; whoever covers little looks through much, a piece at a time."""
    monkeypatch.setattr("syncd.store.merged._AT_ONCE", 4)
    one, two = await with_profile(sqlite, 1), await with_profile(sqlite, 2)
    await append(sqlite, one, *"abcdefghij")
    await append(sqlite, two, "k")
    mine = Reach(profiles=frozenset({ProfileId(2)}))
    looked = list[Place]()
    after, found = ORIGIN, tuple[MergedActivity, ...]()
    while not found:
        _, found, after = await page(sqlite, mine, after=after)
        looked.append(after)
    assert named(found) == [(2, 1)]
    assert [one.order for one in looked] == [5, 10, 12]


async def test_sqlite_goes_along_the_row_numbers(sqlite: SqlStore) -> None:
    """A reader at the end costs what is new, whatever it covers."""
    await append(sqlite, await with_profile(sqlite), "a")
    sql = (
        "EXPLAIN QUERY PLAN SELECT commit_order FROM activities WHERE commit_order >= 5"
        " AND (commit_order, profile_id, position) > (5, 0, 0) AND +activities.profile_id IN"
        " (SELECT profile_id FROM profiles WHERE user_id IN ('acc_one'))"
        " ORDER BY commit_order, profile_id, position LIMIT 10"
    )
    plan = " ".join(str(row.detail) for row in await sqlite._database.fetch(text(sql)))
    assert "SEARCH activities USING INTEGER PRIMARY KEY (rowid>?)" in plan
    assert "TEMP B-TREE" not in plan
