"""Listings from the snapshot (K18, K20, K23, R11, R21)."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from syncd.engine import instances
from syncd.engine.browse import Browser, EventListing, EventQuery
from syncd.formats.expand import Expansion, Recurring, expand_series
from syncd.model.errors import InvalidError, NotFoundError
from syncd.model.event import Event, Status
from syncd.model.ids import CalendarId, CalendarKey, EventId, ProfileId, calendar_id
from tests.engine.ground import Ground, all_day, event, exception, ground, series
from tests.fakes.provider import FakeCalendar


async def inline(
    some: Sequence[Recurring], after: datetime, before: datetime, limit: int
) -> Sequence[Expansion | None]:
    return [expand_series(one, after, before, limit) for one in some]


class Shelf:
    """A calendar that is filled, and listed."""

    def __init__(self, here: Ground) -> None:
        self.here = here
        self.work: FakeCalendar = here.server.add("/work/")
        self.id = calendar_id(here.profile_id, CalendarKey("/work/"))
        self.browser = Browser(here.store, inline, here.clock)

    async def keep(self, *resources: Sequence[Event]) -> None:
        for number, events in enumerate(resources):
            self.work.put(f"{number:04}.ics", *events)
        await self.here.poll(listing=True)

    async def page(self, query: EventQuery) -> EventListing:
        return await self.browser.list_events(self.here.profile_id, self.id, query)

    async def all(self, query: EventQuery) -> list[str]:
        """Return the names of all pages."""
        names, page = list[str](), await self.page(query)
        while True:
            names += [orjson.loads(one.document)["name"] for one in page.events]
            if page.next_page is None:
                return names
            query = EventQuery(
                start=query.start,
                end=query.end,
                instances=query.instances,
                page_size=query.page_size,
                page=page.next_page,
            )
            page = await self.page(query)

    async def one(self, event_id: str) -> dict[str, object]:
        found = await self.browser.event(self.here.profile_id, self.id, EventId(event_id))
        document: dict[str, object] = orjson.loads(found.document)
        return document


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    async with ground(tmp_path) as here:
        yield Shelf(here)


def november(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def within(first: int, last: int, **fields: object) -> EventQuery:
    return EventQuery(start=november(first), end=november(last), **fields)  # type: ignore[arg-type]


async def test_listings_are_by_start_and_bounds_are_exclusive(shelf: Shelf) -> None:
    """K18: end > start of the window, start < its end."""
    await shelf.keep([event("C", 5)], [event("A", 3)], [event("B", 4)])
    assert await shelf.all(EventQuery()) == ["A", "B", "C"]
    query = EventQuery(start=november(3, 10), end=november(5, 9))
    assert await shelf.all(query) == ["B"]  # A ends as it begins, C begins as it ends


async def test_all_day_events_count_in_the_calendars_zone(shelf: Shelf) -> None:
    """K18: Berlin's 4 November ends at 23:00 UTC."""
    await shelf.keep([all_day("Day", 4)])
    assert await shelf.all(EventQuery(start=november(4, 22), end=november(9))) == ["Day"]
    assert await shelf.all(EventQuery(start=november(4, 23), end=november(9))) == []


async def test_series_are_replaced_by_occurrences_and_exceptions(shelf: Shelf) -> None:
    """K23: altered ones in place of theirs, cancelled ones left out."""
    await shelf.keep(
        [
            series("Daily", 1),
            exception("Late", 9, uid="Daily", original_start=event("x", 3).start),
            exception("Off", 4, uid="Daily", status=Status.CANCELLED),
        ]
    )
    assert await shelf.all(within(2, 7)) == ["Daily", "Daily", "Daily"]  # 2, 5, 6
    assert sorted(await shelf.all(within(9, 10))) == ["Daily", "Late"]
    assert await shelf.all(within(2, 7, instances=False)) == ["Daily", "Off"]


async def test_an_occurrence_is_an_event_of_its_own(shelf: Shelf) -> None:
    """K17, design §8: its id names its start."""
    await shelf.keep([series("Daily", 1)])
    (master,) = (await shelf.page(within(2, 3, instances=False))).events
    (found,) = (await shelf.page(within(2, 3))).events
    document = orjson.loads(found.document)
    assert found.id == f"{master.id}_20261102T090000Z"
    assert document["start"] == document["original_start"] == "2026-11-02T09:00:00Z"
    assert document["recurring_master_id"] == master.id
    assert document["recurrence_type"] == "recurring"
    assert document["recurrence"] == []
    assert await shelf.one(found.id) == document


async def test_single_events_are_found_by_id_and_others_not(shelf: Shelf) -> None:
    """K20: an occurrence only if the rule yields it."""
    await shelf.keep([series("Daily", 1)], [event("One", 2)])
    found = (await shelf.page(within(2, 3))).events
    names = {orjson.loads(one.document)["name"]: one for one in found}
    assert (await shelf.one(names["One"].id))["name"] == "One"
    series_id = names["Daily"].id.partition("_")[0]
    for bad in (
        f"{series_id}_20261102T091500Z",
        f"{series_id}_20261001T090000Z",
        f"{series_id}_nonsense",
        f"{series_id}_20261102",
        f"{names['One'].id}_20261102T090000Z",
        "unknown",
    ):
        with pytest.raises(NotFoundError):
            await shelf.one(bad)


