"""What a window held at some retained time and no longer holds: deleted, or moved out of it.

The stream tells it: a delete carries the last known object, an update what was before (K42).
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import orjson

from syncd.engine.instances import A_SERIES, Expand
from syncd.engine.occurrences import (
    ListedEvent,
    Master,
    Occurrence,
    computed,
    listed,
    master_of,
    occurrences,
    slot_instant,
)
from syncd.engine.versions import Version, before, stored_as
from syncd.formats.expand import zone_of
from syncd.model.activity import Activity, Filter, Kind, Type
from syncd.model.ids import CalendarId, EventId, Position, ProfileId, split_event_id
from syncd.model.resource import StoredEvent
from syncd.model.when import instant
from syncd.ports.store import Store
from syncd.ports.store.snapshots import Since

_PAGE = 200  # records, whose versions keep the loop for some 20 ms
_SECOND = timedelta(seconds=1)
_MOMENT = timedelta(milliseconds=1)
_TIMES = frozenset({"start", "end", "all_day", "start_time_zone", "recurrence", "status"})


class Listed(Protocol):
    """A calendar that is looked at."""

    @property
    def profile(self) -> ProfileId:
        """Return whose it is."""
        ...

    @property
    def calendar(self) -> CalendarId:
        """Return which it is."""
        ...

    @property
    def zone(self) -> str | None:
        """Return the zone of its all-day events."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The window, and what is wanted of the past.

    ``back``: occurrences that lie in the window because an exception in their place has gone.
    """

    start: datetime
    end: datetime
    moved: bool
    deleted: bool
    back: bool

    def meets(self, start: datetime, end: datetime) -> bool:
        """Tell whether a span lies in the window."""
        return start < self.end and end >= self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """An event that was in the window; as it is now, or as it was last if it is ``deleted``."""

    event: ListedEvent
    begins_at: datetime
    ends_at: datetime
    deleted: bool

    @property
    def id(self) -> EventId:
        """Return the event's id."""
        return self.event.id

    @property
    def place(self) -> tuple[datetime, EventId]:
        """Return what a listing is ordered by."""
        return self.begins_at, self.event.id


class Bygone:
    """Reads the retained streams for what windows no longer hold."""

    def __init__(self, store: Store, expand: Expand) -> None:
        """Read from ``store``; ``expand`` runs where a costly rule may be ended."""
        self._store = store
        self._expand = expand

    async def read(
        self,
        calendars: Collection[Listed],
        past: Past,
        since: Mapping[ProfileId, Since] | None,
    ) -> list[Gone]:
        """Return what left the window of these calendars, since then or in the retained time."""
        found = list[Gone]()
        for profile in sorted({one.profile for one in calendars}):
            zones = {one.calendar: one.zone for one in calendars if one.profile == profile}
            limit = None if since is None else since.get(profile)
            found += await self._profile(profile, zones, past, limit)
        return found

    async def _profile(
        self,
        profile: ProfileId,
        zones: Mapping[CalendarId, str | None],
        past: Past,
        since: Since | None,
    ) -> list[Gone]:
        usual, apart = dict[EventId, Gone](), dict[EventId, Gone]()
        async for one in self._versions(profile, zones, since):
            for seen in await self._seen(one, zones.get(one.calendar), past):
                (apart if seen.id == one.event else usual)[seen.id] = seen
        there = usual | apart  # by id, the last version in the window; an exception before all
        names = {*there, *(split_event_id(one)[0] for one in there)}
        now = _Now(await self._store.events_named(profile, names), zones, past, self._expand)
        found = list[Gone]()
        for name, seen in there.items():
            here = await now.event(name)
            if here is None:
                found += [seen] if past.deleted else []
            elif past.meets(here.begins_at, here.ends_at):
                found += [here] if past.back and name not in now.stored else []
            elif past.moved:
                found.append(here)
        return found

    async def _versions(
        self, profile: ProfileId, zones: Mapping[CalendarId, str | None], since: Since | None
    ) -> AsyncIterator[Version]:
        behind = Position(0) if since is None else since.behind
        wanted = Filter(
            kinds=frozenset({Kind.EVENT}),
            types=frozenset({Type.UPDATE, Type.DELETE}),
            calendars=frozenset(zones),
        )
        while True:
            stream, some, behind = await self._store.read(
                profile, after=behind, limit=_PAGE, wanted=wanted
            )
            for activity in some:
                version = _version(activity, since)
                if version is not None:
                    yield version
            if behind >= stream.head:
                return

    async def _seen(self, version: Version, zone: str | None, past: Past) -> list[Gone]:
        """Return what of a version lay in the window: the event itself, or its occurrences."""
        document = version.document
        if document["status"] == "cancelled" and document["recurrence_type"] == "recurring":
            return []
        stored = stored_as(version, zone)
        if not stored.series:
            one = _as_stored(stored, deleted=True)
            return [one] if past.meets(one.begins_at, one.ends_at) else []
        master = master_of(stored, zone)
        some = await _occurrences(self._expand, master, past.start - _MOMENT, past.end)
        return [_as_computed(one, deleted=True) for one in some]


