"""Which events applications made, by the names that they gave them."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, delete, insert, select, tuple_, update

from syncd.model.errors import ConflictError
from syncd.model.ids import CalendarId, EventId, ProfileId
from syncd.model.managed import ManagedEvent, ManagedKey
from syncd.model.when import milliseconds
from syncd.store.chunks import chunks
from syncd.store.rows import AnyRow
from syncd.store.tables import activities, managed, objects
from syncd.store.topic import Topic

_COLUMN = managed.c
_LOST = (
    select(_COLUMN.object_id)
    .select_from(
        managed.outerjoin(
            objects,
            and_(
                objects.c.profile_id == _COLUMN.profile_id,
                objects.c.object_id == _COLUMN.object_id,
            ),
        )
    )
    .where(
        _COLUMN.profile_id == bindparam("profile"),
        _COLUMN.written_at < bindparam("before"),
        _COLUMN.object_id.is_not(None),
        objects.c.object_id.is_(None),
    )
    .limit(1000)
)


class SqlManaged(Topic):
    """``Managed`` in SQL."""

    async def claim(self, key: ManagedKey, *, name: str, at: datetime) -> ManagedEvent:
        """Return what stands under the key; if nothing does, claim it with ``name``."""
        found = await self.managed_event(key)
        if found is not None:
            if found.event is None:
                mine = update(managed).where(*_of(key), _COLUMN.object_id.is_(None))
                await self._database.put(mine.values(written_at=milliseconds(at)))
            return found
        values = {
            "application": key.application,
            "calendar_id": key.calendar,
            "own_id": key.own_id,
            "profile_id": key.profile,
            "name": name,
            "object_id": None,
            "written_at": milliseconds(at),
        }
        with suppress(ConflictError):  # another request was quicker
            await self._database.put(insert(managed).values(values))
        return await self.managed_event(key) or ManagedEvent(key=key, name=name)

    async def managed_event(self, key: ManagedKey) -> ManagedEvent | None:
        """Return what stands under the key."""
        rows = await self._database.fetch(select(managed).where(*_of(key)))
        return _managed(rows[0]) if rows else None

    async def bind(self, claimed: ManagedEvent, event: EventId, at: datetime) -> None:
        """Write which event it is; nothing happens if it was claimed anew meanwhile."""
        mine = update(managed).where(*_of(claimed.key), _COLUMN.name == claimed.name)
        await self._database.put(mine.values(object_id=event, written_at=milliseconds(at)))

    async def release(self, claimed: ManagedEvent) -> None:
        """Forget it, unless it was claimed anew meanwhile."""
        mine = (*_of(claimed.key), _COLUMN.name == claimed.name)
        await self._database.put(delete(managed).where(*mine))

    async def managed_events(
        self,
        application: str,
        calendars: Collection[CalendarId],
        *,
        after: tuple[CalendarId, str] | None = None,
        limit: int = 1000,
    ) -> Sequence[ManagedEvent]:
        """Return what an application manages in these calendars, by (calendar, own id)."""
        place = (_COLUMN.calendar_id, _COLUMN.own_id)
        mine = [_COLUMN.application == application, _COLUMN.calendar_id.in_(sorted(calendars))]
        if after is not None:
            mine.append(tuple_(*place) > after)
        wanted = select(managed).where(*mine).order_by(*place).limit(limit)
        return [_managed(row) for row in await self._database.fetch(wanted)]

    async def own_ids(self, application: str, events: Collection[EventId]) -> Mapping[EventId, str]:
        """Return the application's own id of each of these series and events that it manages."""
        found: dict[EventId, str] = {}
        for some in chunks(events):
            mine = (_COLUMN.application == application, _COLUMN.object_id.in_(some))
            wanted = select(_COLUMN.object_id, _COLUMN.own_id).where(*mine)
            rows = await self._database.fetch(wanted)
            found.update((row.object_id, row.own_id) for row in rows)
        return found

    async def claimed(
        self, application: str, calendars: Collection[CalendarId], *, since: datetime
    ) -> frozenset[CalendarId]:
        """Return those of the calendars in which an event has a name and is not yet known."""
        found = set[CalendarId]()
        for some in chunks(calendars):
            waiting = (
                _COLUMN.application == application,
                _COLUMN.object_id.is_(None),
                _COLUMN.calendar_id.in_(some),
                _COLUMN.written_at >= milliseconds(since),
            )
            wanted = select(_COLUMN.calendar_id).where(*waiting).distinct()
            found.update(row.calendar_id for row in await self._database.fetch(wanted))
        return frozenset(found)

    async def forget_managed(self, profile: ProfileId, before: datetime) -> int:
        """Forget names of events that neither snapshot nor stream has, unused since ``before``."""
        given = {"profile": profile, "before": milliseconds(before)}
        lost = {row.object_id for row in await self._database.fetch(_LOST, given)}
        for some in chunks(lost):
            told = select(activities.c.object_id).where(
                activities.c.profile_id == profile, activities.c.object_id.in_(some)
            )
            lost = lost - {row.object_id for row in await self._database.fetch(told.distinct())}
        for some in chunks(lost):
            mine = (_COLUMN.profile_id == profile, _COLUMN.object_id.in_(some))
            await self._database.put(delete(managed).where(*mine))
        return len(lost)


def _of(key: ManagedKey) -> tuple[ColumnElement[bool], ...]:
    return (
        _COLUMN.application == key.application,
        _COLUMN.calendar_id == key.calendar,
        _COLUMN.own_id == key.own_id,
    )


def _managed(row: AnyRow) -> ManagedEvent:
    key = ManagedKey(
        application=row.application,
        profile=row.profile_id,
        calendar=row.calendar_id,
        own_id=row.own_id,
    )
    return ManagedEvent(key=key, name=row.name, event=row.object_id)
