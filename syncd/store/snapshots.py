"""Snapshots: what we last saw of calendars."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from syncd.model.ids import CalendarId, ProfileId, ResourceKey, Slot
from syncd.model.resource import Absence, Fault, KnownResource, Seen, Tally
from syncd.model.when import from_milliseconds
from syncd.store.calendars import SqlCalendars
from syncd.store.chunks import PAGE, chunks
from syncd.store.listings import SqlListings
from syncd.store.recording import SqlRecording
from syncd.store.rows import AnyRow
from syncd.store.tables import absences, calendars, faults, objects, resources

_KNOWN = (resources.c.resource_key, resources.c.uid, resources.c.etag)
_SEEN = (objects.c.slot, objects.c.object_id, objects.c.content)
_HELD = resources.outerjoin(
    objects,
    (objects.c.calendar_id == resources.c.calendar_id)
    & (objects.c.resource_key == resources.c.resource_key),
)


class SqlSnapshots(SqlCalendars, SqlRecording, SqlListings):
    """``Snapshots`` in SQL."""

    async def etags(self, calendar: CalendarId) -> Mapping[ResourceKey, str]:
        """Return the etag of every resource of a calendar."""
        column = resources.c
        page = (
            select(column.resource_key, column.etag)
            .where(column.calendar_id == calendar)
            .order_by(column.resource_key)
            .limit(PAGE)
        )
        rows = await self._database.fetch(page)
        found = {row[0]: row[1] for row in rows}
        while len(rows) == PAGE:
            rows = await self._database.fetch(page.where(column.resource_key > rows[-1][0]))
            found.update((row[0], row[1]) for row in rows)
        return found

    async def seen(
        self, calendar: CalendarId, keys: Collection[ResourceKey]
    ) -> Mapping[ResourceKey, KnownResource]:
        """Return what is known of these resources."""
        found: dict[ResourceKey, KnownResource] = {}
        for some in chunks(keys):
            known = await self._known(calendar, resources.c.resource_key.in_(some))
            found.update((one.key, one) for one in known)
        return found

    async def seen_uids(
        self, calendar: CalendarId, uids: Collection[str]
    ) -> Sequence[KnownResource]:
        """Return the resources that hold these UIDs (P7)."""
        found: list[KnownResource] = []
        for some in chunks(uids):
            found.extend(await self._known(calendar, resources.c.uid.in_(some)))
        return found

    async def absences(self, calendar: CalendarId) -> Sequence[Absence]:
        """Return what complete listings have not named (I7)."""
        column = absences.c
        held = select(absences).where(column.calendar_id == calendar).order_by(column.resource_key)
        return [_absence(row) for row in await self._database.fetch(held)]

    async def tallies(self, profile: ProfileId) -> Mapping[CalendarId, Tally]:
        """Return how much each calendar holds."""
        mine = select(calendars.c.calendar_id, *map(_count, (objects, absences, faults))).where(
            calendars.c.profile_id == profile, calendars.c.removed_at.is_(None)
        )
        return {
            row[0]: Tally(events=row[1], suspect_deletes=row[2], unparsed=row[3])
            for row in await self._database.fetch(mine)
        }

    async def faults(
        self, profile: ProfileId, *, limit: int = 1000
    ) -> Sequence[tuple[CalendarId, Fault]]:
        """Return bodies that could not be understood, newest first (N10)."""
        newest = (faults.c.first_seen_at.desc(), faults.c.resource_key)
        wanted = (
            select(faults)
            .join(calendars, calendars.c.calendar_id == faults.c.calendar_id)
            .where(calendars.c.profile_id == profile)
            .order_by(*newest)
            .limit(limit)
        )
        return [(row.calendar_id, _fault(row)) for row in await self._database.fetch(wanted)]

    async def _known(
        self, calendar: CalendarId, which: ColumnElement[bool]
    ) -> Sequence[KnownResource]:
        """Return resources with what is known of their events, in one statement."""
        wanted: Select[*tuple[Any, ...]] = (
            select(*_KNOWN, *_SEEN)
            .select_from(_HELD)
            .where(resources.c.calendar_id == calendar, which)
        )
        found: dict[ResourceKey, tuple[str, str, dict[Slot, Seen]]] = {}
        for key, uid, etag, slot, event, content in await self._database.fetch(wanted):
            events = found.setdefault(key, (uid, etag, {}))[2]
            if event is not None:
                events[slot] = Seen(id=event, content=content)
        return [
            KnownResource(key=key, uid=uid, etag=etag, events=events)
            for key, (uid, etag, events) in found.items()
        ]


def _count(table: Any) -> ColumnElement[int]:  # noqa: ANN401 - a Table, whose columns are dynamic
    same = table.c.calendar_id == calendars.c.calendar_id
    return select(func.count()).select_from(table).where(same).scalar_subquery()


def _absence(row: AnyRow) -> Absence:
    counted = from_milliseconds(row.counted_at)
    return Absence(key=row.resource_key, count=row.times, counted_at=counted)


def _fault(row: AnyRow) -> Fault:
    return Fault(
        key=row.resource_key,
        message=row.message,
        first_seen=from_milliseconds(row.first_seen_at),
        count=row.times,
    )
