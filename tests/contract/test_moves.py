"""What ``Snapshots.move`` promises: an event is never in two calendars, nor in none (K26)."""

from dataclasses import replace

import pytest

from syncd.model.calendar import KnownCalendar
from syncd.model.errors import StaleStateError
from syncd.model.ids import ResourceKey
from syncd.model.resource import Change
from syncd.ports.store import Store
from tests.store.samples import a_calendar, a_page, a_record, an_event, with_calendar

KEY = ResourceKey("a.ics")


async def two(store: Store) -> tuple[KnownCalendar, KnownCalendar]:
    """Return a calendar that holds an event, and an empty one of the same profile."""
    one = await with_calendar(store)
    other = a_calendar(one.profile_id, "/team/")
    await store.save_calendars(one.profile_id, [other], generation=1)
    one = await store.record(one, a_page(one, [KEY]), generation=1)
    return one, await store.calendar(other.id)


def moved(source: KnownCalendar) -> Change:
    """Return the event as it stands elsewhere, under the id that it had."""
    page = a_page(source, [KEY])
    (event,) = page.events
    return replace(page, records=(a_record(event.id),))


async def test_an_event_keeps_its_id_and_changes_its_calendar(store: Store) -> None:
    source, target = await two(store)
    change = moved(source)
    await store.move(source, [KEY], target, change, generation=1)
    name = an_event(source, KEY).id
    assert (await store.event(source.profile_id, name)).calendar_id == target.id
    assert await store.etags(source.id) == {}
    assert set(await store.etags(target.id)) == {KEY}
    assert (await store.stream(source.profile_id)).head == 2
    for before in (source, target):
        assert (await store.calendar(before.id)).revision == before.revision + 1


@pytest.mark.parametrize("stale", ["source", "target", "generation"])
async def test_who_read_before_somebody_wrote_moves_nothing(store: Store, stale: str) -> None:
    """I5, F14."""
    source, target = await two(store)
    read = {"source": source, "target": target}
    if stale in read:
        await store.record(read[stale], Change(), generation=1)
    with pytest.raises(StaleStateError):
        await store.move(
            source, [KEY], target, moved(source), generation=2 if stale == "generation" else 1
        )
    assert set(await store.etags(source.id)) == {KEY}
    assert await store.etags(target.id) == {}
    assert (await store.stream(source.profile_id)).head == 1
