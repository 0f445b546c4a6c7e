"""What ``Snapshots`` promises about reading events."""

from datetime import datetime, timedelta

import pytest

from syncd.model.calendar import KnownCalendar
from syncd.model.errors import NotFoundError
from syncd.model.ids import CalendarId, EventId, ProfileId, ResourceKey
from syncd.model.resource import Change, KeptEvent
from syncd.ports.store import Store
from syncd.ports.store.snapshots import Window
from tests.store.opening import NOON
from tests.store.samples import a_calendar, a_page, an_event, with_calendar

HOUR = timedelta(hours=1)


def lasting(
    calendar: KnownCalendar, name: str, start: float, end: float | None, *, series: bool = False
) -> KeptEvent:
    """An event from so many hours after noon to so many."""
    ends_at = None if end is None else NOON + end * HOUR
    return an_event(calendar, name, starts_at=NOON + start * HOUR, ends_at=ends_at, series=series)


async def filled(store: Store, *events: KeptEvent, calendar: KnownCalendar) -> None:
    await store.record(calendar, Change(events=events), generation=1)


async def found(store: Store, window: Window) -> list[str]:
    return [str(one.key) for one in await store.events(window)]


@pytest.mark.parametrize(
    ("after", "before", "expected"),
    [
        (None, None, ["past", "across", "endless", "point", "inside", "future"]),
        (0, None, ["across", "endless", "point", "inside", "future"]),
        (None, 0, ["past", "across", "endless"]),
        (0, 2, ["across", "endless", "point", "inside"]),
        (0.5, 2, ["across", "endless", "inside"]),
        (1, 2, ["endless", "inside"]),
        (2, 3, ["endless", "future"]),
    ],
)
async def test_a_window_holds_the_spans_that_meet_it(
    store: Store, after: float | None, before: float | None, expected: list[str]
) -> None:
    """Ends are exclusive on both sides; an event without length is where it begins."""
    calendar = await with_calendar(store)
    await filled(
        store,
        lasting(calendar, "past", -3, -2),
        lasting(calendar, "across", -2, 1),
        lasting(calendar, "endless", -1, None),
        lasting(calendar, "point", 0, 0),
        lasting(calendar, "inside", 0.75, 1.5),
        lasting(calendar, "future", 2, 3),
        calendar=calendar,
    )
    window = Window(
        calendars=(calendar.id,),
        after=None if after is None else NOON + after * HOUR,
        before=None if before is None else NOON + before * HOUR,
    )
    assert await found(store, window) == expected


async def test_pages_go_on_behind_the_last_event_and_lose_none(store: Store) -> None:
    """Many begin at one instant; the order is (start, id), over all calendars of the window."""
    calendar = await with_calendar(store)
    other = a_calendar(calendar.profile_id, "/other/")
    await store.save_calendars(calendar.profile_id, [other], generation=1)
    other = await store.calendar(other.id)
    for one in (calendar, other):
        keys = [f"{one.key}{number}" for number in range(10)]
        await store.record(one, a_page(one, keys), generation=1)
    await filled(
        store, lasting(calendar, "later", 1, 2), calendar=await store.calendar(calendar.id)
    )
    read: list[tuple[datetime, EventId]] = []
    behind = None
    while True:
        window = Window(calendars=(calendar.id, other.id), behind=behind, limit=3)
        page = await store.events(window)
        if not page:
            break
        read.extend((one.starts_at, one.id) for one in page)
        behind = read[-1]
    assert len(read) == 21
    assert read == sorted(set(read))
    assert {one.calendar_id for one in await store.events(Window(calendars=(other.id,)))} == {
        other.id
    }


async def test_series_can_be_read_apart(store: Store) -> None:
    calendar = await with_calendar(store)
    await filled(
        store,
        lasting(calendar, "series", 0, None, series=True),
        lasting(calendar, "single", 1, 2),
        calendar=calendar,
    )
    assert await found(store, Window(calendars=(calendar.id,), series=True)) == ["series"]
    assert await found(store, Window(calendars=(calendar.id,), series=False)) == ["single"]
    assert await found(store, Window(calendars=())) == []


async def test_exceptions_are_found_wherever_they_were_moved_to(store: Store) -> None:
    calendar = await with_calendar(store)
    series = lasting(calendar, "series", 0, None, series=True)
    far = an_event(calendar, "series", "20261121T120000Z", starts_at=NOON + 9000 * HOUR)
    other = lasting(calendar, "other", 0, None, series=True)
    await filled(store, series, far, other, calendar=calendar)
    exceptions = await store.exceptions(calendar.id, [series.id, other.id])
    assert [one.id for one in exceptions] == [far.id]
    assert await store.exceptions(calendar.id, []) == []


async def test_an_event_comes_back_as_it_was_kept(store: Store) -> None:
    calendar = await with_calendar(store)
    kept = lasting(calendar, "one", 0, None, series=True)
    await filled(store, kept, calendar=calendar)
    event = await store.event(calendar.profile_id, kept.id)
    assert (event.id, event.calendar_id, event.key, event.slot) == (
        kept.id, calendar.id, kept.key, kept.slot,
    )  # fmt: skip
    assert (event.content, event.document) == (kept.content, kept.document)
    assert (event.starts_at, event.ends_at, event.series) == (kept.starts_at, None, True)
    assert event.claim is kept.claim
    with pytest.raises(NotFoundError):
        await store.event(ProfileId(9), kept.id)


async def test_the_providers_own_body_is_kept_byte_for_byte(store: Store) -> None:
    """P10."""
    calendar = await with_calendar(store)
    page = a_page(calendar, ["/cal/1"])
    await store.record(calendar, page, generation=1)
    raw = await store.raw(calendar.id, [ResourceKey("/cal/1")])
    assert raw[ResourceKey("/cal/1")].raw == page.kept[0].raw
    assert raw[ResourceKey("/cal/1")].etag == page.kept[0].etag
    assert await store.raw(CalendarId("cal_none"), [ResourceKey("/cal/1")]) == {}
