"""What ``Snapshots`` promises about time that is taken (K28)."""

from collections.abc import Sequence
from datetime import timedelta

from syncd.model.calendar import KnownCalendar
from syncd.model.claim import Claim
from syncd.model.ids import CalendarId
from syncd.model.resource import Change, KeptEvent
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


async def taken(store: Store, calendars: Sequence[CalendarId], hours: float = 24) -> list[str]:
    names = {
        one.id: one.key
        for calendar in calendars
        for one in await store.events(Window(calendars=(calendar,)))
    }
    pages = [page async for page in store.taken(calendars, NOON, NOON + hours * HOUR)]
    return [str(names[one.id]) for page in pages for one in page]


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
    assert await taken(store, [calendar.id]) == ["across", "asks", "last"]


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
    assert await taken(store, [calendar.id]) == ["month"]
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
    for one in others:
        known = await store.calendar(one.id)
        events = [an_hour(known, f"{one.key}{number}", number % 7) for number in range(900)]
        await store.record(known, Change(events=tuple(events)), generation=1)
        expected += [event.id for event in events]
    ids = [one.id for one in others]
    pages = [page async for page in store.taken(ids, NOON, NOON + DAY)]
    assert [len(page) for page in pages] == [1000, 1000, 700]
    assert sorted(one.id for page in pages for one in page) == sorted(expected)
    assert [page async for page in store.taken([], NOON, NOON + DAY)] == []


async def test_exceptions_are_named_by_their_series(store: Store) -> None:
    calendar = await with_calendar(store)
    one, other = (an_event(calendar, key, series=True) for key in ("one", "other"))
    moved = [an_event(calendar, "one", f"2026112{day}T120000Z") for day in (1, 2)]
    await filled(store, one, other, *moved, calendar=calendar)
    asked = [(calendar.id, one.id), (calendar.id, other.id)]
    assert await store.altered(asked) == {one.id: {event.id for event in moved}}
    assert await store.altered([]) == {}
