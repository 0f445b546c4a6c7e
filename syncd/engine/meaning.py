"""A page against the snapshot: what ``diff`` asks for is read here, for polls and for writes."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

from syncd.engine.diff import Ground, diff, new_ids
from syncd.engine.records import kind_of
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import StaleStateError
from syncd.model.ids import EventId, ResourceKey
from syncd.model.resource import Change, KnownResource
from syncd.ports.delta import Delta
from syncd.ports.store import Store

INLINE = 100  # events that are compared without a thread: some 10 ms


async def meaning(  # noqa: PLR0913 - what a comparison needs
    store: Store,
    calendar: KnownCalendar,
    page: Delta,
    known: Mapping[ResourceKey, KnownResource],
    *,
    at: datetime,
    initial: bool = False,
    first: bool = False,
) -> Change:
    """Return what a page of a calendar means; ``known`` as ``diff`` takes it.

    ``initial`` marks what the profile's first read found (K42); ``first`` tells that the snapshot
    holds nothing that the page could touch. Raises StaleStateError if the
    snapshot moved while it was read.
    """
    documents = {} if first else await _documents(store, calendar, page, known)
    ground = Ground(
        profile=calendar.profile_id,
        calendar=calendar.id,
        at=at,
        zone=calendar.calendar.timezone,
        kind=kind_of(calendar.holds),
        initial=initial,
    )
    if sum(len(one.objects) for one in page.upserts) <= INLINE:
        return diff(page, known, documents, ground)
    # a thread gives the loop its turn every few milliseconds (F42)
    return await asyncio.to_thread(diff, page, known, documents, ground)


async def _documents(
    store: Store, calendar: KnownCalendar, page: Delta, known: Mapping[ResourceKey, KnownResource]
) -> Mapping[EventId, bytes]:
    """Return the documents that ``diff`` asks for: of what is known, and of taken ids.

    Raises StaleStateError if what was known is gone by now: somebody wrote meanwhile.
    """
    ids = {one.id for kept in known.values() for one in kept.events.values()}
    new = [one for one in page.upserts if one.key not in known]
    needed, found = frozenset(ids), dict[EventId, bytes]()
    number = 0
    while ids or new:
        ids |= {name for one in new for name in new_ids(calendar.id, one, number)}
        found |= await store.documents(calendar.profile_id, ids)
        new = [
            one for one in new if any(name in found for name in new_ids(calendar.id, one, number))
        ]
        ids = set()
        number += 1
    if needed - found.keys():
        raise StaleStateError(f"calendar {calendar.id} has changed meanwhile")
    return found
