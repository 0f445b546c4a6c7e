"""Pages end by size too, on both databases: nothing is skipped at a short one, or told twice."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from syncd.engine.hub import Hub
from syncd.engine.merged import MergedReader
from syncd.engine.stream import StreamReader
from syncd.model.activity import Filter, Type
from syncd.model.ids import Position, ProfileId
from syncd.model.merged import ORIGIN
from syncd.model.reach import Reach
from syncd.store.open import SqlStore
from syncd.store.page_size import fitting
from tests.fakes.clock import FakeClock
from tests.store.opening import NOON, counted, opened
from tests.store.samples import USER, a_record, with_profile

SMALL, LARGE, HUGE = 200, 300_000, 1_500_000  # of the last, each is more than fits
SIZES = {
    "each is more than fits": [HUGE] * 4,
    "large": [LARGE] * 12,
    "large among small": [*[SMALL] * 5, LARGE, SMALL, *[LARGE] * 5, SMALL, HUGE, SMALL, LARGE],
    "the last is huge": [SMALL, SMALL, HUGE],
}
LIMITS = (1, 3, 100, 1000)
ALL = Filter()
ADDED = Filter(types=frozenset({Type.ADD}))
EVERYTHING = Reach(everything=True)


async def filled(store: SqlStore, sizes: Sequence[int], number: int = 1) -> ProfileId:
    """Make a profile whose stream has records of these sizes, a commit each."""
    profile = await with_profile(store, number)
    for name, size in enumerate(sizes):
        body = b'{"type":"add","filled":"%b"}' % (b"." * size)
        profile = await store.save_profile(profile, records=[a_record(str(name), body=body)])
    return profile.id


def check_size(bodies: Sequence[bytes], limit: int) -> None:
    assert len(bodies) == 1 or sum(map(len, bodies)) <= fitting(limit)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
async def test_all_come_once_and_in_order_whatever_the_page(
    store: SqlStore, sizes: Sequence[int]
) -> None:
    profile = await filled(store, sizes)
    for limit in LIMITS:
        at, places = Position(0), list[int]()
        while True:
            stream, found, end = await store.read(profile, after=at, limit=limit, wanted=ALL)
            check_size([one.body for one in found], limit)
            places += [one.position for one in found]
            if end >= stream.head:
                break
            assert end == found[-1].position
            at = end
        assert (places, end) == (list(range(1, len(sizes) + 1)), stream.head)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES.keys())
async def test_readers_by_cursor_see_each_once_and_in_order(
    store: SqlStore, sizes: Sequence[int]
) -> None:
    """I2, K35: of one profile and of all."""
    profile, other = await filled(store, sizes), await filled(store, sizes, 2)
    hub, clock = Hub(), FakeClock(NOON)
    single, merged = StreamReader(store, hub, clock), MergedReader(store, hub, clock)
    reaches = (EVERYTHING, Reach(users=frozenset({USER})))
    whole = list(range(1, len(sizes) + 1))
    for limit in LIMITS:
        cursor, places = None, list[int]()
        while (
            batch := await single.read(profile, cursor=cursor, limit=limit, wanted=ALL)
        ).activities:
            places += [one.position for one in batch.activities]
            cursor = str(batch.cursor)
        assert places == whole
        for reach in reaches:
            cursor, seen = None, list[tuple[int, int]]()
            while (
                told := await merged.read(reach, cursor=cursor, limit=limit, wanted=ALL)
            ).activities:
                check_size([one.activity.body for one in told.activities], limit)
                seen += [(one.place.profile, one.place.position) for one in told.activities]
                cursor = str(told.cursor)
            assert seen == [(one, place) for one in (profile, other) for place in whole]


async def test_what_is_left_out_tells_nothing_of_where_to_go_on(store: SqlStore) -> None:
    """One that is short by size ends at its last record, one that is short by number at the end."""
    profile = await with_profile(store)
    large = a_record(body=b'{"type":"add","filled":"%b"}' % (b"." * 600_000))
    unwanted = a_record(type=Type.UPDATE)
    profile = await store.save_profile(profile, records=[large, unwanted, large, unwanted])
    _, found, end = await store.read(profile.id, after=Position(0), limit=9, wanted=ADDED)
    assert ([one.position for one in found], end) == ([1], 1)
    _, found, end = await store.read(profile.id, after=end, limit=9, wanted=ADDED)
    assert ([one.position for one in found], end) == ([3], 4)


async def test_a_page_brings_into_memory_what_fits_not_what_there_is(store: SqlStore) -> None:
    profile = await filled(store, [LARGE] * 60)  # 18 MB
    await store.read(profile, after=Position(0), limit=1, wanted=ALL)
    tracemalloc.start()
    try:
        _, found, _ = await store.read(profile, after=Position(0), limit=100, wanted=ALL)
        _, told, _ = await store.read_merged(
            EVERYTHING, after=ORIGIN, limit=100, wanted=ALL, after_auth=False
        )
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(found), len(told)) == (3, 3)
    assert most < 6 * fitting(100)


async def test_on_sqlite_rows_come_one_by_one_from_the_index(tmp_path: Path) -> None:
    """What is sorted or kept aside would be read to its end before the first row comes."""
    reach = replace(EVERYTHING, everything=False, users=frozenset({USER}))
    async with opened(tmp_path) as store:
        profile = await filled(store, [SMALL])
        with counted(store) as statements:
            await store.read(profile, after=Position(0), limit=9, wanted=ADDED)
            for one in (EVERYTHING, reach):
                for late in (False, True):
                    await store.read_merged(
                        one, after=ORIGIN, limit=9, wanted=ADDED, after_auth=late
                    )
        assert len(statements) == 5
        async with store._database._reader.connect() as connection:
            for sql, parameters in statements:
                told = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
                plan = [row for row in told if row.parent == 0]
                steps = [row.detail for row in plan if row.detail.startswith(("S", "M", "U"))]
                assert any("SEARCH activities USING" in one for one in steps)
                assert not [one for one in steps if "MATERIALIZE" in one or "TEMP B-TREE" in one]
