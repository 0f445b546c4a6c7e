"""A listing's pages expand its series once between them (ADR 53)."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.engine import expansions
from syncd.engine.agenda import Agenda, AgendaQuery, Listed, Managed
from syncd.engine.browse import Browser, EventQuery
from syncd.engine.expansions import Expansions
from syncd.engine.instances import Expanded, Instances, Row
from syncd.formats.expand import Expansion, Recurring, expand_series
from syncd.model.ids import CalendarId, CalendarKey, EventId, calendar_id
from syncd.model.resource import StoredEvent
from syncd.ports.store.snapshots import Window
from tests.engine.ground import Ground, event, ground, series
from tests.fakes.clock import FakeClock

FIRST, LAST = (datetime(2026, 11, day, tzinfo=UTC) for day in (1, 11))
NAMES = sorted([*("Daily",) * 10, *("Early",) * 10, "Single"])


class Rows(list[Row]):
    """Rows that a weak reference may tell of."""


class Still:
    """A store that answers at once."""

    def __init__(self, masters: Sequence[StoredEvent]) -> None:
        self._masters = masters

    async def events(self, _window: Window) -> Sequence[StoredEvent]:
        return self._masters

    async def exceptions(
        self, _calendar: CalendarId, _series: Collection[EventId]
    ) -> Sequence[StoredEvent]:
        return []


class Office:
    """Two daily series and an event, listed in pages of five through both listings."""

    def __init__(self, here: Ground) -> None:
        self.here = here
        self.asked = 0  # how often a series was expanded
        self.id = calendar_id(here.profile_id, CalendarKey("/work/"))
        self._browser = Browser(here.store, self._expand, here.clock)
        self._agenda = Agenda(here.store, self._expand, here.clock)

    async def _expand(
        self, some: Sequence[Recurring], after: datetime, before: datetime, limit: int
    ) -> Sequence[Expansion | None]:
        self.asked += len(some)
        return [expand_series(one, after, before, limit) for one in some]

    async def browsed(
        self,
        *,
        start: datetime = FIRST,
        end: datetime | None = LAST,
        size: int = 5,
        calendar: CalendarId | None = None,
    ) -> AsyncIterator[str]:
        """Yield the names in a calendar's listing."""
        query, listed = EventQuery(start=start, end=end, page_size=size), calendar or self.id
        while True:
            listing = await self._browser.list_events(self.here.profile_id, listed, query)
            for one in listing.events:
                yield orjson.loads(one.document)["name"]
            if listing.next_page is None:
                return
            query = replace(query, page=listing.next_page)

    async def agenda(
        self,
        *,
        size: int = 5,
        calendar: CalendarId | None = None,
        **fields: Any,  # noqa: ANN401 - of an AgendaQuery
    ) -> AsyncIterator[str]:
        """Yield the names in a listing of one calendar, as of many."""
        listed = Listed(profile=self.here.profile_id, calendar=calendar or self.id, zone=None)
        asked = {"calendars": [listed], "start": FIRST, "end": LAST, "limit": size, **fields}
        query = AgendaQuery(**asked)
        while True:
            page = await self._agenda.page(query)
            for one in page.events:
                yield orjson.loads(one.event.document)["name"]
            if not page.more:
                return
            query = replace(query, behind=page.events[-1].place)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with ground(tmp_path) as here:
        work = here.server.add("/work/")
        for name in ("Daily", "Early"):
            work.put(f"{name}.ics", series(name, 1))
        work.put("single.ics", event("Single", 5))
        home = here.server.add("/home/")
        for name in ("Lunch", "Tea", "Nap"):
            home.put(f"{name}.ics", series(name, 1))
        await here.poll(listing=True)
        yield Office(here)


async def test_pages_expand_their_series_once(office: Office) -> None:
    assert sorted([name async for name in office.browsed()]) == NAMES
    assert office.asked == 2
    assert sorted([name async for name in office.agenda()]) == NAMES
    assert office.asked == 4


async def test_without_an_end_too(office: Office) -> None:
    """K23: the end that the first page chose is that of all pages."""
    assert len([name async for name in office.browsed(end=None, size=100)]) > 700
    assert office.asked == 2


