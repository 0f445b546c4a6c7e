"""What ``Repeats`` promises (api.md R17), on both databases."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from syncd.model.ids import TokenId
from syncd.ports.store import Store
from syncd.ports.store.repeats import Asked, Begun, Differs, Kept, Running
from tests.fakes.clock import FakeClock
from tests.store.opening import NOON, opened

ASKED = Asked(token=TokenId("t1"), route="create_event", key="k", digest=b"\1" * 32)
MINUTE, DAY = timedelta(minutes=1), timedelta(hours=24)


async def begin(
    store: Store, asked: Asked = ASKED, *, name: str = "first", after: timedelta = timedelta()
) -> Begun | Kept | Running | Differs:
    now = NOON + after
    return await store.begin_request(
        asked, name=name, now=now, until=now + MINUTE, kept_since=now - DAY
    )


async def test_an_answer_is_kept_for_the_same_request_and_no_other(store: Store) -> None:
    assert await begin(store) == Begun(name="first")
    await store.keep_answer(ASKED, b"sealed\0\xff")
    assert await begin(store, name="second") == Kept(sealed=b"sealed\0\xff")
    assert await begin(store, replace(ASKED, digest=b"\2" * 32)) == Differs()
    for other in (
        replace(ASKED, token=TokenId("t2")),
        replace(ASKED, route="create_calendar"),
        replace(ASKED, key="K"),
    ):
        assert await begin(store, other, name="own") == Begun(name="own")


async def test_of_requests_at_once_one_begins(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(begin(store, name=f"n{number}")) for number in range(20)]
    found = Counter(type(task.result()) for task in tasks)
    assert found == {Begun: 1, Running: 19}


async def test_a_mark_does_not_outlive_its_time_and_its_name_does(store: Store) -> None:
    """R17: the process died; what it may have created bears the first name."""
    await begin(store)
    almost = MINUTE - timedelta(milliseconds=1)
    assert await begin(store, name="second", after=almost) == Running(until=NOON + MINUTE)
    assert await begin(store, name="third", after=MINUTE) == Begun(name="first")
    again = await begin(store, name="fourth", after=MINUTE)
    assert again == Running(until=NOON + 2 * MINUTE)


async def test_after_a_mark_whose_time_has_passed_one_of_many_begins(store: Store) -> None:
    await begin(store)
    for number in range(1, 11):
        after = 2 * number * MINUTE
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(begin(store, after=after)) for _ in range(8)]
        assert Counter(type(task.result()) for task in tasks) == {Begun: 1, Running: 7}


async def test_an_attempt_without_an_answer_may_be_repeated_as_it_was(store: Store) -> None:
    await begin(store)
    await store.end_request(ASKED)
    assert await begin(store, replace(ASKED, digest=b"\2" * 32)) == Differs()
    assert await begin(store, name="second") == Begun(name="first")


async def test_after_its_time_a_key_is_new(store: Store) -> None:
    await begin(store)
    await store.keep_answer(ASKED, b"x")
    assert await begin(store, after=DAY) == Kept(sealed=b"x")
    late = DAY + timedelta(milliseconds=1)
    other = replace(ASKED, digest=b"\2" * 32)
    assert await begin(store, other, name="new", after=late) == Begun(name="new")
    assert isinstance(await begin(store, other, after=late), Running)


async def test_old_requests_are_forgotten_a_step_at_a_time(store: Store) -> None:
    for number in range(5):
        await begin(store, replace(ASKED, key=str(number)), after=number * MINUTE)
    before = NOON + 3 * MINUTE
    assert await store.forget_requests(before=before, limit=2) == 2
    assert await store.forget_requests(before=before, limit=2) == 1
    assert await store.forget_requests(before=before) == 0
    assert isinstance(await begin(store, replace(ASKED, key="3")), Running)
    assert await begin(store, replace(ASKED, key="2"), name="new") == Begun(name="new")


async def test_a_sqlite_file_that_is_opened_again_has_nothing_running(tmp_path: Path) -> None:
    """One file has one daemon: what ran in it has died with it."""
    clock = FakeClock(NOON)
    async with opened(tmp_path, clock=clock) as store:
        await begin(store)
    async with opened(tmp_path, clock=clock) as store:
        assert await begin(store, name="second") == Begun(name="first")