class _Now:
    """The present of events that are known from the past; ``stored`` is what the snapshot has."""

    def __init__(
        self,
        stored: Mapping[EventId, StoredEvent],
        zones: Mapping[CalendarId, str | None],
        past: Past,
        expand: Expand,
    ) -> None:
        self.stored = stored
        self._zones = zones
        self._past = past
        self._expand = expand
        self._known = dict[EventId, Mapping[EventId, Occurrence]]()

    async def event(self, name: EventId) -> Gone | None:
        """Return an event as it is; None if it is no more."""
        whole, slot = split_event_id(name)
        one = self.stored.get(name)
        if one is not None and not one.series:
            off = slot and orjson.loads(one.document)["status"] == "cancelled"
            return None if off else _as_stored(one, deleted=False)
        series = self.stored.get(whole)
        if not slot or series is None or not series.series:
            return None
        master = master_of(series, self._zones.get(series.calendar_id))
        at = slot_instant(slot, master)
        if at is None:
            return None
        if self._past.start <= at < self._past.end:
            return await self._in_window(name, master)
        for each in await _occurrences(self._expand, master, at - _SECOND, at + _SECOND):
            if each.id == name:
                return _as_computed(each, deleted=False)
        return None

    async def _in_window(self, name: EventId, master: Master) -> Gone | None:
        whole, past = master.stored.id, self._past
        if whole not in self._known:
            some = await _occurrences(self._expand, master, past.start - _MOMENT, past.end)
            self._known[whole] = {one.id: one for one in some}
        each = self._known[whole].get(name)
        return None if each is None else _as_computed(each, deleted=False)


async def _occurrences(
    expand: Expand, master: Master, after: datetime, before: datetime
) -> Iterable[Occurrence]:
    (expansion,) = await expand([master.recurring], after, before, A_SERIES)
    return () if expansion is None else occurrences(master, expansion)


def _version(activity: Activity, since: Since | None) -> Version | None:
    """Return the event before an activity; None if that lay where the event lies since."""
    record = orjson.loads(activity.body)
    if since is not None and datetime.fromisoformat(record["recorded_at"]) < since.at:
        return None
    if activity.type is Type.UPDATE and not record["changes"].keys() & _TIMES:
        return None
    return before(activity.object_id, activity.type, record)


def _as_stored(one: StoredEvent, *, deleted: bool) -> Gone:
    ends_at = one.starts_at if one.ends_at is None else one.ends_at
    return Gone(event=listed(one), begins_at=one.starts_at, ends_at=ends_at, deleted=deleted)


def _as_computed(one: Occurrence, *, deleted: bool) -> Gone:
    ends_at = instant(one.end, zone_of(one.master.recurring)).astimezone(UTC)
    return Gone(event=computed(one), begins_at=one.begins_at, ends_at=ends_at, deleted=deleted)