async def test_a_listing_of_one_page_keeps_nothing(office: Office) -> None:
    for turn in (1, 2):
        assert sorted([name async for name in office.browsed(size=100)]) == NAMES
        assert sorted([name async for name in office.agenda(size=100)]) == NAMES
        assert office.asked == turn * 4


@pytest.mark.parametrize("listing", ["browsed", "agenda"])
async def test_a_change_between_pages_is_seen(office: Office, listing: str) -> None:
    names = list[str]()
    async for name in getattr(office, listing)():
        names.append(name)
        if len(names) == 5:
            work = office.here.server.calendars[CalendarKey("/work/")]
            work.put("Early.ics", series("Other", 1, uid="Early"))
            await office.here.poll(after=timedelta(seconds=1))
    assert {*names[:5]} == {"Daily", "Early"}
    assert {*names[5:]} == {"Daily", "Other", "Single"}
    assert len(names) == len(NAMES)
    assert office.asked == 4


@pytest.mark.parametrize("listing", ["browsed", "agenda"])
async def test_what_is_kept_is_forgotten_after_a_minute(office: Office, listing: str) -> None:
    names = list[str]()
    async for name in getattr(office, listing)():
        names.append(name)
        if len(names) == 5:
            office.here.clock.advance(timedelta(seconds=61))
    assert sorted(names) == NAMES
    assert office.asked == 4


@pytest.mark.parametrize(
    ("listing", "what"),
    [
        *(("browsed", one) for one in ("start", "end", "calendar")),
        *(("agenda", one) for one in ("start", "end", "calendar", "since", "managed")),
    ],
)
async def test_listings_that_differ_share_nothing(office: Office, listing: str, what: str) -> None:
    """Each shows what it would show if it were the only one."""
    others: dict[str, object] = {
        "start": FIRST + timedelta(days=3),
        "end": LAST - timedelta(days=3),
        "calendar": calendar_id(office.here.profile_id, CalendarKey("/home/")),
        "since": office.here.clock.now() + timedelta(hours=1),
        "managed": Managed.ONLY,
    }
    other = {what: others[what]}
    fresh = Office(office.here)
    alone = sorted([name async for name in getattr(fresh, listing)(**other)])
    assert alone != NAMES
    first = getattr(office, listing)()
    names = [await anext(first)]
    assert sorted([name async for name in getattr(office, listing)(**other)]) == alone
    assert sorted(names + [name async for name in first]) == NAMES


async def test_what_is_too_large_is_not_kept(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expansions, "_IN_ALL", 10_000)
    small = Office(office.here)
    assert sorted([name async for name in small.browsed()]) == NAMES
    assert small.asked == 2 * 5  # by each page


@pytest.mark.parametrize("listing", ["browsed", "agenda"])
async def test_what_is_kept_for_all_pages_is_weighed_once(
    office: Office, listing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weighed, size = list[Expanded](), expansions._size

    def counting(expanded: Expanded) -> int:
        weighed.append(expanded)
        return size(expanded)

    monkeypatch.setattr(expansions, "_size", counting)
    listed = Office(office.here)
    assert sorted([name async for name in getattr(listed, listing)()]) == NAMES
    assert weighed
    assert len({id(one) for one in weighed}) == len(weighed)


async def test_what_is_over_does_not_stay_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """ADR 53: its profile may have been erased, and nobody may ever list anything again."""
    monkeypatch.setattr(expansions, "_LASTS", 0.01)
    clock = FakeClock()
    kept, rows = Expansions(clock), Rows()
    kept.keep("a listing", Expanded(rows, cut=False))
    there = weakref.ref(rows)
    del rows
    clock.advance(timedelta(seconds=1))
    assert there() is not None
    async with asyncio.timeout(5):
        while there() is not None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def test_others_have_a_turn_while_occurrences_are_named(office: Office) -> None:
    """F42: a store and rules that keep nobody waiting are no rest for the others."""
    late, turns = FIRST + timedelta(days=1_500), 0
    window = Window(calendars=(office.id,), after=FIRST, before=late, series=True, limit=10)
    masters = await office.here.store.events(window)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    instances = Instances(Still(masters), office._expand)
    found = await instances.expanded(window, {}, after=FIRST, before=late)
    task.cancel()
    assert len(found.rows) == 3_000
    assert turns == 2
