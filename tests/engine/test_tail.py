"""The ends of streams, for who looks on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.engine.merged import MergedReader
from syncd.engine.tail import EVERYTHING, Seen, Tail
from syncd.model.activity import Filter, Kind, Type
from syncd.model.errors import NotFoundError
from syncd.model.ids import Position, ProfileId
from tests.engine.ground import Ground, event, filled, ground, on_store

BEAT = timedelta(milliseconds=20)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    async with ground(tmp_path) as made:
        yield made


@pytest.fixture
def tail(here: Ground) -> Tail:
    return Tail(here.store, MergedReader(here.store, here.hub, here.clock))


def names(seen: Sequence[Seen]) -> list[str]:
    return [str(one.record["metadata"].get("name")) for one in seen]


async def heard(tail: Tail, count: int, wanted: Filter = EVERYTHING) -> list[Seen]:
    found, end = list[Seen](), await tail.end()
    async with aclosing(tail.follow(wanted, cursor=end, heartbeat=BEAT)) as batches:
        async for batch in batches:
            found += batch.seen
            if len(found) >= count:
                return found
    raise AssertionError


async def test_pages_go_back_to_the_first_activity_each_once(here: Ground, tail: Tail) -> None:
    filled(here, 25)
    await here.poll()
    seen, before = list[Seen](), None
    while True:
        page = await tail.back(here.profile_id, before=before, limit=7)
        seen += page.seen
        before = page.older
        if before is None:
            break
    positions = [one.position for one in seen]
    assert positions == list(range(await here.head(), 0, -1))
    assert (await tail.back(here.profile_id, before=Position(1), limit=7)).seen == ()
    ahead = await tail.back(here.profile_id, before=Position(10**9), limit=1)
    assert [one.position for one in ahead.seen] == [await here.head()]


async def test_a_page_shows_what_is_wanted_and_reaches_no_further(here: Ground, tail: Tail) -> None:
    filled(here, 5)
    await here.poll()
    wanted = Filter(kinds=frozenset({Kind.CALENDAR}))
    page = await tail.back(here.profile_id, limit=100, wanted=wanted)
    assert names(page.seen) == ["Work"]
    assert page.older is None
    with pytest.raises(NotFoundError):
        await tail.back(ProfileId(99), limit=1)


async def test_what_is_cut_off_is_the_end(here: Ground, tail: Tail) -> None:
    filled(here, 20)
    await here.poll()
    later = here.clock.now() + timedelta(days=1)
    await here.store.prune(here.profile_id, before=later, keep=5)
    page = await tail.back(here.profile_id, limit=100)
    assert page.older is None
    assert len(page.seen) <= 5


async def test_news_of_all_profiles_from_now_on(here: Ground, tail: Tail) -> None:
    """What was there before is not told, nor anything twice."""
    work = filled(here, 5)
    await here.poll()
    other = await on_store(here.store, here.clock)
    other = replace(other, hub=here.hub)
    hers = other.server.add("/hers/", name="Hers", primary=True)
    here.clock.advance(timedelta(minutes=1))

    async def edit() -> None:
        await asyncio.sleep(BEAT.total_seconds() * 3)
        work.put("new.ics", event("New"))
        await here.poll()
        hers.put("hers.ics", event("Lunch"))
        await other.poll()
        here.hub.wake(other.profile_id)
        work.put("newer.ics", event("Newer"))
        await here.poll()

    async with asyncio.TaskGroup() as group:
        listening = group.create_task(heard(tail, 3, Filter(kinds=frozenset({Kind.EVENT}))))
        group.create_task(edit())
    found = listening.result()
    assert sorted(names(found)) == ["Lunch", "New", "Newer"]
    assert {one.profile_id for one in found} == {here.profile_id, other.profile_id}


async def test_a_filter_holds_and_silence_is_told(here: Ground, tail: Tail) -> None:
    work = filled(here, 2)
    await here.poll()
    here.clock.advance(timedelta(minutes=1))
    wanted = Filter(types=frozenset({Type.DELETE}))
    end = await tail.end(here.profile_id)
    batches = tail.follow(wanted, cursor=end, heartbeat=BEAT, profile=here.profile_id)
    async with aclosing(batches):
        assert (await anext(batches)).seen == ()
        assert (await anext(batches)).seen == ()
        gone = next(iter(work.resources))
        work.put("new.ics", event("New"))
        work.remove(gone)
        await here.poll()
        told = [await anext(batches), await anext(batches)]
    assert [one.record["type"] for news in told for one in news.seen] == ["delete"]
    async with aclosing(tail.follow(wanted, cursor=end, heartbeat=BEAT)) as again:
        assert [one.record["type"] for one in (await anext(again)).seen] == ["delete"]


async def test_the_newest_of_all_profiles_newest_first(here: Ground, tail: Tail) -> None:
    assert names(await tail.latest(limit=5, wanted=EVERYTHING)) == ["None"]
    filled(here, 90)
    await here.poll()
    other = await on_store(here.store, here.clock)
    other.server.add("/hers/", name="Hers", primary=True).put("a.ics", event("Lunch"))
    await other.poll()
    newest = await tail.latest(limit=40, wanted=EVERYTHING)
    assert len(newest) == 40
    assert "Lunch" in names(newest[:3])
    calendars = Filter(kinds=frozenset({Kind.CALENDAR}))
    assert names(await tail.latest(limit=40, wanted=calendars)) == ["Hers", "Work"]
    one = (await here.store.calendars(here.profile_id))[0].id
    events = Filter(kinds=frozenset({Kind.EVENT}), calendars=frozenset({one}))
    found = await tail.latest(limit=200, wanted=events)
    assert (len(found), {one.profile_id for one in found}) == (90, {here.profile_id})
