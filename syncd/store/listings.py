"""Events of the snapshot as listings read them."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, and_, or_, select

from syncd.model.errors import NotFoundError
from syncd.model.ids import CalendarId, EventId, ProfileId, ResourceKey
from syncd.model.resource import RawResource, StoredEvent
from syncd.model.when import from_milliseconds, milliseconds
from syncd.ports.store.snapshots import Window
from syncd.store.chunks import chunks
from syncd.store.rows import AnyRow, instant_of
from syncd.store.tables import objects, resources
from syncd.store.topic import Topic

_WHOLE = select(objects)


class SqlListings(Topic):
    """The part of ``Snapshots`` that reads events."""

    async def documents(
        self, profile: ProfileId, events: Collection[EventId]
    ) -> Mapping[EventId, bytes]:
        """Return stored documents by id."""
        found: dict[EventId, bytes] = {}
        for some in chunks(events):
            mine = (objects.c.profile_id == profile, objects.c.object_id.in_(some))
            wanted = select(objects.c.object_id, objects.c.document).where(*mine)
            rows = await self._database.fetch(wanted)
            found.update((row.object_id, row.document) for row in rows)
        return found

    async def events(self, window: Window) -> Sequence[StoredEvent]:
        """Return one page of events, in order (start, id)."""
        place = (objects.c.starts_at, objects.c.object_id)
        # Sorts keys first and fetches documents of the page only.
        page = select(objects.c.profile_id, objects.c.object_id).where(*_within(window))
        keys = page.order_by(*place).limit(window.limit).subquery()
        same = and_(
            objects.c.profile_id == keys.c.profile_id, objects.c.object_id == keys.c.object_id
        )
        rows = await self._database.fetch(_WHOLE.join(keys, same).order_by(*place))
        return [_stored(row) for row in rows]

    async def exceptions(
        self, calendar: CalendarId, series: Collection[EventId]
    ) -> Sequence[StoredEvent]:
        """Return every exception to these series, wherever it was moved to."""
        found: list[StoredEvent] = []
        for some in chunks(series):
            mine = (objects.c.calendar_id == calendar, objects.c.series_id.in_(some))
            rows = await self._database.fetch(_WHOLE.where(*mine).order_by(objects.c.object_id))
            found.extend(map(_stored, rows))
        return found

    async def event(self, profile: ProfileId, event: EventId) -> StoredEvent:
        """Return one; raises NotFoundError."""
        mine = (objects.c.profile_id == profile, objects.c.object_id == event)
        rows = await self._database.fetch(_WHOLE.where(*mine))
        if not rows:
            raise NotFoundError(f"there is no event {event}")
        return _stored(rows[0])

    async def raw(
        self, calendar: CalendarId, keys: Collection[ResourceKey]
    ) -> Mapping[ResourceKey, RawResource]:
        """Return provider bodies."""
        found: dict[ResourceKey, RawResource] = {}
        for some in chunks(keys):
            mine = (resources.c.calendar_id == calendar, resources.c.resource_key.in_(some))
            for row in await self._database.fetch(select(resources).where(*mine)):
                body = RawResource(key=row.resource_key, etag=row.etag, raw=row.raw)
                found[body.key] = body
        return found


def _within(window: Window) -> list[ColumnElement[bool]]:
    column = objects.c
    conditions: list[ColumnElement[bool]] = [column.calendar_id.in_(window.calendars)]
    if window.after is not None:
        after = milliseconds(window.after)
        # What begins later meets the window too, if only as a point: an event without length.
        lasting = or_(column.ends_at > after, column.ends_at.is_(None))
        conditions.append(or_(column.starts_at >= after, lasting))
    if window.before is not None:
        conditions.append(column.starts_at < milliseconds(window.before))
    if window.series is not None:
        conditions.append(column.is_series if window.series else ~column.is_series)
    if window.behind is not None:
        start, event = milliseconds(window.behind[0]), window.behind[1]
        same = and_(column.starts_at == start, column.object_id > event)
        conditions.append(column.starts_at >= start)  # for the index
        conditions.append(or_(column.starts_at > start, same))
    return conditions


def _stored(row: AnyRow) -> StoredEvent:
    return StoredEvent(
        id=row.object_id,
        calendar_id=row.calendar_id,
        key=row.resource_key,
        slot=row.slot,
        content=row.content,
        document=row.document,
        starts_at=from_milliseconds(row.starts_at),
        ends_at=instant_of(row.ends_at),
        series=row.is_series,
    )
