"""Contacts of a profile as the snapshot has them, page by page, over all its address books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from syncd.engine.browse import EPOCH
from syncd.engine.poll import LISTED_EVERY
from syncd.model.calendar import Holds, KnownCalendar
from syncd.model.errors import NotFoundError
from syncd.model.ids import EventId, ResourceKey
from syncd.model.profile import Profile
from syncd.model.resource import RawResource, StoredEvent
from syncd.ports.store import Store
from syncd.ports.store.snapshots import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPage:
    """Contacts by id; ``more`` tells whether others follow."""

    contacts: Sequence[StoredEvent]
    more: bool
    polled_at: datetime | None


async def list_contacts(
    store: Store, profile: Profile, *, behind: EventId | None, limit: int
) -> ContactPage:
    """Return at most ``limit`` contacts, up to 1,000, with the ids that follow ``behind``."""
    books = await store.calendars(profile.id, holds=Holds.CONTACTS)
    found = await _some(store, books, behind, limit)
    full = len(found) == limit
    more = full and bool(await _some(store, books, found[-1].id, 1))
    return ContactPage(contacts=found, more=more, polled_at=polled_at(profile, books))


async def one_contact(store: Store, profile: Profile, contact: EventId) -> ContactPage:
    """Return a page with this contact alone; raises NotFoundError."""
    books = await store.calendars(profile.id, holds=Holds.CONTACTS)
    documents = await store.documents(profile.id, [contact])
    found = await store.event(profile.id, contact) if documents else None
    if found is None or found.calendar_id not in {one.id for one in books}:
        raise NotFoundError(f"there is no contact {contact}")
    return ContactPage(contacts=[found], more=False, polled_at=polled_at(profile, books))


async def raw_contacts(
    store: Store, contacts: Sequence[StoredEvent]
) -> Mapping[EventId, RawResource]:
    """Return the provider's own bodies of contacts."""
    found = dict[EventId, RawResource]()
    for book in dict.fromkeys(one.calendar_id for one in contacts):
        mine = [one for one in contacts if one.calendar_id == book]
        bodies: Mapping[ResourceKey, RawResource] = await store.raw(book, {one.key for one in mine})
        found |= {one.id: bodies[one.key] for one in mine if one.key in bodies}
    return found


def polled_at(profile: Profile, books: Sequence[KnownCalendar]) -> datetime | None:
    """Return when all of this was certainly known to be true, None before the first look.

    A good poll looks at the address books unless one has done so within ``LISTED_EVERY`` before.
    """
    if profile.polled_at is None:
        return None
    certain = profile.polled_at - LISTED_EVERY
    looked = [one.as_of(certain).polled_at for one in books]
    times = [at for at in looked if at is not None]
    return min(times, default=certain) if len(times) == len(looked) else None


async def _some(
    store: Store, books: Sequence[KnownCalendar], behind: EventId | None, limit: int
) -> Sequence[StoredEvent]:
    if not books:
        return ()
    window = Window(
        calendars=tuple(one.id for one in books),
        behind=None if behind is None else (EPOCH, behind),
        limit=limit,
    )
    return await store.events(window)
