"""First answers of creating requests (api.md R17)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import StaleStateError
from syncd.model.when import from_milliseconds, milliseconds
from syncd.ports.store.repeats import Asked, Begun, Differs, Kept, Running
from syncd.store.tables import repeats
from syncd.store.topic import Topic
from syncd.store.upsert import insert_new


class SqlRepeats(Topic):
    """``Repeats`` in SQL."""

    async def begin_request(
        self, asked: Asked, *, name: str, now: datetime, until: datetime, kept_since: datetime
    ) -> Begun | Kept | Running | Differs:
        """Mark a request as running; of two that come at once one is ``Begun``."""
        mine = _key(asked)
        fresh = {
            "digest": asked.digest,
            "name": name,
            "began_at": milliseconds(now),
            "running_until": milliseconds(until),
            "sealed": None,
        }

        async def work(connection: AsyncConnection) -> Begun | Kept | Running | Differs:
            written = insert_new(repeats, connection.dialect.name).returning(repeats.c.name)
            if (await connection.execute(written, _values(asked) | fresh)).first() is not None:
                return Begun(name=name)
            found = await connection.execute(select(repeats).where(mine).with_for_update())
            row = found.one_or_none()
            if row is None:
                raise StaleStateError("this key was forgotten just now: send it again")
            if row.began_at < milliseconds(kept_since):
                await connection.execute(update(repeats).where(mine).values(fresh))
                return Begun(name=name)
            if bytes(row.digest) != asked.digest:
                return Differs()
            if row.sealed is not None:
                return Kept(sealed=bytes(row.sealed))
            if row.running_until > milliseconds(now):
                return Running(until=from_milliseconds(row.running_until))
            again = {"running_until": milliseconds(until)}
            await connection.execute(update(repeats).where(mine).values(again))
            return Begun(name=row.name)

        return await self._database.write(work)

    async def keep_answer(self, asked: Asked, sealed: bytes) -> None:
        """Keep the answer."""
        mine = update(repeats).where(_key(asked))
        await self._database.put(mine.values(sealed=sealed, running_until=0))

    async def end_request(self, asked: Asked) -> None:
        """Take the mark off, for the same request to run again under the same name."""
        await self._database.put(update(repeats).where(_key(asked)).values(running_until=0))

    async def forget_requests(self, *, before: datetime, limit: int = 500) -> int:
        """Remove at most ``limit`` requests that began before a time."""
        column = repeats.c
        old = column.began_at < milliseconds(before)
        names = (column.token_id, column.route, column.request_key)
        oldest = select(*names).where(old).order_by(column.began_at).limit(limit)
        return await self._database.put(delete(repeats).where(old, tuple_(*names).in_(oldest)))


async def end_all(connection: AsyncConnection) -> None:
    """Take every mark off: one SQLite file has one daemon, and this one has just begun."""
    await connection.execute(update(repeats).values(running_until=0))


def _values(asked: Asked) -> dict[str, Any]:
    return {"token_id": asked.token, "route": asked.route, "request_key": asked.key}


def _key(asked: Asked) -> ColumnElement[bool]:
    return and_(*(repeats.c[name] == value for name, value in _values(asked).items()))
