"""The stream of many profiles: one order over all commits (F28, design decision 11).

On SQLite, with its one writer, the row numbers. On PostgreSQL transactions commit in any order:
an activity carries the id of its transaction, and readers stay below the oldest one that still
runs. The positions of one profile never go against that order (``Appender``).
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    String,
    and_,
    bindparam,
    cast,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)

from syncd.model.activity import Activity, Filter
from syncd.model.merged import ORIGIN, Ends, MergedActivity, Place, behind
from syncd.model.reach import Reach
from syncd.store.page_size import fitting, fitting_body, that_fit
from syncd.store.rows import AnyRow
from syncd.store.streams import KINDS, TYPES, asked
from syncd.store.tables import activities, installations, profiles, streams
from syncd.store.topic import Topic

_AT_ONCE = 20_000  # row numbers that one read goes through on SQLite (S5)
_ROW_NUMBER = literal_column(
    "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'activities'), 0)", BigInteger
)
_OLDEST_RUNNING = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), String), BigInteger)
_ROW = (activities.c.commit_order, activities.c.profile_id, activities.c.position)
_READ = tuple(activities.c[name] for name in ("kind", "type", "object_id", "calendar_id"))
_MOST = bindparam("most", type_=BigInteger)
_AFTER = tuple(bindparam(name, type_=BigInteger) for name in ("order", "profile", "position"))


class SqlMerged(Topic):
    """``Merged`` in SQL."""

    async def read_merged(
        self, reach: Reach, *, after: Place | None, limit: int, wanted: Filter, after_auth: bool
    ) -> tuple[Ends, tuple[MergedActivity, ...], Place]:
        """Return the ends, at most ``limit`` wanted activities, and up to where was looked.

        They are fewer where they are large. It is one statement: both databases see one snapshot
        in it (S6).
        """
        lite = self._database.is_sqlite
        begin, size = ORIGIN if after is None else after, fitting(limit)
        statement = (_stepped if lite else _page)(reach, wanted, after_auth=after_auth)
        while True:
            until = begin.order + _AT_ONCE
            given = {"order": begin.order, "profile": begin.profile, "position": begin.position}
            # of no records, on SQLite, there are none to go through
            more = {"until": until if limit else 0} if lite else {"fitting": size}
            given |= {"most": limit, **more}
            rows = await self._database.fetch(statement, given, most_bytes=size)
            ends = _ends(rows[0])
            if after is not None or ends.floor <= begin:
                break
            begin = ends.floor  # from the oldest: what was cut off is not missed
        found = tuple(_activity(row) for row in that_fit(rows))
        if found and (len(found) == limit or len(found) < len(rows)):
            return ends, found, found[-1].place
        if lite and until < ends.latest.order:
            return ends, found, behind(until)
        if not found and begin.order >= ends.last:
            return ends, found, begin  # an empty page echoes its cursor (K35)
        return ends, found, ends.latest


def _page(reach: Reach, wanted: Filter, *, after_auth: bool) -> Select[*tuple[object, ...]]:
    """Return the statement of a read; the ends are one row of it even without activities."""
    floor = _floor(reach).subquery("floors")
    settled = activities.c.commit_order < _OLDEST_RUNNING
    running = exists().where(activities.c.commit_order >= _OLDEST_RUNNING)
    profile, found = activities.c.profile_id, select(*_ROW, *_READ, fitting_body(*_ROW))
    if after_auth:
        late = activities.c.position > streams.c.after_auth
        found = found.join(streams, and_(streams.c.profile_id == profile, late))
    found = found.where(settled, *_conditions(reach, wanted, profile))
    page = found.order_by(*_ROW).limit(_MOST).subquery("page")
    ends = _ends_of(floor, _OLDEST_RUNNING - 1, held_back=running, settled=settled)
    return (
        select(*ends, *page.c)
        .select_from(installations.outerjoin(floor, true()).outerjoin(page, true()))
        .order_by(page.c.commit_order, page.c.profile_id, page.c.position)
    )


def _stepped(reach: Reach, wanted: Filter, *, after_auth: bool) -> Select[*tuple[object, ...]]:
    """Return the same for SQLite, which is to give row by row, so that it can be stopped.

    It sees that there is one installation and one floor, and sorts nothing.
    """
    row, floor = activities.c, streams.alias("floors")
    # along the row numbers, whatever it thinks of an index of profiles
    profile = literal_column("+activities.profile_id", BigInteger)
    until = row.commit_order <= bindparam("until", type_=BigInteger)
    conditions = [until, *_conditions(reach, wanted, profile)]
    if after_auth:
        late = select(streams.c.after_auth).where(streams.c.profile_id == profile)
        conditions.append(row.position > late.scalar_subquery())
    newest = _floor(reach).with_only_columns(streams.c.profile_id).scalar_subquery()
    one = select(installations.c.installation_id).limit(1).scalar_subquery()
    whole = installations.outerjoin(floor, floor.c.profile_id == newest).outerjoin(
        activities, and_(*conditions)
    )
    ends = _ends_of(floor, _ROW_NUMBER, held_back=false(), settled=true())
    return (
        select(*ends, *_ROW, *_READ, row.body)
        .select_from(whole)
        .where(installations.c.installation_id == one)
        .order_by(*_ROW)
        .limit(func.max(_MOST, 1))
    )


def _ends_of(
    floor: FromClause,
    high: ColumnElement[int],
    *,
    held_back: ColumnElement[bool],
    settled: ColumnElement[bool],
) -> list[ColumnElement[Any]]:
    last = select(func.max(activities.c.commit_order)).where(settled).scalar_subquery()
    return [
        installations.c.epoch,
        high.label("high"),
        held_back.label("held_back"),
        floor.c.floor_order,
        floor.c.profile_id.label("floor_profile"),
        floor.c.floor.label("floor_position"),
        func.coalesce(last, 0).label("last"),
    ]


def _conditions(
    reach: Reach, wanted: Filter, profile: ColumnElement[int]
) -> list[ColumnElement[bool]]:
    """Return what is wanted; ``profile`` is how an activity's is named in them."""
    return [
        activities.c.commit_order >= _AFTER[0],
        tuple_(*_ROW) > tuple_(*_AFTER),
        *asked(wanted),
        *_covered(profile, reach),
    ]


