"""What a page of changes means against the snapshot: pure, and the only judge of add and update."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import orjson

from syncd.engine.records import delete_records, encoded, event_record
from syncd.formats.expand import span
from syncd.model.activity import Kind, Record, Type
from syncd.model.claim import Claim, claim_of
from syncd.model.contact import Contact, contact_document
from syncd.model.content import changes, content_hash, event_document
from syncd.model.event import Event
from syncd.model.ids import (
    WHOLE,
    CalendarId,
    EventId,
    ProfileId,
    ResourceKey,
    Slot,
    event_id,
    slot_id,
    split_event_id,
)
from syncd.model.resource import (
    Change,
    Fault,
    KeptEvent,
    KeptResource,
    KnownResource,
    Resource,
    Seen,
    slot,
)
from syncd.model.when import from_milliseconds
from syncd.ports.delta import Delta


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Whose page it is and when it is recorded; ``zone`` is the calendar's (K18's all-day)."""

    profile: ProfileId
    calendar: CalendarId
    at: datetime
    zone: str | None = None
    kind: Kind = Kind.EVENT
    initial: bool = False  # the profile's first read (K42)


def diff(
    page: Delta,
    known: Mapping[ResourceKey, KnownResource],
    documents: Mapping[EventId, bytes],
    ground: Ground,
) -> Change:
    """Return what a page means; of a resource named twice the last word wins (P4).

    ``known`` holds what the snapshot has of the keys that the page names, ``documents`` the
    events of these and whatever else stands under the ids that new resources would get. What is
    deleted without being known means nothing (P5); what is unread stays as it was (I10). A new
    key with the UID of one that is deleted here takes its ids over (P7). The order of records
    follows from the page: resources as they came, a series before its exceptions, then what is
    gone by key.
    """
    upserts = {one.key: one for one in page.upserts}
    doomed = sorted((page.deleted & known.keys()) - upserts.keys())
    homeless = {known[key].uid: known[key] for key in reversed(doomed) if known[key].uid}
    draft = _Draft(documents, ground)
    for resource in upserts.values():
        before = known.get(resource.key)
        if before is None and homeless and resource.uid:
            before = homeless.pop(resource.uid, None)
        draft.compare(resource, before)
    draft.delete(known[key] for key in doomed if key not in draft.moved)
    faults = draft.faults
    faults += [Fault(key=key, message=page.unread[key]) for key in sorted(page.unread)]
    faulty = {fault.key for fault in faults}
    return Change(
        kept=tuple(draft.kept),
        events=tuple(draft.events),
        gone_events=tuple(draft.gone),
        gone=tuple(doomed),
        records=tuple(draft.records),
        faults=tuple(faults),
        healed=tuple(key for key in (*upserts, *sorted(page.deleted)) if key not in faulty),
    )


def bare_id(calendar: CalendarId, key: ResourceKey, number: int) -> EventId:
    """Return the id that a new resource's series or single event would get.

    Only after P7 gave the id of a key to another resource can the first be taken; then the next
    number is tried.
    """
    return event_id(calendar, ResourceKey(f"{key}\n{number}") if number else key)


def new_ids(calendar: CalendarId, resource: Resource, number: int) -> Iterator[EventId]:
    """Yield the ids that the events of a resource get if it is new."""
    base = bare_id(calendar, resource.key, number)
    return (slot_id(base, slot(one)) for one in resource.objects)


def kept_events(resource: Resource, ground: Ground) -> tuple[KeptEvent, ...]:
    """Return the events of a resource that nothing is known of, as they would be stored."""
    base = bare_id(ground.calendar, resource.key, 0)
    return tuple(
        _kept_event(resource.key, one, slot_id(base, slot(one)), base, ground)
        for one in resource.events
    )


