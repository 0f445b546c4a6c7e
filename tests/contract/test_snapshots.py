"""What ``Snapshots`` promises."""

from dataclasses import replace

import pytest

from syncd.model.activity import Filter
from syncd.model.errors import StaleStateError
from syncd.model.ids import Position, ResourceKey, SyncToken
from syncd.ports.store import Store
from tests.store.samples import a_page, with_calendar

ALL = Filter()


async def test_a_page_is_written_whole(store: Store) -> None:
    """I1: rows, activities and sync token come together."""
    calendar = await with_calendar(store)
    page = a_page(calendar, ["/cal/1", "/cal/2"])
    stored = await store.record(replace(calendar, token=SyncToken("t1")), page, generation=1)
    assert await store.calendars(calendar.profile_id) == [stored]
    stream, read = await store.read(calendar.profile_id, after=Position(0), limit=10, wanted=ALL)
    assert [one.position for one in read] == [1, 2]
    assert [one.object_id for one in read] == [one.object_id for one in page.records]
    assert read[0].body.startswith(b'{"id":"%s-1",' % stream.epoch.encode())
    keys = [ResourceKey(f"/cal/{number}") for number in (1, 2, 3)]
    assert set(await store.seen(calendar.id, keys)) == set(keys[:2])


async def test_of_two_polls_from_one_revision_the_slower_is_dropped(store: Store) -> None:
    """I5: whole, with its activities."""
    calendar = await with_calendar(store)
    await store.record(calendar, a_page(calendar, ["/cal/1"]), generation=1)
    with pytest.raises(StaleStateError):
        await store.record(calendar, a_page(calendar, ["/cal/2"]), generation=1)
    assert set(await store.etags(calendar.id)) == {"/cal/1"}
    assert (await store.stream(calendar.profile_id)).head == 1
