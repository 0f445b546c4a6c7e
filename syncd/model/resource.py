"""What a provider hands over as one piece, and what we keep of it.

A *resource* is the provider's unit: for CalDAV one calendar object resource (RFC 4791 §4.1),
that is one file with a series and all its exceptions; elsewhere one event. Etags, bodies and
tombstones belong to resources, ids and activities to the events inside.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from syncd.model.activity import Record
from syncd.model.claim import Claim
from syncd.model.contact import Contact
from syncd.model.event import Event
from syncd.model.ids import WHOLE, CalendarId, EventId, ResourceKey, Slot
from syncd.model.when import slot_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource as it was read. ``faults`` are what inside could not be (I10).

    It holds events, or of an address book one contact; a group of contacts holds neither (D26).
    """

    key: ResourceKey
    events: tuple[Event, ...] = ()
    contact: Contact | None = None
    etag: str = ""  # for If-Match; never decides what changed (I6)
    raw: bytes = b""  # verbatim (P10)
    faults: tuple[str, ...] = ()  # not empty: what is not named here is kept as it was

    @property
    def uid(self) -> str:
        """Return the UID that its objects share, empty if it has none."""
        return self.objects[0].uid if self.objects else ""

    @property
    def objects(self) -> tuple[Event, ...] | tuple[Contact]:
        """Return what is inside."""
        return self.events if self.contact is None else (self.contact,)


def slot(held: Event | Contact) -> Slot:
    """Return which object of its resource this is."""
    if isinstance(held, Contact) or held.original_start is None:
        return WHOLE
    return Slot(slot_of(held.original_start))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the snapshot knows of one event: its id and the hash of its content (I6)."""

    id: EventId
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownResource:
    """What the snapshot knows of one resource."""

    key: ResourceKey
    uid: str
    etag: str
    events: Mapping[Slot, Seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvent:
    """An event or contact as the snapshot stores it.

    ``document`` is the unified object in JSON (api.md K17, K30) without ``href`` and ``raw``. The
    span is what a listing must look at: [starts_at, ends_at), of a series the whole, ``ends_at``
    None without end; for all-day in the calendar's zone. A contact's is the empty one at 1970.
    """

    id: EventId
    key: ResourceKey
    slot: Slot
    content: bytes
    document: bytes
    starts_at: datetime
    ends_at: datetime | None
    series: bool = False
    claim: Claim = Claim.ASK


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResource:
    """A resource as the snapshot stores it; its events are stored beside."""

    key: ResourceKey
    uid: str
    etag: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A resource that complete listings no longer name, held until more of them agree (I7)."""

    key: ResourceKey
    count: int
    counted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A body that could not be understood (I10, api.md N10)."""

    key: ResourceKey
    message: str
    first_seen: datetime | None = None
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as a listing reads it; ``document`` as in KeptEvent."""

    id: EventId
    calendar_id: CalendarId
    key: ResourceKey
    slot: Slot
    content: bytes
    document: bytes
    starts_at: datetime
    ends_at: datetime | None
    series: bool
    claim: Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class RawResource:
    """The provider's own body of a resource, verbatim."""

    key: ResourceKey
    etag: str
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How much of what a calendar holds (api.md N8)."""

    events: int = 0
    suspect_deletes: int = 0
    unparsed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one page means, ready to be written in one transaction (I1).

    ``kept`` rows are rewritten whether or not an activity tells of them; ``gone`` resources take
    what is left of their events along. ``absences``, if not None, replaces the calendar's held
    absences (I7). ``faults`` are counted, ``healed`` ones forgotten (I10).
    """

    kept: tuple[KeptResource, ...] = ()
    events: tuple[KeptEvent, ...] = ()
    gone_events: tuple[EventId, ...] = ()
    gone: tuple[ResourceKey, ...] = ()
    records: tuple[Record, ...] = ()
    faults: tuple[Fault, ...] = ()
    healed: tuple[ResourceKey, ...] = ()
    absences: tuple[Absence, ...] | None = None

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to write but the calendar's own row."""
        rows = self.kept or self.events or self.gone_events or self.gone or self.records
        return not (rows or self.faults or self.healed or self.absences is not None)
