"""Events of the snapshot as listings read them."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select

from syncd.model.claim import Claim
from syncd.model.errors import NotFoundError
from syncd.model.ids import CalendarId, EventId, ProfileId, ResourceKey
from syncd.model.resource import KeptEvent, RawResource, StoredEvent
from syncd.model.when import from_milliseconds, milliseconds
from syncd.ports.store.snapshots import Mine, Since, Window
from syncd.store.chunks import PAGE, chunks
from syncd.store.rows import AnyRow, instant_of
from syncd.store.tables import activities, managed, objects, resources
from syncd.store.topic import Topic

SHORT = timedelta(days=31)  # what is no longer is found by its start alone

_WHOLE = select(objects)
_SPAN = select(objects.c.calendar_id, objects.c.object_id, objects.c.starts_at)
_WEEK = 7 * 24 * 60 * 60 * 1000
_LASTING: ColumnElement[bool] = literal_column("objects.lasting")  # bare, as in its index


def is_lasting(kept: KeptEvent) -> bool:
    """Tell whether a window may hold an event that began long before it."""
    return kept.series or kept.ends_at is None or kept.ends_at - kept.starts_at > SHORT


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

    async def taken(
        self, calendars: Collection[CalendarId], after: datetime, before: datetime
    ) -> AsyncIterator[Sequence[tuple[int, int]]]:
        """Yield pages of when something certainly is busy between two instants and not lasting.

        Of what begins together only the longest is told. Answered from an index alone, a week at
        a time, so that no page looks at much that the next one looks at again.
        """
        column, start = objects.c, milliseconds(after - SHORT)
        ends = [*range(milliseconds(after) + _WEEK, milliseconds(before), _WEEK)]
        for end in [*ends, milliseconds(before)]:
            while start < end:
                mine = _claiming(calendars, start, end, after).where(column.claim == Claim.BUSY)
                longest = func.max(column.ends_at)
                page = mine.with_only_columns(column.starts_at, longest).group_by(column.starts_at)
                rows = await self._database.fetch(page.order_by(column.starts_at).limit(PAGE))
                yield [(row[0], row[1]) for row in rows]
                start = end if len(rows) < PAGE else rows[-1].starts_at + 1

    async def asking(
        self, calendars: Collection[CalendarId], after: datetime, before: datetime
    ) -> AsyncIterator[Sequence[tuple[CalendarId, EventId]]]:
        """Yield pages of events that may be busy then and are not lasting: their documents tell."""
        column = objects.c
        place = (column.calendar_id, column.starts_at, column.object_id)
        left = sorted(set(calendars))
        behind: ColumnElement[bool] | None = None
        while left:
            start, end = milliseconds(after - SHORT), milliseconds(before)
            mine = _claiming(left, start, end, after).where(column.claim == Claim.ASK)
            page = mine if behind is None else mine.where(behind)
            rows = await self._database.fetch(page.order_by(*place).limit(PAGE))
            yield [(row.calendar_id, row.object_id) for row in rows]
            if len(rows) < PAGE:
                return
            last = rows[-1]
            left = left[left.index(last.calendar_id) :]
            further = and_(column.starts_at == last.starts_at, column.object_id > last.object_id)
            behind = or_(
                column.calendar_id != last.calendar_id, column.starts_at > last.starts_at, further
            )

    async def altered(
        self, series: Collection[tuple[CalendarId, EventId]]
    ) -> Mapping[EventId, frozenset[EventId]]:
        """Return the ids of every exception to these series, by series."""
        found: dict[EventId, frozenset[EventId]] = {}
        for some in chunks(series):
            calendars, ids = zip(*some, strict=True)
            mine = (objects.c.calendar_id.in_(set(calendars)), objects.c.series_id.in_(ids))
            wanted = select(objects.c.series_id, objects.c.object_id).where(*mine)
            for row in await self._database.fetch(wanted):
                found[row.series_id] = found.get(row.series_id, frozenset()) | {row.object_id}
        return found

    async def events_named(
        self, profile: ProfileId, events: Collection[EventId]
    ) -> Mapping[EventId, StoredEvent]:
        """Return those of these events that there are."""
        found: dict[EventId, StoredEvent] = {}
        for some in chunks(events):
            mine = (objects.c.profile_id == profile, objects.c.object_id.in_(some))
            stored = map(_stored, await self._database.fetch(_WHOLE.where(*mine)))
            found.update((one.id, one) for one in stored)
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


def _claiming(
    calendars: Collection[CalendarId], start: int, end: int, after: datetime
) -> Select[CalendarId, EventId, int]:
    """Select what begins between two instants, ends behind a third and is not lasting."""
    column = objects.c
    return _SPAN.where(
        column.calendar_id.in_(calendars),
        column.starts_at >= start,
        column.starts_at < end,
        column.ends_at > milliseconds(after),
        ~column.lasting,
    )


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
    if window.lasting is not None:
        conditions.append(_LASTING if window.lasting else ~column.lasting)
    if window.claiming:
        conditions.append(column.claim != Claim.FREE)
    if window.mine is not None:
        conditions.append(_mine(window.mine))
    if window.since is not None:
        conditions.append(_since(window.since))
    if window.behind is not None:
        start, event = milliseconds(window.behind[0]), window.behind[1]
        same = and_(column.starts_at == start, column.object_id > event)
        conditions.append(column.starts_at >= start)  # for the index
        conditions.append(or_(column.starts_at > start, same))
    return conditions


def _mine(mine: Mine) -> ColumnElement[bool]:
    """Compare what an event belongs to: exceptions go with their series."""
    whole = func.coalesce(objects.c.series_id, objects.c.object_id)
    theirs = select(managed.c.object_id).where(
        managed.c.application == mine.application, managed.c.object_id.is_not(None)
    )
    return whole.in_(theirs) if mine.only else whole.not_in(theirs)


def _since(since: Mapping[ProfileId, Since]) -> ColumnElement[bool]:
    row = activities.c
    recorded = [
        and_(
            objects.c.profile_id == profile,
            objects.c.object_id.in_(
                select(row.object_id).where(
                    row.profile_id == profile,
                    row.position > one.behind,
                    row.recorded_at >= milliseconds(one.at),
                )
            ),
        )
        for profile, one in since.items()
    ]
    return or_(objects.c.profile_id.not_in(since), *recorded)


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
        claim=Claim(row.claim),
    )