def _floor(reach: Reach) -> Select[*tuple[int, ...]]:
    """Return the statement of the newest place that was cut off from any covered profile."""
    column = streams.c
    return (
        select(column.floor_order, column.profile_id, column.floor)
        .where(column.floor_order > 0, *_covered(column.profile_id, reach))
        .order_by(column.floor_order.desc(), column.profile_id.desc())
        .limit(1)
    )


def _covered(profile: ColumnElement[int], reach: Reach) -> list[ColumnElement[bool]]:
    """Return the condition that profiles are within reach, removed ones too; none for all."""
    if reach.everything:
        return []
    column = profiles.c
    ways = [profile.in_(sorted(reach.profiles))] if reach.profiles else []
    if reach.users:
        theirs = select(column.profile_id).where(column.user_id.in_(sorted(reach.users)))
        ways.append(profile.in_(theirs))
    if reach.applications:
        through = column.application_id.in_(sorted(reach.applications))
        known = select(column.profile_id).where(or_(column.application_id.is_(None), through))
        ways.append(profile.in_(known))
    return [or_(false(), *ways)]


def _ends(row: AnyRow) -> Ends:
    floor = (row.floor_order, row.floor_profile, row.floor_position)
    return Ends(
        epoch=row.epoch,
        floor=ORIGIN if row.floor_order is None else Place(*floor),
        last=row.last,
        high=row.high,
        settled=not row.held_back,
    )


def _activity(row: AnyRow) -> MergedActivity:
    return MergedActivity(
        place=Place(row.commit_order, row.profile_id, row.position),
        activity=Activity(
            position=row.position,
            kind=KINDS[row.kind],
            type=TYPES[row.type],
            object_id=row.object_id,
            body=row.body,
            calendar_id=row.calendar_id,
        ),
    )
