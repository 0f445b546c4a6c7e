"""Deleting resources of a snapshot, told event by event, in small transactions (F4, F42)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from syncd.engine.records import calendar_record, delete_records, kind_of
from syncd.model.activity import Type
from syncd.model.calendar import Holds, KnownCalendar
from syncd.model.ids import ResourceKey
from syncd.model.profile import Profile
from syncd.model.resource import Change
from syncd.ports.store import Store

BATCH = 500  # resources a transaction


async def erase(
    store: Store,
    calendar: KnownCalendar,
    keys: Sequence[ResourceKey],
    *,
    profile: Profile,
    at: datetime,
) -> tuple[KnownCalendar, int]:
    """Delete resources and what is held of them; return the calendar as stored, and how many told.

    Raises StaleStateError if a poll wrote meanwhile; what was deleted until then is deleted.
    """
    held = {one.key: one for one in await store.absences(calendar.id)}
    told = 0
    for start in range(0, len(keys), BATCH):
        some = keys[start : start + BATCH]
        seen = await store.seen(calendar.id, some)
        resources = [seen[key] for key in sorted(seen)]
        ids = [event.id for one in resources for event in one.events.values()]
        documents = await store.documents(calendar.profile_id, ids)
        for key in some:
            held.pop(key, None)
        change = Change(
            gone=tuple(one.key for one in resources),
            records=tuple(
                delete_records(
                    *(resources, documents, at),
                    profile=profile.id,
                    calendar=calendar.id,
                    kind=kind_of(calendar.holds),
                )
            ),
            healed=tuple(some),
            absences=tuple(held.values()),
        )
        calendar = await store.record(calendar, change, generation=profile.generation)
        told += len(change.records)
    return calendar, told


async def remove(store: Store, calendar: KnownCalendar, *, profile: Profile, at: datetime) -> int:
    """Delete a calendar: its events, then itself (K42); return how many activities told of it.

    ``calendar`` is as it was read last. Raises StaleStateError if somebody wrote meanwhile.
    """
    keys = sorted(await store.etags(calendar.id))
    calendar, told = await erase(store, calendar, keys, profile=profile, at=at)
    told_of = calendar.holds is Holds.EVENTS  # address books have no records of their own
    records = [calendar_record(Type.DELETE, calendar, at)] if told_of else []
    gone = replace(calendar, removed_at=at, token=None)
    await store.save_calendars(profile.id, [gone], generation=profile.generation, records=records)
    return told + len(records)
