"""How activities get onto a stream, inside somebody's transaction (I1, I3)."""

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.activity import Record
from syncd.model.errors import NotFoundError
from syncd.model.ids import ProfileId
from syncd.model.when import milliseconds
from syncd.store.bulk import write_rows
from syncd.store.tables import activities, streams

_TAKE = (
    update(streams)
    .where(streams.c.profile_id == bindparam("profile"))
    .values(head=streams.c.head + bindparam("count"))
    .returning(streams.c.head, streams.c.epoch)
)
_INSERT = insert(activities)
_ACTIVITY = (
    *("profile_id", "position", "kind", "type", "object_id", "calendar_id"),
    *("recorded_at", "body"),
)
_NOTIFY = text("SELECT pg_notify(:channel, :news)")


async def take_positions(
    connection: AsyncConnection, profile: ProfileId, count: int
) -> tuple[str, range]:
    """Take the next positions of a stream; its row stays locked until COMMIT, so no gap (I3).

    Return the stream's epoch with them; raises NotFoundError.
    """
    row = (await connection.execute(_TAKE, {"profile": profile, "count": count})).one_or_none()
    if row is None:
        raise NotFoundError(f"profile {profile} has no stream")
    return row.epoch, range(row.head - count + 1, row.head + 1)


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
        epoch, positions = await take_positions(connection, profile, len(records))
        rows = [
            (  # as in ``_ACTIVITY``
                profile,
                position,
                record.kind.value,
                record.type.value,
                record.object_id,
                record.calendar_id,
                milliseconds(record.recorded_at),
                spliced(record.body, epoch, position),
            )
            for position, record in zip(positions, records, strict=True)
        ]
        await write_rows(connection, _INSERT, _ACTIVITY, rows)
        if self.channel is not None:
            await connection.execute(_NOTIFY, {"channel": self.channel, "news": str(profile)})
