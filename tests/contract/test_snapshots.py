"""What ``Snapshots`` promises about pages and calendars."""

from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.model.activity import Filter, Kind
from syncd.model.calendar import Calendar, Mode
from syncd.model.errors import NotFoundError, StaleStateError
from syncd.model.ids import CalendarId, CalendarKey, Position, ProfileId, ResourceKey, SyncToken
from syncd.model.resource import Absence, Change, Fault, Tally
from syncd.ports.store import Store
from tests.fakes.clock import FakeClock
from tests.store.opening import NOON
from tests.store.samples import (
    a_calendar,
    a_page,
    a_record,
    a_resource,
    an_event,
    with_calendar,
    with_profile,
)

FIRST = Position(0)
ALL = Filter()
ONE, TWO, THREE = map(ResourceKey, ("/cal/1", "/cal/2", "/cal/3"))


async def test_a_page_is_written_whole(store: Store) -> None:
    """I1: rows, activities and sync token come together."""
    calendar = await with_calendar(store)
    page = a_page(calendar, [ONE, TWO])
    stored = await store.record(replace(calendar, token=SyncToken("t1")), page, generation=1)
    assert await store.calendars(calendar.profile_id) == [stored]
    assert (stored.token, stored.revision) == ("t1", calendar.revision + 1)
    stream, read, _ = await store.read(calendar.profile_id, after=FIRST, limit=10, wanted=ALL)
    assert [(one.position, one.object_id) for one in read] == [
        (position, record.object_id) for position, record in enumerate(page.records, start=1)
    ]
    assert [one.body for one in read] == [
        b'{"id":"%s-%d",' % (stream.epoch.encode(), position) + record.body[1:]
        for position, record in enumerate(page.records, start=1)
    ]
    assert set(await store.seen(calendar.id, [ONE, TWO, THREE])) == {ONE, TWO}


async def test_a_page_that_fails_in_the_middle_leaves_nothing(store: Store) -> None:
    """I1: a body that is no JSON object is found after the calendar's row was written."""
    calendar = await with_calendar(store)
    page = a_page(calendar, [ONE, TWO])
    broken = replace(page, records=(*page.records, a_record(body=b"[]")))
    with pytest.raises(ValueError, match="JSON object"):
        await store.record(replace(calendar, token=SyncToken("t1")), broken, generation=1)
    assert await store.calendar(calendar.id) == calendar
    assert await store.etags(calendar.id) == {}
    assert (await store.stream(calendar.profile_id)).head == 0


async def test_of_two_polls_from_one_revision_the_slower_is_dropped(store: Store) -> None:
    """I5: whole, with its activities."""
    calendar = await with_calendar(store)
    await store.record(calendar, a_page(calendar, [ONE]), generation=1)
    with pytest.raises(StaleStateError):
        await store.record(calendar, a_page(calendar, [TWO]), generation=1)
    assert set(await store.etags(calendar.id)) == {ONE}
    assert (await store.stream(calendar.profile_id)).head == 1


async def test_a_poll_that_a_relink_overtook_is_dropped(store: Store) -> None:
    """F14: it read with the credentials of before."""
    calendar = await with_calendar(store)
    profile = await store.profile(calendar.profile_id)
    await store.save_profile(replace(profile, generation=2))
    with pytest.raises(StaleStateError):
        await store.record(calendar, a_page(calendar, [ONE]), generation=1)
    with pytest.raises(StaleStateError):
        await store.save_calendars(profile.id, [calendar], generation=1)
    await store.record(calendar, a_page(calendar, [ONE]), generation=2)
    assert set(await store.etags(calendar.id)) == {ONE}


async def test_a_poll_of_a_removed_profile_is_dropped(store: Store) -> None:
    calendar = await with_calendar(store)
    profile = await store.profile(calendar.profile_id)
    await store.save_profile(replace(profile, removed=True))
    with pytest.raises(StaleStateError):
        await store.record(calendar, a_page(calendar, [ONE]), generation=1)
    with pytest.raises(StaleStateError):
        await store.save_calendars(profile.id, [a_calendar(profile.id)], generation=1)