async def test_without_an_end_series_reach_366_days_and_single_events_any_time(
    shelf: Shelf,
) -> None:
    """K23."""
    far = datetime(2040, 1, 1, tzinfo=UTC)
    await shelf.keep([series("Daily", 20)], [event("Far", start=far, end=far)])
    names = await shelf.all(EventQuery(start=november(21), page_size=50))
    assert names == ["Daily"] * 366 + ["Far"]


async def test_a_dense_series_is_cut_and_says_so(shelf: Shelf) -> None:
    """K23: at most 2,000 occurrences of a series, on all pages alike."""
    await shelf.keep([series("Hourly", 1, rule="RRULE:FREQ=HOURLY")])
    query = EventQuery(start=november(1), page_size=1000)
    assert (await shelf.page(query)).truncated
    assert len(await shelf.all(query)) == 2000


async def test_a_listing_of_many_series_is_cut(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K23: at most 20,000 in a listing."""
    monkeypatch.setattr(instances, "A_LISTING", 50)
    await shelf.keep(*([series(f"Daily {number}", 1)] for number in range(9)))
    listing = await shelf.page(within(1, 11, page_size=10))
    assert listing.truncated
    assert len(await shelf.all(within(1, 11, page_size=10))) == 50


async def test_a_rule_that_is_never_expanded_leaves_its_series(shelf: Shelf) -> None:
    """K23."""
    await shelf.keep([series("Bomb", 2, rule="RRULE:FREQ=SECONDLY")])
    assert await shelf.all(within(1, 5)) == ["Bomb"]


async def test_total_is_known_when_all_is_on_one_page(shelf: Shelf) -> None:
    """K18."""
    await shelf.keep([event("A", 3)], [event("B", 4)])
    assert (await shelf.page(EventQuery())).total == 2
    first = await shelf.page(EventQuery(page_size=1))
    assert (first.total, first.page_number) == (None, 1)
    second = await shelf.page(EventQuery(page_size=1, page=first.next_page))
    assert (second.total, second.page_number, second.next_page) == (None, 2, None)


async def test_all_pages_name_the_cursor_of_the_first(shelf: Shelf) -> None:
    """R21."""
    await shelf.keep([event("A", 3)], [event("B", 4)])
    first = await shelf.page(EventQuery(page_size=1))
    shelf.work.put("new.ics", event("New", 20))
    await shelf.here.poll()
    second = await shelf.page(EventQuery(page_size=1, page=first.next_page))
    assert second.cursor == first.cursor
    assert (await shelf.page(EventQuery())).cursor != first.cursor


async def test_a_page_of_another_listing_or_of_none_is_refused(shelf: Shelf) -> None:
    """R11."""
    await shelf.keep([event("A", 3)], [event("B", 4)])
    first = await shelf.page(within(1, 9, page_size=1))
    for page in (first.next_page, "nonsense", "W10", "bnVsbA", "2", ""):
        with pytest.raises(InvalidError) as caught:
            await shelf.page(within(1, 8, page_size=1, page=page))
        assert caught.value.field == "page"
    assert (await shelf.page(within(1, 9, page_size=1, page="1"))).events == first.events


async def test_another_profiles_calendar_is_not_found(shelf: Shelf) -> None:
    await shelf.keep([event("A", 3)])
    with pytest.raises(NotFoundError):
        await shelf.browser.list_events(ProfileId(999), shelf.id, EventQuery())
    with pytest.raises(NotFoundError):
        await shelf.browser.list_events(
            shelf.here.profile_id, CalendarId("cal_aaab_none"), EventQuery()
        )


async def test_a_change_while_paging_neither_repeats_nor_hides_others(shelf: Shelf) -> None:
    """R11, with series and single events mixed, pages of every size."""
    await shelf.keep([series("Daily", 1)], *([event(f"Single {day}", day)] for day in range(1, 11)))
    for size in (1, 2, 3, 7, 100):
        names, page = list[str](), await shelf.page(within(1, 11, page_size=size))
        while True:
            names += [orjson.loads(one.document)["name"] for one in page.events]
            shelf.work.put("0001.ics", event(f"Other {size} {len(names)}", 25, uid="Single 1"))
            await shelf.here.poll(after=timedelta(seconds=1))
            if page.next_page is None:
                break
            page = await shelf.page(within(1, 11, page_size=size, page=page.next_page))
        others = [name for name in names if name.startswith("Single") and name != "Single 1"]
        assert others == [f"Single {day}" for day in range(2, 11)]
        assert names.count("Daily") == 10
        shelf.work.put("0001.ics", event("Single 1", 1))
        await shelf.here.poll(after=timedelta(seconds=1))
