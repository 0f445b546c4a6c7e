"""What a page of changes means against the snapshot: pure, and the only judge of add and update."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
    drafts = list[_Draft]()
    for resource in upserts.values():
        before = known.get(resource.key)
        if before is None and resource.uid:
            before = homeless.pop(resource.uid, None)
        drafts.append(_compare(resource, before, documents, ground))
    moved = {draft.former for draft in drafts}
    gone = [known[key] for key in doomed if key not in moved]
    faults = [fault for draft in drafts for fault in draft.faults]
    faults += [Fault(key=key, message=page.unread[key]) for key in sorted(page.unread)]
    faulty = {fault.key for fault in faults}
    records = [record for draft in drafts for record in draft.records]
    records += _deletes(gone, documents, ground)
    return Change(
        kept=tuple(draft.resource for draft in drafts),
        events=tuple(event for draft in drafts for event in draft.events),
        gone_events=tuple(one for draft in drafts for one in draft.gone),
        gone=tuple(doomed),
        records=tuple(records),
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


@dataclass(slots=True, kw_only=True)
class _Draft:
    """What one resource comes to."""

    resource: KeptResource
    former: ResourceKey | None = None  # the key that it had before it moved (P7)
    events: list[KeptEvent] = field(default_factory=list)
    gone: list[EventId] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def _compare(
    resource: Resource,
    before: KnownResource | None,
    documents: Mapping[EventId, bytes],
    ground: Ground,
) -> _Draft:
    seen: Mapping[Slot, Seen] = {} if before is None else before.events
    base = _base(resource, seen, documents, ground)
    uid = resource.uid or (before.uid if before else "")
    kept = KeptResource(key=resource.key, uid=uid, etag=resource.etag, raw=resource.raw)
    draft = _Draft(resource=kept)
    if before is not None and before.key != resource.key:
        draft.former = before.key
    present = {slot(one): one for one in resource.objects}
    for place in sorted(present):
        former = seen.get(place)
        name = slot_id(base, place) if former is None else former.id
        event = _kept(resource.key, present[place], name, base, ground)
        draft.events.append(event)
        draft.records += _told(event, former, present[place], documents, ground)
    if resource.faults:
        draft.faults.append(Fault(key=resource.key, message="; ".join(resource.faults)))
    if seen and (not resource.faults or draft.former is not None):
        vanished = KnownResource(
            key=resource.key,
            uid=uid,
            etag="",
            events={place: one for place, one in seen.items() if place not in present},
        )
        draft.gone += [one.id for one in vanished.events.values()]
        draft.records += _deletes([vanished], documents, ground)
    return draft


def _base(
    resource: Resource,
    seen: Mapping[Slot, Seen],
    documents: Mapping[EventId, bytes],
    ground: Ground,
) -> EventId:
    for one in seen.values():
        return split_event_id(one.id)[0]
    number = 0
    while any(name in documents for name in new_ids(ground.calendar, resource, number)):
        number += 1
    return bare_id(ground.calendar, resource.key, number)


def _deletes(
    gone: Iterable[KnownResource], documents: Mapping[EventId, bytes], ground: Ground
) -> Iterator[Record]:
    return delete_records(
        *(gone, documents, ground.at),
        profile=ground.profile,
        calendar=ground.calendar,
        kind=ground.kind,
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
    starts_at, ends_at = span(event, ground.zone)
    return KeptEvent(
        id=name,
        key=key,
        slot=slot(event),
        content=content_hash(document, encoded),
        document=encoded(document),
        starts_at=starts_at,
        ends_at=ends_at,
        series=bool(event.recurrence) and slot(event) == WHOLE,
        claim=claim_of(event),
    )


def _told(
    kept: KeptEvent,
    former: Seen | None,
    event: Event | Contact,
    documents: Mapping[EventId, bytes],
    ground: Ground,
) -> Iterator[Record]:
    """Yield the record of an object that is new or whose content changed (I6), else nothing."""
    told = None
    if former is not None:
        if former.content == kept.content:
            return
        told = changes(orjson.loads(documents[kept.id]), orjson.loads(kept.document))
        if not told:
            return
    yield event_record(
        Type.ADD if former is None else Type.UPDATE,
        kept.id,
        kept.document,
        ground.at,
        profile=ground.profile,
        calendar=ground.calendar,
        kind=ground.kind,
        event=event,
        told=told,
        initial=ground.initial,
    )