async def test_a_calendar_comes_back_as_it_was_given(store: Store) -> None:
    calendar = await with_calendar(store)
    full = replace(
        calendar,
        calendar=Calendar(
            key=CalendarKey("/cal/"),
            name="Ada's \N{SNOWMAN}",
            description="d",
            location="l",
            timezone="Europe/Berlin",
            color="#AABBCC",
            order=3,
            primary=True,
            read_only=True,
        ),
        token=SyncToken("t"),
        mode=Mode.LISTING,
        polled_at=NOON,
        reconciled_at=NOON + timedelta(seconds=1),
        reconcile_due_at=NOON + timedelta(seconds=2),
        first_read_at=NOON + timedelta(seconds=3),
        missing=1,
        missing_at=NOON + timedelta(seconds=4),
        full_reads=2,
        full_reads_at=NOON + timedelta(seconds=5),
        corrections=3,
        failures=4,
        retry_at=NOON + timedelta(seconds=6),
        last_error="no answer",
    )
    await store.save_calendars(full.profile_id, [full], generation=1)
    assert await store.calendar(full.id) == replace(full, revision=full.revision + 1)
    recorded = await store.record(
        replace(calendar, revision=full.revision + 1), Change(), generation=1
    )
    assert await store.calendar(full.id) == recorded


async def test_calendars_come_primary_first_then_by_name(store: Store) -> None:
    profile = await with_profile(store)
    named = [a_calendar(profile.id, key) for key in ("/b/", "/C/", "/a/")]
    first = a_calendar(profile.id, "/z/")
    first = replace(first, calendar=replace(first.calendar, primary=True))
    await store.save_calendars(profile.id, [*named, first], generation=1)
    listed = await store.calendars(profile.id)
    assert [one.calendar.name for one in listed] == ["z", "a", "b", "C"]


async def test_calendars_are_saved_all_or_none(store: Store) -> None:
    """I5, for the list of calendars."""
    calendar = await with_calendar(store)
    other = a_calendar(calendar.profile_id, "/other/")
    stale = replace(calendar, revision=calendar.revision - 1)
    with pytest.raises(StaleStateError):
        await store.save_calendars(
            calendar.profile_id, [other, stale], generation=1, records=[a_record()]
        )
    with pytest.raises(StaleStateError):  # one that is not there cannot have a revision
        await store.save_calendars(calendar.profile_id, [replace(other, revision=1)], generation=1)
    assert await store.calendars(calendar.profile_id) == [calendar]
    assert (await store.stream(calendar.profile_id)).head == 0


async def test_a_removed_calendar_takes_its_snapshot_along(store: Store) -> None:
    calendar = await with_calendar(store)
    page = replace(
        a_page(calendar, [ONE]),
        faults=(Fault(key=TWO, message="broken"),),
        absences=(Absence(key=ONE, count=1, counted_at=NOON),),
    )
    calendar = await store.record(calendar, page, generation=1)
    gone = replace(calendar, removed_at=NOON)
    record = a_record(gone.id, kind=Kind.CALENDAR)
    await store.save_calendars(gone.profile_id, [gone], generation=1, records=[record])
    assert await store.calendars(gone.profile_id) == []
    assert [one.id for one in await store.calendars(gone.profile_id, removed=True)] == [gone.id]
    with pytest.raises(NotFoundError):
        await store.calendar(gone.id)
    assert await store.etags(gone.id) == {}
    assert await store.absences(gone.id) == []
    assert await store.faults(gone.profile_id) == []
    assert await store.tallies(gone.profile_id) == {}
    with pytest.raises(NotFoundError):
        await store.event(gone.profile_id, page.events[0].id)
    assert (await store.stream(gone.profile_id)).head == 2


async def test_what_is_seen_of_a_resource_is_all_of_its_events(store: Store) -> None:
    """A series and its exceptions share a resource, its etag and its UID."""
    calendar = await with_calendar(store)
    series = an_event(calendar, ONE, series=True)
    moved = an_event(calendar, ONE, "20261121T120000Z", content=b"moved")
    change = Change(kept=(a_resource(ONE), a_resource(TWO)), events=(series, moved))
    await store.record(calendar, change, generation=1)
    seen = await store.seen(calendar.id, [ONE, TWO])
    assert seen[ONE].events.keys() == {"", "20261121T120000Z"}
    assert seen[ONE].events[moved.slot].id == moved.id == f"{series.id}_20261121T120000Z"
    assert seen[ONE].events[moved.slot].content == b"moved"
    assert (seen[ONE].uid, seen[ONE].etag) == (f"uid of {ONE}", '"1"')
    assert seen[TWO].events == {}  # nothing of it could be read
    assert await store.seen_uids(calendar.id, [f"uid of {ONE}"]) == [seen[ONE]]
    assert await store.seen_uids(calendar.id, ["another"]) == []


