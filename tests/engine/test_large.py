"""Whoever reads streams page by page goes on behind a page that its size has cut short.

The store holds a page to one record here, whatever its size, as it does with the largest ones.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.engine.merged import MergedReader
from syncd.engine.tail import ALL, EVERYTHING, Tail
from syncd.model.activity import Filter, Kind
from syncd.model.ids import Cursor, Position, ProfileId
from syncd.model.subscription import Format
from tests.engine.ground import Ground, event, ground
from tests.engine.pushed import URL, pushed
from tests.engine.pushed import Ground as Pushed
from tests.engine.test_past import VIEWS, Album
from tests.fakes.clock import FakeClock
from tests.fakes.sink import FakePageSink
from tests.store.opening import NOON, opened
from tests.store.samples import with_profile

NAMES = [f"e{number:02}" for number in range(12)]


@pytest.fixture(autouse=True)
def one_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncd.store.page_size._LEAST", 1)
    monkeypatch.setattr("syncd.store.page_size._EACH", 0)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    """A profile whose stream holds account, calendar, twelve events, account."""
    async with ground(tmp_path) as made:
        work = made.server.add("/work/")
        for number, name in enumerate(NAMES):
            work.put(f"{number:02}.ics", event(name, uid=f"{number:02}"))
        await made.poll()
        yield made


def tail_of(here: Ground) -> Tail:
    return Tail(here.store, MergedReader(here.store, here.hub, here.clock))


@pytest.mark.parametrize("form", [Format.STANDARD, Format.KLOUDLESS, Format.CRONOFY])
async def test_webhooks_are_told_of_everything_once(tmp_path: Path, form: Format) -> None:
    async with pushed(tmp_path) as here:
        made = await here.subscribe(format=form)
        await here.append(1, *NAMES)
        await here.append(2, *NAMES)
        await here.settled()
        assert await here.store.behind_of(made.id) == 0
        for profile in (1, 2):
            told = [name for one, name in here.arrived() if one == profile]
            assert told == (NAMES if form is Format.STANDARD else NAMES[:1])
            assert await here.store.place(made.id, ProfileId(profile)) == len(NAMES)


async def test_pages_for_nats_bring_everything_once(tmp_path: Path) -> None:
    clock = FakeClock(NOON)
    async with opened(tmp_path, clock=clock) as store:
        await with_profile(store)
        here = Pushed(store, clock)
        here.sink = FakePageSink()
        async with here.running():
            made = await here.subscribe()
            await here.append(1, *NAMES)
            await here.settled()
            assert here.arrived() == [(1, name) for name in NAMES]
            assert await store.behind_of(made.id) == 0


async def test_replays_from_a_cursor_are_all_queued_in_order(tmp_path: Path) -> None:
    async with pushed(tmp_path) as here:
        made = await here.subscribe()
        await here.append(1, *NAMES)
        await here.settled()
        first = list(here.sink.arrived[URL])
        stream = await here.store.stream(ProfileId(1))
        until = str(Cursor(stream.epoch, Position(10)))
        oldest = str(stream.oldest)
        assert await here.subscriptions.replay_from(made, ProfileId(1), oldest, until) == 10
        await here.settled()
        assert here.sink.arrived[URL][len(NAMES) :] == first[:10]


async def test_the_dashboard_shows_the_newest_and_leads_to_all(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Backwards, of one profile and of all; what is too much to show at once is older."""
    tail, head = tail_of(here), await here.head()
    whole = await tail.back(here.profile_id, limit=100)
    assert [one.position for one in whole.seen] == list(range(head, 0, -1))
    latest = await tail.latest(limit=100, wanted=EVERYTHING)
    assert [one.position for one in latest] == list(range(head, 0, -1))
    newest = await tail.latest(limit=3, wanted=Filter(kinds=frozenset({Kind.EVENT})))
    assert [one.record["metadata"]["name"] for one in newest] == NAMES[:-4:-1]
    monkeypatch.setattr("syncd.engine.tail._LARGEST", 2000)
    before, seen = None, list[int]()
    while True:
        page = await tail.back(here.profile_id, before=before, limit=100)
        assert 1 <= len(page.seen) < head
        seen += [one.position for one in page.seen]
        before = page.older
        if before is None:
            break
    assert seen == list(range(head, 0, -1))
    some = await tail.latest(limit=100, wanted=EVERYTHING)
    assert [one.position for one in some] == seen[: len(some)]
    assert 1 <= len(some) < head


async def test_who_follows_sees_everything(here: Ground) -> None:
    merged = MergedReader(here.store, here.hub, here.clock)
    begin = await merged.read(ALL, cursor=None, limit=1, wanted=EVERYTHING)
    seen = [one.place.position for one in begin.activities]
    beat = timedelta(seconds=1)
    follow = tail_of(here).follow(EVERYTHING, cursor=str(begin.cursor), heartbeat=beat)
    async with aclosing(follow) as batches:
        while len(seen) < await here.head():
            seen += [one.position for one in (await anext(batches)).seen]
    assert seen == list(range(1, await here.head() + 1))


async def test_the_past_is_listed_from_all_that_was_recorded_since(tmp_path: Path) -> None:
    async with ground(tmp_path) as here:
        album, pictures = Album(here, seed=1), dict[str, object]()
        await here.poll()
        for _ in range(8):
            await album.live()
            cursor = str((await here.store.stream(here.profile_id)).latest)
            pictures[cursor] = await album.picture(VIEWS[1])
        for cursor, picture in pictures.items():
            assert await album.picture(VIEWS[1], cursor) == picture
