"""How activities get onto a stream, inside somebody's transaction (I1, I3)."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, String, bindparam, cast, func, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.activity import Record
from syncd.model.errors import NotFoundError
from syncd.model.ids import ProfileId
from syncd.model.when import milliseconds
from syncd.store.bulk import write_rows
from syncd.store.listen import tell
from syncd.store.tables import activities, streams

_TAKE = (
    update(streams)
    .where(streams.c.profile_id == bindparam("profile"))
    .values(head=streams.c.head + bindparam("count"))
    .returning(streams.c.head, streams.c.epoch)
)
_RUNNING = cast(cast(func.pg_current_xact_id(), String), BigInteger)
_TAKE_ORDERED = _TAKE.values(  # whoever began earlier may come later to the same stream
    head_order=func.greatest(streams.c.head_order, _RUNNING)
).returning(streams.c.head_order)
_INSERT = insert(activities)
_ACTIVITY = (
    *("profile_id", "position", "kind", "type", "object_id", "calendar_id"),
    *("recorded_at", "body"),
)
_ORDERED = ("commit_order", *_ACTIVITY)


async def take_positions(
    connection: AsyncConnection, profile: ProfileId, count: int, *, ordered: bool = False
) -> tuple[str, range, int | None]:
    """Take the next positions of a stream; its row stays locked until COMMIT, so no gap (I3).

    Return the stream's epoch with them, and if it is ``ordered`` by transactions the order among
    all commits: it never falls within a stream. Raises NotFoundError.
    """
    take = _TAKE_ORDERED if ordered else _TAKE
    row = (await connection.execute(take, {"profile": profile, "count": count})).one_or_none()
    if row is None:
        raise NotFoundError(f"profile {profile} has no stream")
    positions = range(row.head - count + 1, row.head + 1)
    return row.epoch, positions, row.head_order if ordered else None


def spliced(body: bytes, epoch: str, position: int) -> bytes:
    """Return a JSON object with its id, unique for ever, as the first member (K42)."""
    if not body.startswith(b'{"'):
        raise ValueError("a record's body must be a JSON object that is not empty")
    return b'{"id":"%s-%d",%s' % (epoch.encode(), position, body[1:])


class Appender:
    """Appends to streams; on PostgreSQL other processes hear of it at COMMIT."""

    def __init__(self, channel: str | None) -> None:
        """``channel`` is where to tell of it, None on SQLite: there is one process."""
        self.channel = channel

    async def append(
        self, connection: AsyncConnection, profile: ProfileId, records: Sequence[Record]
    ) -> None:
        """Give each record its position and write it; nothing happens without records."""
        if not records:
            return
        epoch, positions, order = await take_positions(
            connection, profile, len(records), ordered=self.channel is not None
        )
        columns, numbered = (_ACTIVITY, ()) if order is None else (_ORDERED, (order,))
        rows = [
            (  # as in ``columns``
                *numbered,
                profile,
                position,
                str(record.kind),
                str(record.type),
                record.object_id,
                record.calendar_id,
                milliseconds(record.recorded_at),
                spliced(record.body, epoch, position),
            )
            for position, record in zip(positions, records, strict=True)
        ]
        await write_rows(connection, _INSERT, columns, rows)
        if self.channel is not None:
            await tell(connection, self.channel, str(profile))
