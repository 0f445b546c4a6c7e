"""A calendar as it was at any retained cursor (api.md K18, ``as_of``)."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.engine.browse import Browser, EventQuery
from syncd.model.errors import CursorExpiredError, NotFoundError
from syncd.model.event import Event
from syncd.model.ids import CalendarId, CalendarKey, calendar_id
from tests.engine.ground import Ground, all_day, event, exception, ground, series
from tests.engine.test_browse import inline

MONTH = EventQuery(
    start=datetime(2026, 11, 3, 12, tzinfo=UTC), end=datetime(2026, 11, 20, tzinfo=UTC), page_size=3
)
VIEWS = (MONTH, replace(MONTH, instances=False), EventQuery(instances=False, page_size=3))


class Album:
    """A calendar that changes at random, and pictures of it, each under its cursor."""

    def __init__(self, here: Ground, seed: int) -> None:
        self.here = here
        self.draw = random.Random(seed)  # noqa: S311 - of a test
        self.work = here.server.add("/work/")
        self.other = here.server.add("/other/", "Other")
        self.browser = Browser(here.store, inline, here.clock)

    @property
    def id(self) -> CalendarId:
        return calendar_id(self.here.profile_id, CalendarKey("/work/"))

    async def live(self) -> None:
        """Let a person do something, and see it."""
        for _ in range(self.draw.randrange(1, 4)):
            calendar = self.draw.choice((self.work, self.work, self.other))
            key = f"{self.draw.randrange(8)}.ics"
            if self.draw.random() < 0.25 and key in calendar.resources:
                calendar.remove(key)
            else:
                calendar.put(key, *self._something(key))
        await self.here.poll(listing=self.draw.random() < 0.2)

    def _something(self, uid: str) -> list[Event]:
        day, name = self.draw.randrange(1, 22), f"{self.draw.randrange(99)}"
        match self.draw.randrange(4):
            case 0:
                return [all_day(name, day, 2, uid=uid)]
            case 1:
                whole = series(name, 1, uid=uid, rule="RRULE:FREQ=DAILY;COUNT=9")
                moved = event("x", self.draw.randrange(1, 9)).start
                altered = exception(f"{name}!", day, uid=uid, original_start=moved)
                return [whole, altered] if self.draw.random() < 0.7 else [whole]
            case _:
                return [event(name, day, uid=uid)]

    async def picture(self, query: EventQuery, as_of: str | None = None) -> list[dict[str, Any]]:
        """Return all pages; ``modified`` is not known of what has changed since."""
        found = list[dict[str, Any]]()
        page: str | None = None
        while page is not None or not found:
            asked = replace(query, page=page, as_of=as_of)
            listing = await self.browser.list_events(self.here.profile_id, self.id, asked)
            found += [orjson.loads(one.document) | {"modified": None} for one in listing.events]
            page = listing.next_page
            if page is None:
                return found
        return found


@pytest.fixture(params=range(4), ids="seed {}".format)
async def album(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Album]:
    async with ground(tmp_path) as here:
        yield Album(here, request.param)


async def test_the_past_is_listed_as_it_was_listed_then(album: Album) -> None:
    taken = dict[str, list[list[dict[str, Any]]]]()
    await album.here.poll()
    for _ in range(12):
        await album.live()
        cursor = str((await album.here.store.stream(album.here.profile_id)).latest)
        taken[cursor] = [await album.picture(view) for view in VIEWS]
    assert len({str(one) for one in taken.values()}) > 5  # or there is nothing to confound
    for cursor, pictures in taken.items():
        assert [await album.picture(view, cursor) for view in VIEWS] == pictures


async def test_a_past_that_changes_while_it_is_read_stays_the_past(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll may record between the rows of a page and the look at what changed them."""
    await album.here.poll()
    await album.live()
    await album.live()
    cursor = str((await album.here.store.stream(album.here.profile_id)).latest)
    picture = await album.picture(VIEWS[1])
    read = album.here.store.events

    async def meanwhile(window: Any) -> Any:  # noqa: ANN401 - as the store's
        found = await read(window)
        await album.live()
        return found

    monkeypatch.setattr(album.here.store, "events", meanwhile)
    assert await album.picture(VIEWS[1], cursor) == picture


async def test_what_is_no_longer_retained_is_refused(album: Album) -> None:
    await album.here.poll()
    await album.live()
    stream = await album.here.store.stream(album.here.profile_id)
    album.here.clock.advance(MONTH.end - MONTH.start)  # type: ignore[operator]  # it has an end
    await album.here.store.prune(album.here.profile_id, before=album.here.clock.now(), keep=None)
    with pytest.raises(CursorExpiredError):
        await album.picture(MONTH, str(stream.oldest))
    assert await album.picture(MONTH, str(stream.latest)) == await album.picture(MONTH)


async def test_a_calendar_that_is_gone_is_listed_as_it_was_there(album: Album) -> None:
    """Where it was there: not behind its end, nor before it was added."""
    here = album.here
    await here.poll()
    del here.server.calendars[CalendarKey("/work/")]
    before = await album.picture(VIEWS[1])
    for _ in range(3):
        await here.poll(listing=True)
    end = str((await here.store.stream(here.profile_id)).latest)
    with pytest.raises(NotFoundError):
        await album.picture(MONTH)
    with pytest.raises(NotFoundError):
        await album.picture(MONTH, end)

    album.work = here.server.add("/work/")
    await here.poll(listing=True)
    for _ in range(6):
        await album.live()
    cursor = str((await here.store.stream(here.profile_id)).latest)
    pictures = [await album.picture(view) for view in VIEWS]
    assert pictures[1] != before
    del here.server.calendars[CalendarKey("/work/")]
    for _ in range(3):
        await here.poll(listing=True)
    assert [await album.picture(view, cursor) for view in VIEWS] == pictures
    with pytest.raises(NotFoundError):
        await album.picture(MONTH, end)


async def test_a_past_that_retention_cuts_off_while_it_is_read_is_refused(
    album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    await album.here.poll()
    for _ in range(4):
        await album.live()
    store, profile = album.here.store, album.here.profile_id
    cursor = str((await store.stream(profile)).oldest)
    read = store.events

    async def meanwhile(window: Any) -> Any:  # noqa: ANN401 - as the store's
        await store.prune(profile, before=album.here.clock.now(), keep=1)
        return await read(window)

    monkeypatch.setattr(store, "events", meanwhile)
    with pytest.raises(CursorExpiredError):
        await album.picture(replace(VIEWS[1], page_size=100), cursor)
