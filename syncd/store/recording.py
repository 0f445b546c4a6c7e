"""The transaction of I1: a page's rows, its activities and its sync token, or nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.calendar import KnownCalendar
from syncd.model.errors import StaleStateError
from syncd.model.ids import CalendarId, ProfileId, ResourceKey, split_event_id
from syncd.model.resource import Absence, Change, Fault, KeptEvent, KeptResource
from syncd.model.when import milliseconds
from syncd.store.bulk import write_rows
from syncd.store.calendar_rows import calendar_values
from syncd.store.columns import clean
from syncd.store.listings import is_lasting
from syncd.store.rows import Values, stamp
from syncd.store.tables import absences, calendars, faults, objects, resources
from syncd.store.topic import Topic
from syncd.store.upsert import count_up, upsert

_CONSTANT = ("calendar_id", "profile_id")
_LATEST = (
    update(calendars)
    .where(
        calendars.c.calendar_id == bindparam("of_calendar"),
        calendars.c.revision == bindparam("of_revision"),
        calendars.c.generation == bindparam("of_generation"),
    )
    .values({
        column.name: bindparam(column.name)
        for column in calendars.columns
        if column.name not in {*_CONSTANT, "generation"}
    })
)  # fmt: skip
_GONE_EVENTS = delete(objects).where(
    objects.c.profile_id == bindparam("of_profile"), objects.c.object_id == bindparam("of_object")
)
_GONE = [
    delete(table).where(
        table.c.calendar_id == bindparam("of_calendar"), table.c.resource_key == bindparam("of_key")
    )
    for table in (objects, resources, faults)
]
_HEALED = _GONE[2]
_FAULTS = select(literal(1)).where(faults.c.calendar_id == bindparam("of_calendar")).limit(1)
_RESOURCE = ("calendar_id", "resource_key", "uid", "etag", "raw")
_OBJECT = (
    *("profile_id", "object_id", "calendar_id", "resource_key", "slot", "series_id", "is_series"),
    *("starts_at", "ends_at", "content", "document", "claim", "lasting"),
)


class SqlRecording(Topic):
    """The part of ``Snapshots`` that writes pages."""

    async def record(
        self, calendar: KnownCalendar, change: Change, *, generation: int
    ) -> KnownCalendar:
        """Write one page: calendar row, snapshot rows and activities, in one transaction (I1).

        Return the calendar with its next revision. Raises StaleStateError if revision or
        generation has moved (I5, F14). Lock order: calendar, then stream, then rows (S1).
        """
        stored = replace(calendar, revision=calendar.revision + 1)
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> None:
            await _take_turn(connection, stored, generation)
            await self._appender.append(connection, stored.profile_id, change.records)
            await _write_snapshot(connection, stored, change)
            await _write_doubts(connection, stored.id, change, now)

        with self._calendars.rewriting(stored.profile_id):
            await self._database.write(work)
        return stored

    async def move(
        self,
        source: KnownCalendar,
        gone: Sequence[ResourceKey],
        target: KnownCalendar,
        change: Change,
        *,
        generation: int,
    ) -> None:
        """Take resources out of one calendar and record what became of them in another."""
        both = [replace(one, revision=one.revision + 1) for one in (source, target)]
        stored = both[1]
        now = self._clock.now()

        async def work(connection: AsyncConnection) -> None:
            for one in sorted(both, key=lambda one: one.id):  # one order for all (S1)
                await _take_turn(connection, one, generation)
            await self._appender.append(connection, stored.profile_id, change.records)
            await _write_snapshot(connection, source, Change(gone=tuple(gone)))
            await _write_snapshot(connection, stored, change)
            await _write_doubts(connection, stored.id, change, now)

        with self._calendars.rewriting(stored.profile_id):
            await self._database.write(work)


async def _take_turn(connection: AsyncConnection, stored: KnownCalendar, generation: int) -> None:
    """Write the calendar's row, and so lock it, if it still is the one that was read."""
    values = {
        **{name: one for name, one in calendar_values(stored).items() if name not in _CONSTANT},
        "of_calendar": stored.id,
        "of_revision": stored.revision - 1,
        "of_generation": generation,
    }
    if (await connection.execute(_LATEST, values)).rowcount == 0:
        raise StaleStateError(f"calendar {stored.id} has changed meanwhile")


async def _write_snapshot(
    connection: AsyncConnection, stored: KnownCalendar, change: Change
) -> None:
    if change.gone_events:
        gone = [{"of_profile": stored.profile_id, "of_object": one} for one in change.gone_events]
        await connection.execute(_GONE_EVENTS, gone)
    if change.gone:
        keys = [{"of_calendar": stored.id, "of_key": key} for key in change.gone]
        for statement in _GONE:
            await connection.execute(statement, keys)
    kept = [_resource_row(stored.id, one) for one in change.kept]
    await write_rows(connection, upsert(resources, connection), _RESOURCE, kept)
    events = [_object_row(stored.profile_id, stored.id, one) for one in change.events]
    await write_rows(connection, upsert(objects, connection), _OBJECT, events)


async def _write_doubts(
    connection: AsyncConnection, calendar: CalendarId, change: Change, now: datetime
) -> None:
    """Write what could not be read (I10), and what is held as absent (I7)."""
    if change.healed and await _has_faults(connection, calendar):
        keys = [{"of_calendar": calendar, "of_key": key} for key in change.healed]
        await connection.execute(_HEALED, keys)
    if change.faults:
        rows = [_fault_values(calendar, one, now) for one in change.faults]
        await connection.execute(count_up(faults, connection, also="message"), rows)
    if change.absences is not None:
        await connection.execute(delete(absences).where(absences.c.calendar_id == calendar))
        await _hold(connection, calendar, change.absences)


async def _has_faults(connection: AsyncConnection, calendar: CalendarId) -> bool:
    """Tell whether any is there to be healed: a page calls all healed that it could read."""
    some = await connection.execute(_FAULTS, {"of_calendar": calendar})
    return some.first() is not None


async def _hold(connection: AsyncConnection, calendar: CalendarId, held: Sequence[Absence]) -> None:
    rows = [
        {
            "calendar_id": calendar,
            "resource_key": one.key,
            "times": one.count,
            "counted_at": milliseconds(one.counted_at),
        }
        for one in held
    ]
    if rows:
        await connection.execute(insert(absences), rows)


def _resource_row(calendar: CalendarId, kept: KeptResource) -> tuple[Any, ...]:
    """Return the values of ``_RESOURCE``."""
    return calendar, clean(kept.key), clean(kept.uid), clean(kept.etag), kept.raw


def _object_row(profile: ProfileId, calendar: CalendarId, kept: KeptEvent) -> tuple[Any, ...]:
    """Return the values of ``_OBJECT``."""
    return (
        profile,
        kept.id,
        calendar,
        clean(kept.key),
        kept.slot,
        split_event_id(kept.id)[0] if kept.slot else None,
        kept.series,
        milliseconds(kept.starts_at),
        stamp(kept.ends_at),
        kept.content,
        kept.document,
        int(kept.claim),
        is_lasting(kept),
    )


def _fault_values(calendar: CalendarId, fault: Fault, now: datetime) -> Values:
    return {
        "calendar_id": calendar,
        "resource_key": fault.key,
        "message": fault.message,
        "first_seen_at": milliseconds(fault.first_seen or now),
        "times": fault.count,
    }
