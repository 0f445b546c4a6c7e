"""Occurrences of series as events of their own: computed for a listing, never stored (P8)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import blake2b

import orjson

from syncd.formats.expand import Expansion, Recurring, recurring_of, zone_of
from syncd.model.ids import CalendarId, EventId, ResourceKey, Slot, slot_id
from syncd.model.resource import StoredEvent
from syncd.model.when import When, instant, rfc3339, slot_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEvent:
    """An event or occurrence; ``document`` is api.md's event object without ``href`` and ``raw``.

    ``content`` changes whenever the document's content does; ``key`` finds the provider's body.
    """

    id: EventId
    calendar_id: CalendarId
    key: ResourceKey
    content: bytes
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Master:
    """A series of the snapshot, ready to be expanded."""

    stored: StoredEvent
    recurring: Recurring


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One computed instance; ``begins_at`` is where it stands in a listing."""

    master: Master
    id: EventId
    begins_at: datetime
    start: When
    end: When


def master_of(stored: StoredEvent, zone: str | None) -> Master:
    """Return a stored series; ``zone`` is its calendar's."""
    return Master(stored=stored, recurring=recurring_of(orjson.loads(stored.document), zone))


def occurrences(master: Master, expansion: Expansion) -> Iterator[Occurrence]:
    """Yield what a series comes to, exceptions not regarded."""
    zone = zone_of(master.recurring)
    for start, end in expansion.occurrences:
        yield Occurrence(
            master=master,
            id=slot_id(master.stored.id, Slot(slot_of(start))),
            begins_at=instant(start, zone).astimezone(UTC),
            start=start,
            end=end,
        )


def slot_instant(slot: Slot, master: Master) -> datetime | None:
    """Return the instant that an occurrence's id names, None if it is none."""
    try:
        if "T" in slot:
            return datetime.strptime(slot, "%Y%m%dT%H%M%S%z")
        return instant(date.fromisoformat(slot), zone_of(master.recurring))
    except ValueError:
        return None


def listed(stored: StoredEvent) -> ListedEvent:
    """Return a stored event as a listing shows it."""
    return ListedEvent(
        id=stored.id,
        calendar_id=stored.calendar_id,
        key=stored.key,
        content=stored.content,
        document=stored.document,
    )


def computed(one: Occurrence) -> ListedEvent:
    """Return an occurrence as a listing shows it (api.md K17)."""
    stored = one.master.stored
    series = orjson.loads(stored.document)
    document = {
        **series,
        "id": one.id,
        "start": rfc3339(one.start),
        "end": rfc3339(one.end),
        "recurrence": [],
        "recurrence_type": "recurring",
        "original_start": rfc3339(one.start),
        "original_start_time_zone": series["start_time_zone"],
        "recurring_master_id": stored.id,
    }
    content = blake2b(stored.content + one.id.encode(), digest_size=16).digest()
    return ListedEvent(
        id=one.id,
        calendar_id=stored.calendar_id,
        key=stored.key,
        content=content,
        document=orjson.dumps(document),
    )
