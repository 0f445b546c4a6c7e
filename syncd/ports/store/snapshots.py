"""Calendars and their snapshots; the transaction of I1."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncd.model.activity import Record
from syncd.model.calendar import Holds, KnownCalendar
from syncd.model.ids import CalendarId, EventId, Position, ProfileId, ResourceKey
from syncd.model.resource import (
    Absence,
    Change,
    Fault,
    KnownResource,
    RawResource,
    StoredEvent,
    Tally,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """What an application manages (api.md C6): only that, or all but that."""

    application: str
    only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """Recorded at or after an instant, which lies behind a position of the stream."""

    at: datetime
    behind: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which events of calendars to read: spans that meet (after, before), in order (start, id).

    ``behind`` is the (start, id) after which to go on. ``series`` True reads series only, False
    everything else, None all; ``lasting`` the same of series and what is longer than a month.
    ``claiming`` leaves out what claims no time. ``since`` leaves out what was not recorded then;
    a profile that it does not name is not limited.
    """

    calendars: tuple[CalendarId, ...]
    after: datetime | None = None
    before: datetime | None = None
    behind: tuple[datetime, EventId] | None = None
    series: bool | None = None
    lasting: bool | None = None
    claiming: bool = False
    mine: Mine | None = None
    since: Mapping[ProfileId, Since] | None = None
    limit: int = 1000


class Snapshots(Protocol):
    """Each method is one transaction or one fetch of at most 1,000 rows at a time (S5)."""

    async def calendars(
        self,
        profile: ProfileId,
        *,
        removed: bool = False,
        holds: Holds | None = Holds.EVENTS,
    ) -> Sequence[KnownCalendar]:
        """Return a profile's calendars, primary first, then by name; removed ones if asked.

        ``holds`` asks for address books instead, None for both.
        """
        ...

    async def calendar(
        self, calendar: CalendarId, *, holds: Holds | None = Holds.EVENTS
    ) -> KnownCalendar:
        """Return one that is not removed, and holds that; raises NotFoundError."""
        ...

    async def save_calendars(
        self,
        profile: ProfileId,
        calendars: Sequence[KnownCalendar],
        *,
        generation: int,
        records: Sequence[Record] = (),
    ) -> None:
        """Add or rewrite calendars with the activities that tell of them.

        Each is stored with the next revision, a new one with 1: read it again before recording.
        Raises StaleStateError if the profile's generation or a calendar's revision has moved.
        A calendar with ``removed_at`` loses what is left of its snapshot.
        """
        ...

    async def record(
        self, calendar: KnownCalendar, change: Change, *, generation: int
    ) -> KnownCalendar:
        """Write one page: calendar row, snapshot rows and activities, in one transaction (I1).

        ``calendar`` holds the new values and the revision that was read; returned with the next
        revision. Raises StaleStateError if revision or generation has moved (I5, F14).
        """
        ...

    async def move(
        self,
        source: KnownCalendar,
        gone: Sequence[ResourceKey],
        target: KnownCalendar,
        change: Change,
        *,
        generation: int,
    ) -> None:
        """Take resources out of one calendar and ``record`` what became of them in another.

        One transaction: events that keep their ids are never in both, or in none.
        """
        ...

    async def etags(self, calendar: CalendarId) -> Mapping[ResourceKey, str]:
        """Return the etag of every resource of a calendar."""
        ...

    async def seen(
        self, calendar: CalendarId, keys: Collection[ResourceKey]
    ) -> Mapping[ResourceKey, KnownResource]:
        """Return what is known of these resources."""
        ...

    async def seen_uids(
        self, calendar: CalendarId, uids: Collection[str]
    ) -> Sequence[KnownResource]:
        """Return the resources that hold these UIDs (P7)."""
        ...

    async def documents(
        self, profile: ProfileId, events: Collection[EventId]
    ) -> Mapping[EventId, bytes]:
        """Return stored documents by id."""
        ...

    async def absences(self, calendar: CalendarId) -> Sequence[Absence]:
        """Return what complete listings have not named (I7)."""
        ...

    async def events(self, window: Window) -> Sequence[StoredEvent]:
        """Return one page of events, in order (start, id)."""
        ...

    async def exceptions(
        self, calendar: CalendarId, series: Collection[EventId]
    ) -> Sequence[StoredEvent]:
        """Return every exception to these series, wherever it was moved to."""
        ...

    def taken(
        self, calendars: Collection[CalendarId], after: datetime, before: datetime
    ) -> AsyncIterator[Sequence[tuple[int, int]]]:
        """Yield pages of (start, end) in milliseconds: what is busy for certain and not lasting.

        Of what begins together only the longest is told.
        """
        ...

    def asking(
        self, calendars: Collection[CalendarId], after: datetime, before: datetime
    ) -> AsyncIterator[Sequence[tuple[CalendarId, EventId]]]:
        """Yield pages of events that may be busy then and are not lasting: their documents tell."""
        ...

    async def altered(
        self, series: Collection[tuple[CalendarId, EventId]]
    ) -> Mapping[EventId, frozenset[EventId]]:
        """Return the ids of every exception to these series, by series."""
        ...

    async def events_named(
        self, profile: ProfileId, events: Collection[EventId]
    ) -> Mapping[EventId, StoredEvent]:
        """Return those of these events that there are."""
        ...

    async def event(self, profile: ProfileId, event: EventId) -> StoredEvent:
        """Return one; raises NotFoundError."""
        ...

    async def raw(
        self, calendar: CalendarId, keys: Collection[ResourceKey]
    ) -> Mapping[ResourceKey, RawResource]:
        """Return provider bodies."""
        ...

    async def tallies(self, profile: ProfileId) -> Mapping[CalendarId, Tally]:
        """Return how much each calendar holds."""
        ...

    async def faults(
        self, profile: ProfileId, *, limit: int = 1000
    ) -> Sequence[tuple[CalendarId, Fault]]:
        """Return bodies that could not be understood, newest first (N10)."""
        ...