async def test_rows_are_rewritten_and_deleted_as_the_page_says(store: Store) -> None:
    calendar = await with_calendar(store)
    series = an_event(calendar, ONE, series=True)
    moved = an_event(calendar, ONE, "20261121T120000Z")
    first = a_page(calendar, [TWO, THREE])
    first = replace(
        first, kept=(*first.kept, a_resource(ONE)), events=(*first.events, series, moved)
    )
    calendar = await store.record(calendar, first, generation=1)
    changed = replace(series, content=b"new", document=b'{"new":1}')
    second = Change(
        kept=(a_resource(ONE, '"2"'),),
        events=(changed,),
        gone_events=(moved.id,),
        gone=(TWO,),
        records=(a_record(),),
    )
    await store.record(calendar, second, generation=1)
    assert await store.etags(calendar.id) == {ONE: '"2"', THREE: '"1"'}
    seen = await store.seen(calendar.id, [ONE])
    assert [one.content for one in seen[ONE].events.values()] == [b"new"]
    ids = [series.id, moved.id, first.events[0].id]
    assert await store.documents(calendar.profile_id, ids) == {series.id: b'{"new":1}'}
    assert set(await store.raw(calendar.id, [ONE, TWO])) == {ONE}


async def test_absences_are_replaced_only_when_a_page_tells_of_them(store: Store) -> None:
    """I7: None leaves them alone, an empty tuple forgets them."""
    calendar = await with_calendar(store)
    held = (Absence(key=ONE, count=1, counted_at=NOON), Absence(key=TWO, count=2, counted_at=NOON))
    calendar = await store.record(calendar, Change(absences=held), generation=1)
    calendar = await store.record(calendar, Change(), generation=1)
    assert await store.absences(calendar.id) == list(held)
    assert (await store.tallies(calendar.profile_id))[calendar.id] == Tally(suspect_deletes=2)
    calendar = await store.record(calendar, Change(absences=held[1:]), generation=1)
    assert await store.absences(calendar.id) == list(held[1:])
    await store.record(calendar, Change(absences=()), generation=1)
    assert await store.absences(calendar.id) == []


async def test_faults_are_counted_until_they_heal(store: Store, clock: FakeClock) -> None:
    """I10, N10: newest first, since when, how often, and what was said last."""
    calendar = await with_calendar(store)
    broken = Change(faults=(Fault(key=ONE, message="bad \0 line"),))
    calendar = await store.record(calendar, broken, generation=1)
    clock.advance(timedelta(minutes=1))
    again = Change(faults=(Fault(key=ONE, message="worse"), Fault(key=TWO, message="bad")))
    calendar = await store.record(calendar, again, generation=1)
    first = Fault(key=ONE, message="worse", first_seen=NOON, count=2)
    second = Fault(key=TWO, message="bad", first_seen=clock.now(), count=1)
    assert await store.faults(calendar.profile_id) == [(calendar.id, second), (calendar.id, first)]
    assert await store.faults(calendar.profile_id, limit=1) == [(calendar.id, second)]
    assert (await store.tallies(calendar.profile_id))[calendar.id] == Tally(unparsed=2)
    calendar = await store.record(calendar, Change(healed=(ONE,)), generation=1)
    assert await store.faults(calendar.profile_id) == [(calendar.id, second)]
    await store.record(calendar, Change(gone=(TWO,)), generation=1)
    assert await store.faults(calendar.profile_id) == []


async def test_a_calendar_of_thousands_is_read_whole(store: Store) -> None:
    """S5: in fetches of at most 1,000 rows, without losing one between them."""
    calendar = await with_calendar(store)
    keys = [ResourceKey(f"/cal/{number}") for number in range(2001)]
    calendar = await store.record(calendar, a_page(calendar, keys), generation=1)
    assert (await store.etags(calendar.id)).keys() == set(keys)
    assert (await store.seen(calendar.id, keys)).keys() == set(keys)
    assert (await store.raw(calendar.id, keys)).keys() == set(keys)
    assert (await store.tallies(calendar.profile_id))[calendar.id].events == len(keys)


async def test_what_a_database_cannot_hold_does_not_stop_a_page(store: Store) -> None:
    """I10: NUL and lone surrogates in what others wrote."""
    calendar = await with_calendar(store)
    odd = replace(a_resource(ONE), uid="nul \0", etag="half \ud800")
    await store.record(calendar, Change(kept=(odd,)), generation=1)
    assert (await store.seen_uids(calendar.id, ["nul \0"]))[0].uid == "nul \ufffd"


async def test_profiles_do_not_see_each_other(store: Store) -> None:
    calendar, other = await with_calendar(store, 1), await with_calendar(store, 2)
    assert calendar.id != other.id
    await store.record(calendar, a_page(calendar, [ONE]), generation=1)
    event = (await store.seen(calendar.id, [ONE]))[ONE].events
    ids = [one.id for one in event.values()]
    assert await store.documents(other.profile_id, ids) == {}
    with pytest.raises(NotFoundError):
        await store.event(other.profile_id, ids[0])
    assert (await store.stream(other.profile_id)).head == 0
    assert await store.calendars(ProfileId(3)) == []
    with pytest.raises(NotFoundError):
        await store.calendar(CalendarId("cal_none"))
