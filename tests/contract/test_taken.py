"""What ``Snapshots`` promises about time that is taken (K28)."""

from collections.abc import Sequence
from datetime import timedelta

from syncd.model.calendar import KnownCalendar
from syncd.model.claim import Claim
from syncd.model.ids import CalendarId, EventId
from syncd.model.resource import Change, KeptEvent
from syncd.model.when import milliseconds
from syncd.ports.store import Store
from syncd.ports.store.snapshots import Window
from tests.contract.test_listings import filled, found
from tests.store.opening import NOON
from tests.store.samples import a_calendar, an_event, with_calendar

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def an_hour(
    calendar: KnownCalendar, name: str, start: float, hours: float = 1, claim: Claim = Claim.BUSY
) -> KeptEvent:
    begin = NOON + start * HOUR
    return an_event(calendar, name, starts_at=begin, ends_at=begin + hours * HOUR, claim=claim)


async def taken(store: Store, calendars: Sequence[CalendarId]) -> list[tuple[float, float]]:
    """Return what is busy within a day from noon, in hours behind noon."""
    noon, hour = milliseconds(NOON), 3_600_000
    pages = [page async for page in store.taken(calendars, NOON, NOON + DAY)]
    return [
        (round((start - noon) / hour, 3), round((end - noon) / hour, 3))
        for page in pages
        for start, end in page
    ]


async def asking(store: Store, calendars: Sequence[CalendarId]) -> list[EventId]:
    pages = [page async for page in store.asking(calendars, NOON, NOON + DAY)]
    return [name for page in pages for _, name in page]


async def test_what_claims_time_in_a_window_is_found_and_nothing_else(store: Store) -> None:
    calendar = await with_calendar(store)
    await filled(
        store,
        an_hour(calendar, "ended", -1),
        an_hour(calendar, "long", -24 * 31, 24 * 31 + 1),
        an_hour(calendar, "across", -0.5),
        an_hour(calendar, "asks", 1, claim=Claim.ASK),
        an_hour(calendar, "free", 2, claim=Claim.FREE),
        an_hour(calendar, "last", 23.5),
        an_hour(calendar, "later", 24),
        calendar=calendar,
    )
    assert await taken(store, [calendar.id]) == [(-0.5, 0.5), (23.5, 24.5)]
    assert await asking(store, [calendar.id]) == [an_event(calendar, "asks").id]


async def test_what_lasts_longer_than_a_month_is_found_as_lasting(store: Store) -> None:
    """So that no window looks at a calendar's whole past."""
    calendar = await with_calendar(store)
    month = 24 * 31
    await filled(
        store,
        an_hour(calendar, "month", -month + 1, month),
        an_hour(calendar, "longer", -month, month + 1),
        an_hour(calendar, "free", -month, month + 2, claim=Claim.FREE),
        an_event(calendar, "endless", starts_at=NOON - 9 * DAY, ends_at=None, claim=Claim.BUSY),
        an_event(calendar, "series", starts_at=NOON, ends_at=NOON + HOUR, series=True),
        calendar=calendar,
    )
    assert await taken(store, [calendar.id]) == [(1 - month, 1)]
    window = Window(
        calendars=(calendar.id,), after=NOON, before=NOON + DAY, lasting=True, claiming=True
    )
    assert await found(store, window) == ["longer", "endless", "series"]


async def test_pages_lose_and_repeat_nothing_over_calendars(store: Store) -> None:
    """A thousand rows a page; many begin at one instant."""
    calendar = await with_calendar(store)
    keys = ["/a/", "/b/", "/c/"]
    others = [a_calendar(calendar.profile_id, key) for key in keys]
    await store.save_calendars(calendar.profile_id, others, generation=1)
    expected = list[str]()
    for place, one in enumerate(others):
        known = await store.calendar(one.id)
        asks = [
            an_hour(known, f"{one.key}{number}", number % 7, claim=Claim.ASK)
            for number in range(900)
        ]
        busy = [
            an_hour(known, f"{one.key}b{number}", number / 100, place + 1) for number in range(1500)
        ]
        await store.record(known, Change(events=(*asks, *busy)), generation=1)
        expected += [event.id for event in asks]
    ids = [one.id for one in others]
    assert sorted(await asking(store, ids)) == sorted(expected)
    assert await taken(store, ids) == [
        (round(one / 100, 3), round(one / 100 + 3, 3)) for one in range(1500)
    ]
    assert await taken(store, []) == []
    assert await asking(store, []) == []


async def test_exceptions_are_named_by_their_series(store: Store) -> None:
    calendar = await with_calendar(store)
    one, other = (an_event(calendar, key, series=True) for key in ("one", "other"))
    moved = [an_event(calendar, "one", f"2026112{day}T120000Z") for day in (1, 2)]
    await filled(store, one, other, *moved, calendar=calendar)
    asked = [(calendar.id, one.id), (calendar.id, other.id)]
    assert await store.altered(asked) == {one.id: {event.id for event in moved}}
    assert await store.altered([]) == {}
