"""Selections: calendars through which a profile's stream is read."""

from collections.abc import Sequence
from dataclasses import replace

import orjson
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import StaleStateError
from syncd.model.ids import CalendarId, ProfileId
from syncd.model.selection import Selection
from syncd.model.when import from_milliseconds, milliseconds
from syncd.store.calendars import check_profile
from syncd.store.per_owner import check_selections
from syncd.store.rows import AnyRow, Values
from syncd.store.tables import selections
from syncd.store.topic import Topic
from syncd.store.upsert import insert_new

_COLUMN = selections.c


class SqlSelections(Topic):
    """``Selections`` in SQL."""

    async def selections(
        self, profile: ProfileId, *, after: str = "", limit: int = 1000
    ) -> Sequence[Selection]:
        """Return a profile's by id, all but its default one."""
        mine = (_COLUMN.profile_id == profile, ~_COLUMN.is_default, _COLUMN.selection_id > after)
        wanted = select(selections).where(*mine).order_by(_COLUMN.selection_id).limit(limit)
        return [_selection(row) for row in await self._database.fetch(wanted)]

    async def selection(self, profile: ProfileId, selection: str) -> Selection | None:
        """Return one of a profile."""
        mine = (_COLUMN.profile_id == profile, _COLUMN.selection_id == selection)
        rows = await self._database.fetch(select(selections).where(*mine))
        return _selection(rows[0]) if rows else None

    async def save_selection(
        self, selection: Selection, *, generation: int, most: int | None = None
    ) -> Selection:
        """Write one, a new one if its revision is 0; raises StaleStateError."""
        stored = replace(selection, revision=selection.revision + 1)
        known = (_COLUMN.selection_id == selection.id, _COLUMN.revision == selection.revision)

        async def work(connection: AsyncConnection) -> None:
            await check_profile(connection, selection.profile_id, generation)
            new = insert_new(selections, connection.dialect.name)
            write = update(selections).where(*known) if selection.revision else new
            written = write.values(_values(stored)).returning(_COLUMN.selection_id)
            if (await connection.execute(written)).first() is None:
                raise StaleStateError(f"subscription {selection.id} has changed meanwhile")
            if not selection.revision:
                await check_selections(connection, selection, most)

        await self._database.write(work)
        return stored

    async def remove_selection(self, selection: Selection) -> None:
        """Remove one; one that is gone is as good."""
        mine = _COLUMN.selection_id == selection.id
        await self._database.put(delete(selections).where(mine))


def _values(selection: Selection) -> Values:
    return {
        "selection_id": selection.id,
        "profile_id": selection.profile_id,
        "calendars": orjson.dumps(selection.calendars),
        "active": selection.active,
        "is_default": selection.default,
        "created_at": milliseconds(selection.created),
        "modified_at": milliseconds(selection.modified),
        "revision": selection.revision,
    }


def _selection(row: AnyRow) -> Selection:
    return Selection(
        id=row.selection_id,
        profile_id=row.profile_id,
        calendars=tuple(map(CalendarId, orjson.loads(row.calendars))),
        active=row.active,
        default=row.is_default,
        created=from_milliseconds(row.created_at),
        modified=from_milliseconds(row.modified_at),
        revision=row.revision,
    )
