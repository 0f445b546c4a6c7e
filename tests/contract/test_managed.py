"""What ``Managed`` promises, and windows that ask for what an application made (api.md C6, C10)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from syncd.model.activity import Kind, Record, Type
from syncd.model.calendar import KnownCalendar
from syncd.model.ids import CalendarId, EventId
from syncd.model.managed import ManagedKey
from syncd.model.resource import Change
from syncd.ports.store import Store
from syncd.ports.store.snapshots import Mine, Since, Window
from tests.store.opening import NOON
from tests.store.samples import an_event, with_calendar

AN_HOUR = timedelta(hours=1)


def key(calendar: KnownCalendar, own_id: str = "one", application: str = "") -> ManagedKey:
    return ManagedKey(
        application=application, profile=calendar.profile_id, calendar=calendar.id, own_id=own_id
    )


async def test_a_name_is_claimed_once_whoever_asks(store: Store) -> None:
    calendar = await with_calendar(store)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(store.claim(key(calendar), name=f"n{number}", at=NOON))
            for number in range(5)
        ]
    names = {task.result().name for task in tasks}
    assert len(names) == 1
    assert (await store.claim(key(calendar), name="later", at=NOON)).name in names
    other = await store.claim(key(calendar, application="app"), name="theirs", at=NOON)
    assert other.name == "theirs"


async def test_what_was_claimed_anew_is_neither_bound_nor_released_by_the_former(
    store: Store,
) -> None:
    calendar = await with_calendar(store)
    former = await store.claim(key(calendar), name="former", at=NOON)
    await store.release(former)
    assert await store.managed_event(key(calendar)) is None
    newer = await store.claim(key(calendar), name="newer", at=NOON)
    await store.bind(former, EventId("x"), NOON)
    await store.release(former)
    assert await store.managed_event(key(calendar)) == newer
    await store.bind(newer, EventId("y"), NOON)
    assert await store.managed_event(key(calendar)) == replace(newer, event=EventId("y"))
    assert await store.own_ids("", [EventId("x"), EventId("y")]) == {"y": "one"}
    assert await store.own_ids("app", [EventId("y")]) == {}


async def test_a_window_holds_what_an_application_made_or_all_but_that(store: Store) -> None:
    """Exceptions go with their series."""
    calendar = await with_calendar(store)
    events = [an_event(calendar, name) for name in ("theirs", "mine")]
    whole = an_event(calendar, "series", series=True)
    apart = replace(
        an_event(calendar, "series"),
        id=EventId(f"{whole.id}_x"),
        slot="x",  # type: ignore[arg-type]
    )
    await store.record(calendar, Change(events=(*events, whole, apart)), generation=1)
    for own_id, event in (("one", events[1]), ("two", whole)):
        claimed = await store.claim(key(calendar, own_id), name=own_id, at=NOON)
        await store.bind(claimed, event.id, NOON)
    await store.claim(key(calendar, "pending"), name="pending", at=NOON)

    async def found(application: str, *, only: bool) -> set[str]:
        mine = Mine(application=application, only=only)
        return {one.id for one in await store.events(Window(calendars=(calendar.id,), mine=mine))}

    theirs, mine = {events[0].id}, {events[1].id, whole.id, apart.id}
    assert await found("", only=True) == mine
    assert await found("", only=False) == theirs
    assert await found("app", only=True) == set()
    assert await found("app", only=False) == theirs | mine
    listed = await store.managed_events("", [calendar.id], limit=2)
    rest = await store.managed_events(
        "", [calendar.id], after=(listed[-1].key.calendar, listed[-1].key.own_id)
    )
    assert [one.key.own_id for one in (*listed, *rest)] == ["one", "pending", "two"]


def told(calendar: KnownCalendar, event: EventId, hours: int) -> Record:
    return Record(
        kind=Kind.EVENT,
        type=Type.ADD,
        object_id=event,
        body=b'{"a":1}',
        recorded_at=NOON + hours * AN_HOUR,
        calendar_id=calendar.id,
    )


async def test_what_was_recorded_since_lies_behind_a_position(store: Store) -> None:
    """Never below what is wanted; None once the stream has lost some of it."""
    calendar = await with_calendar(store)
    start = (await store.stream(calendar.profile_id)).head
    events = [an_event(calendar, f"{number:02}") for number in range(20)]
    records = tuple(told(calendar, one.id, hours) for hours, one in enumerate(events))
    change = Change(events=tuple(events), records=records)
    await store.record(calendar, change, generation=1)
    for hours in (1, 7, 19):
        at = NOON + hours * AN_HOUR
        behind = await store.behind(calendar.profile_id, at)
        assert behind == start + hours
        since = {calendar.profile_id: Since(at=at, behind=behind)}
        window = Window(calendars=(calendar.id,), since=since)
        assert {one.id for one in await store.events(window)} == {one.id for one in events[hours:]}
        unlimited = Window(calendars=(calendar.id,), since={})
        assert len(await store.events(unlimited)) == 20
    head = (await store.stream(calendar.profile_id)).head
    assert await store.behind(calendar.profile_id, NOON + 30 * AN_HOUR) == head
    await store.prune(calendar.profile_id, before=NOON + 5 * AN_HOUR, keep=None)
    assert await store.behind(calendar.profile_id, NOON + 4 * AN_HOUR) is None
    assert await store.behind(calendar.profile_id, NOON + 7 * AN_HOUR) == start + 7


async def test_a_name_is_forgotten_when_nothing_tells_of_its_event(store: Store) -> None:
    """Neither the snapshot nor the stream; and it has not been used of late."""
    calendar = await with_calendar(store)
    there, mentioned = an_event(calendar, "there"), EventId("mentioned")
    change = Change(events=(there,), records=(told(calendar, mentioned, 0),))
    await store.record(calendar, change, generation=1)
    for event in (there.id, mentioned, EventId("gone")):
        claimed = await store.claim(key(calendar, event), name=event, at=NOON)
        await store.bind(claimed, event, NOON)
    assert await store.forget_managed(calendar.profile_id, NOON) == 0
    assert await store.forget_managed(calendar.profile_id, NOON + AN_HOUR) == 1
    left = await store.managed_events("", [calendar.id])
    assert {one.event for one in left} == {there.id, mentioned}


async def test_a_claim_waits_for_its_event_from_its_last_try_on(store: Store) -> None:
    """C10, C13: whoever reads the stream knows in which calendars a name may still come."""
    calendar = await with_calendar(store)
    asked = ("app", [calendar.id, CalendarId("cal_other")])
    claimed = await store.claim(key(calendar, application="app"), name="n", at=NOON)
    await store.claim(key(calendar, "two"), name="theirs", at=NOON)
    later = NOON + AN_HOUR
    assert await store.claimed(*asked, since=NOON) == {calendar.id}
    assert await store.claimed(*asked, since=later) == set()
    again = await store.claim(key(calendar, application="app"), name="other", at=later)
    assert again == claimed
    assert await store.claimed(*asked, since=later) == {calendar.id}
    await store.bind(claimed, EventId("x"), later)
    assert await store.claimed(*asked, since=NOON) == set()
