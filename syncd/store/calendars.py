"""Calendars with what is known of their syncing."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.activity import Record
from syncd.model.calendar import Holds, KnownCalendar
from syncd.model.errors import NotFoundError, StaleStateError
from syncd.model.ids import CalendarId, ProfileId
from syncd.store.calendar_rows import calendar_of, calendar_values
from syncd.store.tables import SNAPSHOT, calendars, profiles
from syncd.store.topic import Topic
from syncd.store.upsert import upsert

_ALL = select(calendars).where(calendars.c.profile_id == bindparam("profile"))
_LISTED = _ALL.where(calendars.c.removed_at.is_(None))
_ONE = select(calendars).where(
    calendars.c.calendar_id == bindparam("calendar"), calendars.c.removed_at.is_(None)
)


class SqlCalendars(Topic):
    """The part of ``Snapshots`` that is about calendars as a whole."""

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
        if removed:
            found = await self._read(_ALL, profile)
        else:
            found = await self._calendars.read(profile, lambda: self._read(_LISTED, profile))
        return [one for one in found if holds in {None, one.holds}]

    async def calendar(
        self, calendar: CalendarId, *, holds: Holds | None = Holds.EVENTS
    ) -> KnownCalendar:
        """Return one that is not removed, and holds that; raises NotFoundError."""
        rows = await self._database.fetch(_ONE, {"calendar": calendar})
        if not rows or holds not in {None, rows[0].holds}:
            raise NotFoundError(f"there is no calendar {calendar}")
        return calendar_of(rows[0])

    async def save_calendars(
        self,
        profile: ProfileId,
        calendars: Sequence[KnownCalendar],
        *,
        generation: int,
        records: Sequence[Record] = (),
    ) -> None:
        """Add or rewrite calendars with the activities that tell of them.

        Each is stored with the next revision, new ones too. Raises StaleStateError if the
        profile's generation or a calendar's revision has moved.
        """

        async def work(connection: AsyncConnection) -> None:
            await check_profile(connection, profile, generation)
            await _check_revisions(connection, profile, calendars)
            await _write(connection, calendars, generation)
            gone = [one.id for one in calendars if one.removed_at is not None]
            for table in SNAPSHOT if gone else ():
                await connection.execute(delete(table).where(table.c.calendar_id.in_(gone)))
            await self._appender.append(connection, profile, records)

        with self._calendars.rewriting(profile):
            await self._database.write(work)

    async def _read(
        self, which: Select[*tuple[Any, ...]], profile: ProfileId
    ) -> Sequence[KnownCalendar]:
        rows = await self._database.fetch(which, {"profile": profile})
        # Sorted here: databases disagree about the order of letters.
        return sorted(
            map(calendar_of, rows),
            key=lambda one: (not one.calendar.primary, one.calendar.name.casefold(), one.id),
        )


async def check_profile(connection: AsyncConnection, profile: ProfileId, generation: int) -> None:
    """Lock the profile's row, so that its generation holds until COMMIT (F14)."""
    mine = (profiles.c.profile_id == profile, ~profiles.c.removed)
    locked = select(profiles.c.generation).where(*mine).with_for_update(key_share=True)
    if (await connection.execute(locked)).scalar_one_or_none() != generation:
        raise StaleStateError(f"profile {profile} was connected anew meanwhile")


async def _check_revisions(
    connection: AsyncConnection, profile: ProfileId, known: Sequence[KnownCalendar]
) -> None:
    """Lock the calendars' rows, in one order, and compare (I5)."""
    column = calendars.c
    locked = (
        select(column.calendar_id, column.revision)
        .where(column.profile_id == profile, column.calendar_id.in_([one.id for one in known]))
        .order_by(column.calendar_id)
        .with_for_update()
    )
    rows = (await connection.execute(locked)).all()
    stored = {row.calendar_id: row.revision for row in rows}
    for one in known:
        if stored.get(one.id, 0) != one.revision:
            raise StaleStateError(f"calendar {one.id} has changed meanwhile")


async def _write(
    connection: AsyncConnection, known: Sequence[KnownCalendar], generation: int
) -> None:
    rows = [
        {**calendar_values(one), "revision": one.revision + 1, "generation": generation}
        for one in known
    ]
    if rows:
        await connection.execute(upsert(calendars, connection), rows)