class _Draft:
    """What a page comes to, resource by resource."""

    def __init__(self, documents: Mapping[EventId, bytes], ground: Ground) -> None:
        self.kept = list[KeptResource]()
        self.moved = set[ResourceKey]()  # keys that resources had before they moved (P7)
        self.events = list[KeptEvent]()
        self.gone = list[EventId]()
        self.records = list[Record]()
        self.faults = list[Fault]()
        self._documents = documents
        self._ground = ground

    def compare(self, resource: Resource, before: KnownResource | None) -> None:
        """Take a resource, which the snapshot knows as ``before``."""
        seen: Mapping[Slot, Seen] = {} if before is None else before.events
        base = self._base(resource, seen)
        uid = resource.uid or (before.uid if before else "")
        self.kept.append(
            KeptResource(key=resource.key, uid=uid, etag=resource.etag, raw=resource.raw)
        )
        present = {slot(one): one for one in resource.objects}
        for place in sorted(present):
            held, former = present[place], seen.get(place)
            name = slot_id(base, place) if former is None else former.id
            kept = _kept(resource.key, held, name, base, self._ground)
            self.events.append(kept)
            self._tell(kept, former, held.modified)
        if resource.faults:
            self.faults.append(Fault(key=resource.key, message="; ".join(resource.faults)))
        if before is None:
            return
        if before.key != resource.key:
            self.moved.add(before.key)
        if not resource.faults or before.key != resource.key:
            vanished = {place: one for place, one in seen.items() if place not in present}
            self.gone += [one.id for one in vanished.values()]
            self.delete([replace(before, events=vanished)])

    def delete(self, gone: Iterable[KnownResource]) -> None:
        """Tell of all that resources hold that it is gone."""
        ground = self._ground
        self.records += delete_records(
            *(gone, self._documents, ground.at),
            profile=ground.profile,
            calendar=ground.calendar,
            kind=ground.kind,
        )

    def _base(self, resource: Resource, seen: Mapping[Slot, Seen]) -> EventId:
        for one in seen.values():
            return split_event_id(one.id)[0]
        ground, taken, number = self._ground, self._documents, 0
        while taken and any(name in taken for name in new_ids(ground.calendar, resource, number)):
            number += 1
        return bare_id(ground.calendar, resource.key, number)

    def _tell(self, kept: KeptEvent, former: Seen | None, modified: datetime | None) -> None:
        """Tell of an object that is new or whose content changed (I6)."""
        told = None
        if former is not None:
            if former.content == kept.content:
                return
            old = orjson.loads(self._documents[kept.id])
            told = changes(old, orjson.loads(kept.document))
            if not told:
                return
        ground = self._ground
        self.records.append(
            event_record(
                Type.ADD if former is None else Type.UPDATE,
                kept.id,
                kept.document,
                ground.at,
                profile=ground.profile,
                calendar=ground.calendar,
                kind=ground.kind,
                modified=modified,
                told=told,
                initial=ground.initial,
            )
        )


def _kept(
    key: ResourceKey, held: Event | Contact, name: EventId, base: EventId, ground: Ground
) -> KeptEvent:
    if isinstance(held, Contact):
        return _kept_contact(key, held, name, ground)
    return _kept_event(key, held, name, base, ground)


def _kept_contact(key: ResourceKey, contact: Contact, name: EventId, ground: Ground) -> KeptEvent:
    document = contact_document(contact, contact_id=name, profile=ground.profile)
    return KeptEvent(
        id=name,
        key=key,
        slot=WHOLE,
        content=content_hash(document, encoded),
        document=encoded(document),
        starts_at=from_milliseconds(0),
        ends_at=from_milliseconds(0),
        claim=Claim.FREE,
    )


def _kept_event(
    key: ResourceKey, event: Event, name: EventId, base: EventId, ground: Ground
) -> KeptEvent:
    document = event_document(
        event, event_id=name, profile=ground.profile, calendar=ground.calendar, series=base
    )
    place = slot(event)
    starts_at, ends_at = span(event, ground.zone)
    return KeptEvent(
        id=name,
        key=key,
        slot=place,
        content=content_hash(document, encoded),
        document=encoded(document),
        starts_at=starts_at,
        ends_at=ends_at,
        series=bool(event.recurrence) and place == WHOLE,
        claim=claim_of(event),
    )
