"""Activity streams: reading them, and cutting off their beginning."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.activity import OF_NO_CALENDAR, Activity, Filter, Kind, Stream, Type
from syncd.model.errors import NotFoundError
from syncd.model.ids import Position, ProfileId
from syncd.model.when import milliseconds
from syncd.store.listen import heard
from syncd.store.page_size import fitting, fitting_body, that_fit
from syncd.store.rows import AnyRow
from syncd.store.tables import activities, streams
from syncd.store.topic import Topic

KINDS = {kind.value: kind for kind in Kind}
_OF_NO_CALENDAR = sorted(kind.value for kind in OF_NO_CALENDAR)
TYPES = {one.value: one for one in Type}
_ENDS = (streams.c.epoch, streams.c.head, streams.c.floor, streams.c.after_auth)
_STREAM = select(streams).where(streams.c.profile_id == bindparam("profile"))
_RECORDED = select(activities.c.recorded_at).where(
    activities.c.profile_id == bindparam("profile"),
    activities.c.position == bindparam("position"),
)
_LATE = timedelta(minutes=10)  # between reading the clock and getting a position


class SqlStreams(Topic):
    """``Streams`` in SQL."""

    async def stream(self, profile: ProfileId) -> Stream:
        """Return where a stream begins and ends; raises NotFoundError."""
        rows = await self._database.fetch(_STREAM, {"profile": profile})
        return _stream_of(profile, rows)

    async def read(
        self, profile: ProfileId, *, after: Position, limit: int, wanted: Filter
    ) -> tuple[Stream, tuple[Activity, ...], Position]:
        """Return the stream, wanted activities behind a position, and up to where was looked.

        At most ``limit`` of them, and fewer where they are large. Head and rows come from one
        snapshot, in one statement (S6).
        """
        lite, size = self._database.is_sqlite, fitting(limit)
        parameters = {"profile": profile, "after": after, "most": limit}
        rows = await self._database.fetch(
            _page(wanted, lite=lite),
            parameters if lite else parameters | {"fitting": size},
            most_bytes=size,
        )
        stream, fit = _stream_of(profile, rows), that_fit(rows)
        found = tuple(
            Activity(
                position=position,
                kind=KINDS[kind],
                type=TYPES[type_],
                object_id=object_id,
                body=body,
                calendar_id=calendar,
            )
            for _, _, _, _, position, kind, type_, object_id, calendar, body in fit
        )
        full = bool(found) and (len(found) == limit or len(found) < len(rows))
        return stream, found, found[-1].position if full else stream.head

    async def behind(self, profile: ProfileId, at: datetime) -> Position | None:
        """Return a position behind which lies all that was recorded at or after ``at``.

        It may lie a little lower than need be. None if the stream no longer reaches back so far.
        """
        stream = await self.stream(profile)
        oldest = await self._recorded(profile, stream.floor + 1)
        if stream.floor and (oldest is None or oldest > milliseconds(at)):
            return None
        low, high, bound = stream.floor, stream.head, milliseconds(at - _LATE)
        while low < high:
            middle = (low + high + 1) // 2
            recorded = await self._recorded(profile, middle)
            if recorded is not None and recorded < bound:
                low = Position(middle)
            else:
                high = Position(middle - 1)
        return low

    async def _recorded(self, profile: ProfileId, position: int) -> int | None:
        given = {"profile": profile, "position": position}
        rows = await self._database.fetch(_RECORDED, given)
        return rows[0].recorded_at if rows else None

    async def prune(
        self, profile: ProfileId, *, before: datetime, keep: int | None, limit: int = 500
    ) -> int:
        """Cut off at most ``limit`` activities recorded before a time or beyond ``keep`` (S9)."""

        async def work(connection: AsyncConnection) -> int:
            locked = _STREAM.with_for_update()
            rows = (await connection.execute(locked, {"profile": profile})).all()
            stream = _stream_of(profile, rows)
            end = await _end_of_old(connection, stream, before=before, keep=keep, limit=limit)
            if end == stream.floor:
                return 0
            row, mine = activities.c, streams.c.profile_id == profile
            last = select(row.commit_order).where(row.profile_id == profile, row.position == end)
            raised = {"floor": end, "floor_order": last.scalar_subquery()}
            await connection.execute(update(streams).where(mine).values(raised))
            old = (row.profile_id == profile, row.position <= end)
            await connection.execute(delete(activities).where(*old))
            return end - stream.floor

        return await self._database.write(work)

    async def stream_ids(
        self, *, after: ProfileId | None = None, limit: int = 1000
    ) -> Sequence[ProfileId]:
        """Return profiles that have a stream, by id; those that were removed keep theirs."""
        column = streams.c.profile_id
        found = select(column).where(column > (after or 0)).order_by(column).limit(limit)
        return [row.profile_id for row in await self._database.fetch(found)]

    async def news(self) -> AsyncIterator[ProfileId | str]:
        """Yield what was recorded for by any process, or changed by another: ``Streams.news``."""
        channel = self._appender.channel
        if channel is not None:
            async for news in heard(self._database, channel, self._node):
                yield news


@lru_cache(maxsize=256)  # building one takes longer than running it
def _page(wanted: Filter, *, lite: bool) -> Select[*tuple[object, ...]]:
    """Return the statement of ``read``; a stream without wanted activities is one row of it.

    SQLite takes row by row from the index, so that it can be stopped; PostgreSQL would sort all
    that follows, and is told to end before.
    """
    row = activities.c
    conditions = [
        row.profile_id == streams.c.profile_id,
        row.position > bindparam("after"),
        row.position <= streams.c.head,
        *asked(wanted),
    ]
    read = (row.position, row.kind, row.type, row.object_id, row.calendar_id)
    mine, most = streams.c.profile_id == bindparam("profile"), bindparam("most", type_=BigInteger)
    if lite:
        joined = streams.outerjoin(activities, and_(*conditions))
        found = select(*_ENDS, *read, row.body).select_from(joined)
        return found.where(mine).order_by(row.position).limit(most)
    behind = select(*read, fitting_body(row.position)).where(*conditions).correlate(streams)
    page = behind.order_by(row.position).limit(most).lateral("page")
    found = select(*_ENDS, *page.c).select_from(streams.outerjoin(page, true()))
    return found.where(mine).order_by(page.c.position)


def asked(wanted: Filter) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter."""
    row, conditions = activities.c, list[ColumnElement[bool]]()
    if wanted.kinds and wanted.kinds != frozenset(Kind):
        conditions.append(row.kind.in_(sorted(kind.value for kind in wanted.kinds)))
    if wanted.types and wanted.types != frozenset(Type):
        conditions.append(row.type.in_(sorted(one.value for one in wanted.types)))
    if wanted.calendars is not None:
        named = row.calendar_id.in_(sorted(wanted.calendars))
        conditions.append(or_(named, row.kind.in_(_OF_NO_CALENDAR)))
    return conditions


async def _end_of_old(
    connection: AsyncConnection, stream: Stream, *, before: datetime, keep: int | None, limit: int
) -> Position:
    """Return the last position to cut off: everything up to it is old or too many."""
    row = activities.c
    many = stream.floor if keep is None else max(stream.floor, stream.head - keep)
    young = select(func.min(row.position)).where(
        row.profile_id == stream.profile_id,
        row.position > many,
        row.position <= stream.floor + limit,
        row.recorded_at >= milliseconds(before),
    )
    first = (await connection.execute(young)).scalar()
    last = min(stream.head, stream.floor + limit)
    return Position(min(last, max(many, last if first is None else first - 1)))


def _stream_of(profile: ProfileId, rows: Sequence[AnyRow]) -> Stream:
    if not rows:
        raise NotFoundError(f"profile {profile} has no stream")
    row = rows[0]
    return Stream(
        profile_id=profile,
        epoch=row.epoch,
        head=row.head,
        floor=row.floor,
        after_auth=row.after_auth,
    )
