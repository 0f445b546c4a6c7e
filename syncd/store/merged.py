"""The stream of many profiles: one order over all commits (F28, design decision 11).

On SQLite, with its one writer, the row numbers. On PostgreSQL transactions commit in any order:
an activity carries the id of its transaction, and readers stay below the oldest one that still
runs. The positions of one profile never go against that order (``Appender``).
"""

from sqlalchemy import (
    BigInteger,
    ColumnElement,
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
_AFTER = tuple(bindparam(name, type_=BigInteger) for name in ("order", "profile", "position"))


class SqlMerged(Topic):
    """``Merged`` in SQL."""

    async def read_merged(
        self, reach: Reach, *, after: Place | None, limit: int, wanted: Filter, after_auth: bool
    ) -> tuple[Ends, tuple[MergedActivity, ...], Place]:
        """Return the ends, at most ``limit`` wanted activities, and up to where was looked.

        It is one statement: both databases see one snapshot in it (S6).
        """
        lite = self._database.is_sqlite
        begin = ORIGIN if after is None else after
        statement = _page(reach, wanted, lite=lite, after_auth=after_auth)
        while True:
            until = begin.order + _AT_ONCE
            given = {"order": begin.order, "profile": begin.profile, "position": begin.position}
            bounds = {"most": limit, "until": until} if lite else {"most": limit}
            rows = await self._database.fetch(statement, given | bounds)
            ends = _ends(rows[0])
            if after is not None or ends.floor <= begin:
                break
            begin = ends.floor  # from the oldest: what was cut off is not missed
        found = tuple(_activity(row) for row in rows if row.position is not None)
        if found and len(found) == limit:
            return ends, found, found[-1].place
        if lite and until < ends.latest.order:
            return ends, found, behind(until)
        if not found and begin.order >= ends.last:
            return ends, found, begin  # an empty page echoes its cursor (K35)
        return ends, found, ends.latest


def _page(
    reach: Reach, wanted: Filter, *, lite: bool, after_auth: bool
) -> Select[*tuple[object, ...]]:
    """Return the statement of a read; the ends are one row of it even without activities."""
    floor = _floor(reach).subquery("floors")
    settled = true() if lite else activities.c.commit_order < _OLDEST_RUNNING
    last = select(func.max(activities.c.commit_order)).where(settled).scalar_subquery()
    page = _rows(reach, wanted, settled, lite=lite, after_auth=after_auth).subquery("page")
    running = exists().where(activities.c.commit_order >= _OLDEST_RUNNING)
    return (
        select(
            installations.c.epoch,
            (_ROW_NUMBER if lite else _OLDEST_RUNNING - 1).label("high"),
            (false() if lite else running).label("held_back"),
            floor.c.floor_order,
            floor.c.profile_id.label("floor_profile"),
            floor.c.floor.label("floor_position"),
            func.coalesce(last, 0).label("last"),
            *page.c,
        )
        .select_from(installations.outerjoin(floor, true()).outerjoin(page, true()))
        .order_by(page.c.commit_order, page.c.profile_id, page.c.position)
    )


def _rows(
    reach: Reach, wanted: Filter, settled: ColumnElement[bool], *, lite: bool, after_auth: bool
) -> Select[*tuple[object, ...]]:
    row = activities.c
    # SQLite is to go along the row numbers, whatever it thinks of an index of profiles
    profile = literal_column("+activities.profile_id", BigInteger) if lite else row.profile_id
    conditions = [
        row.commit_order >= _AFTER[0],
        tuple_(*_ROW) > tuple_(*_AFTER),
        settled,
        *asked(wanted),
        *_covered(profile, reach),
    ]
    if lite:
        conditions.append(row.commit_order <= bindparam("until", type_=BigInteger))
    read = (row.kind, row.type, row.object_id, row.calendar_id, row.body)
    found = select(*_ROW, *read)
    if after_auth:
        mine = streams.c.profile_id == profile
        found = found.join(streams, and_(mine, row.position > streams.c.after_auth))
    return found.where(*conditions).order_by(*_ROW).limit(bindparam("most"))


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
