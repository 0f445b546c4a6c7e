"""The store's own health, checks and end."""

import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Select, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import MisconfiguredError, TransientError, UnsupportedError
from syncd.model.subscription import Outcome
from syncd.model.when import milliseconds
from syncd.ports.clock import Clock
from syncd.ports.store.upkeep import Health
from syncd.store.appending import Appender
from syncd.store.backup import copy_marked
from syncd.store.database import Database
from syncd.store.life import Beats, beat
from syncd.store.subscription_tables import NOT_DELIVERED, deliveries, subscriptions
from syncd.store.tables import SNAPSHOT, activities, calendars, profiles, streams
from syncd.store.topic import Topic

_MILLISECOND = timedelta(milliseconds=1)


class SqlUpkeep(Topic):
    """``Upkeep`` in SQL."""

    def __init__(
        self, database: Database, appender: Appender, clock: Clock, *, beats: Beats
    ) -> None:
        """Keep what the methods need."""
        super().__init__(database, appender, clock)
        self._beats = beats

    async def health(self) -> Health:
        """Have the writer write and a reader read; raises TransientError if neither answers."""
        version = text(
            "SELECT sqlite_version()" if self._database.is_sqlite else "SHOW server_version"
        )
        product = "SQLite" if self._database.is_sqlite else "PostgreSQL"
        rows = await self._database.fetch(version)
        started = self._clock.monotonic()
        try:
            await self._beat()
            writable = True
        except TransientError:
            writable = False
        waited = timedelta(seconds=self._clock.monotonic() - started)
        path = self._database.path
        return Health(
            database=f"{product} {rows[0][0]}",
            writable=writable,
            writer_wait=waited,
            wal_bytes=self._database.wal_bytes(),
            free_bytes=None if path is None else shutil.disk_usage(path.parent).free,
        )

    def duty(self) -> AbstractAsyncContextManager[Callable[[], Awaitable[None]] | None]:
        """Be the one process that does what one must do: ``Upkeep.duty``."""
        return self._database.duty()

    async def turn_back(self, by: timedelta, *, now: datetime) -> None:
        """Let what is due later than ``now`` be due so much earlier: ``Upkeep.turn_back``."""
        back, since = by // _MILLISECOND, milliseconds(now)

        async def work(connection: AsyncConnection) -> None:
            for column in (profiles.c.next_poll_at, subscriptions.c.retry_at, deliveries.c.next_at):
                later = update(column.table).where(column > since)
                if column.table is deliveries:
                    later = later.where(deliveries.c.outcome == Outcome.PENDING, NOT_DELIVERED)
                await connection.execute(later.values({column: column - back}))

        await self._database.write(work)

    async def check(self) -> Sequence[str]:
        """Return what is wrong, one sentence a fault: integrity, gaps, dangling rows."""
        found: list[str] = []
        try:
            await self._look_into(found)
        except MisconfiguredError as error:  # too damaged to be looked into any further
            found.append(str(error))
        return found

    async def backup(self, target: Path) -> None:
        """Write a marked copy: opened in place of this one, it gives new epochs (I4).

        Raises UnsupportedError on PostgreSQL, whose own tools do it.
        """
        if self._database.path is None:
            raise UnsupportedError("back up PostgreSQL with its own tools, such as pg_basebackup")
        await copy_marked(self._database.path, target)

    async def close(self) -> None:
        """End all work and let go of the database."""
        with suppress(TransientError):  # a database that is gone or full is let go all the same
            await self._beat()
        await self._database.close()

    async def _look_into(self, found: list[str]) -> None:
        if self._database.is_sqlite:
            for pragma in ("integrity_check", "foreign_key_check"):
                rows = await self._database.fetch(text(f"PRAGMA {pragma}"))
                said = [" ".join(map(str, row)) for row in rows if tuple(row) != ("ok",)]
                found.extend(f"{pragma}: {one}" for one in said)
        found.extend(
            f"stream {row.profile_id}: {row.rows} activities from {row.first} to {row.last}, "
            f"where {row.floor + 1} to {row.head} should be"
            for row in await self._database.fetch(_gaps())
        )
        found.extend(
            f"profile {row.profile_id} has no stream"
            for row in await self._database.fetch(_streamless())
        )
        for table in SNAPSHOT:
            known = exists().where(calendars.c.calendar_id == table.c.calendar_id)
            dangling = select(table.c.calendar_id).where(~known).distinct().limit(100)
            found.extend(
                f"{table.name} of calendar {row.calendar_id}, which is not there"
                for row in await self._database.fetch(dangling)
            )

    async def _beat(self) -> None:
        row = await self._database.write(beat)
        self._beats.write(row.installation_id, row.beats)


def _gaps() -> Select[*tuple[object, ...]]:
    """Return the streams whose activities are not exactly floor + 1 … head (I3)."""
    position = activities.c.position
    held = (
        select(
            streams.c.profile_id,
            streams.c.floor,
            streams.c.head,
            func.count(position).label("rows"),
            func.min(position).label("first"),
            func.max(position).label("last"),
        )
        .outerjoin(activities, activities.c.profile_id == streams.c.profile_id)
        .group_by(streams.c.profile_id, streams.c.floor, streams.c.head)
        .subquery()
    )
    column = held.c
    whole = column.rows == column.head - column.floor
    fits = func.coalesce(column.last, column.head) == column.head
    return select(held).where(~(whole & fits)).limit(100)


def _streamless() -> Select[*tuple[object, ...]]:
    known = exists().where(streams.c.profile_id == profiles.c.profile_id)
    return select(profiles.c.profile_id).where(~known).limit(100)
