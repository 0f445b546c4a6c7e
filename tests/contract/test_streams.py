"""What ``Streams`` promises."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from syncd.model.activity import Filter, Kind, Type
from syncd.model.errors import CursorExpiredError, NotFoundError
from syncd.model.ids import CalendarId, Cursor, Position, ProfileId
from syncd.ports.store import Store
from syncd.ports.store.streams import Streams
from tests.store.opening import NOON
from tests.store.samples import a_page, a_record, with_calendar, with_profile

FIRST = Position(0)
ALL = Filter()


async def positions(
    store: Streams, profile: ProfileId, *, after: int = 0, limit: int = 1000, wanted: Filter = ALL
) -> list[int]:
    _, read, _ = await store.read(profile, after=Position(after), limit=limit, wanted=wanted)
    return [one.position for one in read]


async def test_a_reader_sees_each_activity_once_in_order(store: Store) -> None:
    """I2, I3."""
    profile = await with_profile(store)
    for number in range(5):
        profile = await store.save_profile(profile, records=[a_record(str(number))] * 3)
    assert await positions(store, profile.id) == list(range(1, 16))
    assert await positions(store, profile.id, after=4, limit=3) == [5, 6, 7]
    assert await positions(store, profile.id, after=15) == []
    _, read, _ = await store.read(profile.id, after=Position(14), limit=9, wanted=ALL)
    assert (read[0].object_id, read[0].kind, read[0].type) == ("4", Kind.EVENT, Type.ADD)


async def test_an_empty_stream_is_read_with_its_ends(store: Store) -> None:
    profile = await with_profile(store)
    stream, read, _ = await store.read(profile.id, after=FIRST, limit=9, wanted=ALL)
    assert (stream.head, stream.floor, stream.after_auth, read) == (0, 0, None, ())
    assert stream == await store.stream(profile.id)
    with pytest.raises(NotFoundError):
        await store.read(ProfileId(9), after=FIRST, limit=9, wanted=ALL)
    with pytest.raises(NotFoundError):
        await store.stream(ProfileId(9))


async def test_an_activitys_body_is_the_record_with_its_id(store: Store) -> None:
    """K42: ``<epoch>-<position>``, spliced in, the rest byte for byte."""
    profile = await with_profile(store)
    await store.save_profile(profile, records=[a_record(body=b'{"a" :1, "b":"\xc3\xa9"}')])
    stream, (one,), _ = await store.read(profile.id, after=FIRST, limit=9, wanted=ALL)
    assert one.body == b'{"id":"%s-1","a" :1, "b":"\xc3\xa9"}' % stream.epoch.encode()
    assert orjson.loads(one.body)["id"] == f"{stream.epoch}-1"


async def test_filters_leave_out_and_the_head_is_told(store: Store) -> None:
    """K38: account records pass the filter of calendars."""
    profile = await with_profile(store)
    here, there = CalendarId("cal_here"), CalendarId("cal_there")
    records = [
        a_record(kind=Kind.ACCOUNT),
        a_record(kind=Kind.CALENDAR, calendar_id=here),
        a_record(calendar_id=here),
        a_record(calendar_id=there, type=Type.UPDATE),
        a_record(kind=Kind.CONTACT, type=Type.DELETE),
    ]
    await store.save_profile(profile, records=records)
    every = frozenset(Kind)
    wanted = {
        (1, 2, 3, 4): Filter(),
        (1, 2, 3, 4, 5): Filter(kinds=every),
        (3, 4): Filter(kinds=frozenset({Kind.EVENT})),
        (4,): Filter(types=frozenset({Type.UPDATE})),
        (4, 5): Filter(kinds=frozenset(), types=frozenset({Type.UPDATE, Type.DELETE})),
        (1, 2, 3): Filter(calendars=frozenset({here})),
        (1, 4): Filter(calendars=frozenset({there})),
        (1,): Filter(calendars=frozenset({CalendarId("cal_none")})),
        (1, 5): Filter(kinds=every, calendars=frozenset()),
        (): Filter(kinds=frozenset({Kind.CALENDAR}), types=frozenset({Type.DELETE})),
    }
    for expected, one in wanted.items():
        assert await positions(store, profile.id, wanted=one) == list(expected)
        stream, _, _ = await store.read(profile.id, after=FIRST, limit=9, wanted=one)
        assert stream.head == 5


async def test_streams_count_for_themselves(store: Store) -> None:
    one, two = await with_profile(store, 1), await with_profile(store, 2)
    await store.save_profile(one, records=[a_record()] * 3)
    await store.save_profile(two, records=[a_record()])
    assert await positions(store, one.id) == [1, 2, 3]
    assert await positions(store, two.id) == [1]
    assert await store.check() == []


async def test_writers_of_one_stream_leave_no_gap(store: Store) -> None:
    """I3: also where every third of them fails after it took its positions."""
    calendar = await with_calendar(store)
    profile = calendar.profile_id

    async def write(number: int) -> None:
        records = [a_record(str(number))] * 2
        broken = a_record(str(number), body=b"null")
        try:
            await store.save_calendars(
                profile,
                [],
                generation=1,
                records=[*records, broken] if number % 3 == 0 else records,
            )
        except ValueError:
            assert number % 3 == 0

    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(write(number))
    assert await positions(store, profile) == list(range(1, 41))
    assert (await store.stream(profile)).head == 40


async def test_a_cursor_outside_of_what_is_retained_is_refused(store: Store) -> None:
    """I4: never an empty page; what can be read again is named."""
    profile = await with_profile(store)
    await store.save_profile(profile, records=[a_record()] * 5)
    await store.prune(profile.id, before=NOON, keep=3)
    stream = await store.stream(profile.id)
    assert (stream.floor, stream.head) == (2, 5)
    for position in (2, 5):
        assert stream.check(Cursor(stream.epoch, Position(position))) == position
    for position in (1, 6):
        with pytest.raises(CursorExpiredError) as refused:
            stream.check(Cursor(stream.epoch, Position(position)))
        assert refused.value.reason == "retention"
        assert refused.value.restart == str(Cursor(stream.epoch, Position(2)))
    assert await positions(store, profile.id, after=2) == [3, 4, 5]


async def test_pruning_cuts_what_is_old_or_too_many_a_step_at_a_time(store: Store) -> None:
    """S9: rows go in the transaction that raises the floor."""
    profile = await with_profile(store)
    for hours in range(3):
        one = a_record(recorded_at=NOON + timedelta(hours=hours))
        profile = await store.save_profile(profile, records=[one] * 10)
    old = NOON + timedelta(hours=1)
    assert await store.prune(profile.id, before=old, keep=None, limit=4) == 4
    assert await positions(store, profile.id) == list(range(5, 31))
    assert await store.prune(profile.id, before=old, keep=None) == 6
    assert await store.prune(profile.id, before=old, keep=None) == 0
    assert await store.prune(profile.id, before=old, keep=15, limit=3) == 3
    assert await store.prune(profile.id, before=old, keep=15) == 2
    assert await store.prune(profile.id, before=NOON + timedelta(days=1), keep=15) == 15
    stream = await store.stream(profile.id)
    assert (stream.floor, stream.head) == (30, 30)
    assert await store.check() == []
    with pytest.raises(NotFoundError):
        await store.prune(ProfileId(9), before=old, keep=None)


async def test_what_is_young_protects_what_is_behind_it(store: Store) -> None:
    """A clock that was set back must not cut a hole into a stream."""
    profile = await with_profile(store)
    times = (0, 5, 0, 0)
    records = [a_record(recorded_at=NOON + timedelta(hours=one)) for one in times]
    await store.save_profile(profile, records=records)
    assert await store.prune(profile.id, before=NOON + timedelta(hours=1), keep=None) == 1
    assert await positions(store, profile.id) == [2, 3, 4]


async def test_positions_go_on_after_everything_was_pruned(store: Store) -> None:
    """F29: a position is given once."""
    profile = await with_profile(store)
    profile = await store.save_profile(profile, records=[a_record()] * 3)
    await store.prune(profile.id, before=NOON + timedelta(days=1), keep=0)
    await store.save_profile(profile, records=[a_record()])
    assert await positions(store, profile.id, after=3) == [4]


async def test_readers_are_not_held_up_by_an_open_write(store: Store) -> None:
    """They see what was committed, and all of it at once (S6)."""
    calendar = await with_calendar(store)
    calendar = await store.record(calendar, a_page(calendar, ["/cal/0"]), generation=1)
    keys = [f"/cal/{number}" for number in range(1500)]
    page = replace(a_page(calendar, keys), kept=())
    writing = asyncio.create_task(store.record(calendar, page, generation=1))
    seen: set[int] = set()
    while not writing.done():
        stream, read, _ = await store.read(calendar.profile_id, after=FIRST, limit=1000, wanted=ALL)
        assert len(read) == min(stream.head, 1000)
        seen.add(stream.head)
        await asyncio.sleep(0)
    await writing
    assert 1 in seen
    assert seen <= {1, 1501}
