"""Reading behind a cursor, and waiting (I4; K35-K40)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.engine.stream import StreamReader
from syncd.model.activity import Batch, Filter, Kind, Type
from syncd.model.errors import CursorExpiredError, MalformedCursorError
from syncd.model.ids import CalendarKey, Cursor, Position, calendar_id
from tests.engine.ground import EVERYTHING, Ground, event, ground

SECOND = timedelta(seconds=1)
LONG = timedelta(seconds=20)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    """A profile whose stream holds account, calendar, three events, account."""
    async with ground(tmp_path) as made:
        work = made.server.add("/work/")
        for number in range(3):
            work.put(f"{number}.ics", event(f"Event {number}"))
        await made.poll()
        yield made


def reader(here: Ground) -> StreamReader:
    return StreamReader(here.store, here.hub, here.clock)


async def read(
    here: Ground,
    cursor: str | None = None,
    *,
    limit: int = 100,
    wanted: Filter = EVERYTHING,
    wait: timedelta = timedelta(),
) -> Batch:
    return await reader(here).read(
        here.profile_id, cursor=cursor, limit=limit, wanted=wanted, wait=wait
    )


async def test_pages_follow_one_another_without_gap_or_repeat(here: Ground) -> None:
    """K35."""
    cursor, positions = None, list[int]()
    while (batch := await read(here, cursor, limit=2)).activities:
        positions += [one.position for one in batch.activities]
        cursor = str(batch.cursor)
    assert positions == [1, 2, 3, 4, 5, 6]
    assert str(batch.cursor) == cursor  # an empty page echoes its cursor


async def test_after_auth_begins_behind_the_first_read(here: Ground) -> None:
    """K36."""
    batch = await read(here, "after-auth")
    assert (batch.activities, batch.cursor) == ((), batch.stream.latest)
    here.server.calendars[CalendarKey("/work/")].put("new.ics", event("New"))
    await here.poll()
    assert len((await read(here, "after-auth")).activities) == 1


async def test_after_auth_has_no_cursor_during_the_first_read(tmp_path: Path) -> None:
    """K36: wait goes on until it ends."""
    async with ground(tmp_path) as here:
        assert (await read(here, "after-auth")).cursor is None
        here.server.add("/work/")
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(read(here, "after-auth", wait=SECOND))
            await here.poll()
        assert waiting.result().cursor is not None


async def test_latest_is_the_end_and_never_waits(here: Ground) -> None:
    """K36, K37."""
    batch = await read(here, "latest", wait=LONG)
    assert batch.cursor == batch.stream.latest
    assert batch.activities == ()


async def test_filters_move_the_cursor_past_what_they_leave_out(here: Ground) -> None:
    """K38."""
    deletes = Filter(types=frozenset({Type.DELETE}))
    batch = await read(here, wanted=deletes)
    assert (batch.activities, batch.cursor) == ((), batch.stream.latest)
    events = Filter(kinds=frozenset({Kind.EVENT}))
    batch = await read(here, wanted=events)
    assert [one.kind for one in batch.activities] == [Kind.EVENT] * 3
    assert batch.cursor == batch.stream.latest


async def test_account_records_pass_a_filter_of_calendars(here: Ground) -> None:
    """K38."""
    other = calendar_id(here.profile_id, CalendarKey("/other/"))
    batch = await read(here, wanted=Filter(calendars=frozenset({other})))
    assert [one.kind for one in batch.activities] == [Kind.ACCOUNT] * 2


@pytest.mark.parametrize("cursor", ["", "nonsense", "AAAA", "after-auth2", "MQ"])
async def test_a_malformed_cursor_is_refused(here: Ground, cursor: str) -> None:
    """K39."""
    with pytest.raises(MalformedCursorError):
        await read(here, cursor)


async def test_a_cursor_of_another_epoch_or_beyond_the_end_is_expired(here: Ground) -> None:
    """K39, I4, F31: with where to go on, never an empty page."""
    stream = await here.store.stream(here.profile_id)
    for cursor, reason in [
        (Cursor("aaaaaaaa", Position(1)), "epoch"),
        (Cursor(stream.epoch, Position(99)), "retention"),
    ]:
        with pytest.raises(CursorExpiredError) as caught:
            await read(here, str(cursor))
        assert caught.value.reason == reason
        assert caught.value.restart == str(stream.oldest)
        assert caught.value.latest == str(stream.latest)


async def test_a_cursor_below_the_retained_floor_is_expired(here: Ground) -> None:
    """K39."""
    first = (await read(here, limit=1)).cursor
    await here.store.prune(here.profile_id, before=here.clock.now(), keep=2)
    with pytest.raises(CursorExpiredError):
        await read(here, str(first))
    batch = await read(here)  # no cursor: from the oldest retained
    assert [one.position for one in batch.activities] == [5, 6]


async def test_a_wait_ends_with_the_first_news(here: Ground) -> None:
    """K40."""
    end = str((await read(here, "latest")).cursor)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(read(here, end, wait=LONG))
        await asyncio.sleep(0)
        here.server.calendars[CalendarKey("/work/")].put("new.ics", event("New"))
        await here.poll(after=SECOND)
    assert len(waiting.result().activities) == 1


async def test_a_wait_without_news_ends_empty_at_the_end(here: Ground) -> None:
    """K40."""
    end = str((await read(here, "latest")).cursor)
    batch = await read(here, end, wait=timedelta(milliseconds=20))
    assert (batch.activities, str(batch.cursor)) == ((), end)


async def test_news_that_nobody_wants_do_not_end_a_wait(here: Ground) -> None:
    """K38, K40: the cursor moves on meanwhile."""
    end = (await read(here, "latest")).cursor
    deletes = Filter(types=frozenset({Type.DELETE}))
    work = here.server.calendars[CalendarKey("/work/")]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(read(here, str(end), wanted=deletes, wait=LONG))
        await asyncio.sleep(0)
        work.put("new.ics", event("New"))
        await here.poll(after=SECOND)
        assert not waiting.done()
        work.remove("new.ics")
        await here.poll(after=SECOND)
    assert [one.type for one in waiting.result().activities] == [Type.DELETE]


async def test_news_between_read_and_wait_is_not_lost(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is taken before reading."""
    end = str((await read(here, "latest")).cursor)
    plain = here.store.read
    calls = 0

    async def late(*args: object, **kwargs: object) -> object:
        nonlocal calls
        calls += 1
        answer = await plain(*args, **kwargs)  # type: ignore[arg-type]
        if calls == 1:  # written after the rows were read, before the reader waits
            here.server.calendars[CalendarKey("/work/")].put("new.ics", event("New"))
            await here.poll(after=SECOND)
        return answer

    monkeypatch.setattr(here.store, "read", late)
    assert len((await read(here, end, wait=LONG)).activities) == 1
