"""Is this the database that we left? Epochs change when it is not (I4, S8).

A database counts its *beats*: each start, stop and health check. A file in the state directory
repeats the count, always after the database, so in an honest life the file is never ahead.
"""

import os
import secrets
from pathlib import Path

import orjson
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.ids import new_epoch
from syncd.store.migrate import OLDEST, VERSION
from syncd.store.rows import AnyRow
from syncd.store.tables import activities, installations, streams

_SERVER = text(
    "SELECT system.system_identifier || '/' || checkpoint.timeline_id"
    " FROM pg_control_system() AS system, pg_control_checkpoint() AS checkpoint"
)
_AHEAD = text("SELECT FROM streams WHERE head_order >= pg_current_xact_id()::text::bigint LIMIT 1")
_BEFORE_ALL = 1  # ids of transactions begin at 3; 0 would be the place before any activity
_BEAT = update(installations).values(beats=installations.c.beats + 1)


class Beats:
    """The file that repeats a database's count."""

    def __init__(self, state_dir: Path) -> None:
        """Keep the file's place."""
        self._path = state_dir / "store.beats"

    def read(self) -> tuple[str, int] | None:
        """Return which installation the file is of, and the count; None without a file."""
        try:
            kept = orjson.loads(self._path.read_bytes())
            return str(kept["installation"]), int(kept["beats"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None  # a damaged file proves nothing, like none

    def write(self, installation: str, beats: int) -> None:
        """Replace the file at once and whole."""
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(orjson.dumps({"installation": installation, "beats": beats}))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)


async def begin(
    connection: AsyncConnection, *, fresh: bool, kept: tuple[str, int] | None
) -> AnyRow:
    """Count a start; a database that came back from a copy gets new epochs first."""
    server = await _server(connection)
    if fresh:
        await connection.execute(insert(installations).values(_first(server)))
    else:
        row = (await connection.execute(select(installations))).one()
        if _came_back(row, server, kept, one_machine=connection.dialect.name == "sqlite"):
            await _renew(connection)
    await connection.execute(_BEAT.values(server_identity=server, backup_mark=False))
    return (await connection.execute(select(installations))).one()


async def beat(connection: AsyncConnection) -> AnyRow:
    """Count a stop or a health check."""
    counted = _BEAT.returning(installations.c.installation_id, installations.c.beats)
    return (await connection.execute(counted)).one()


def _came_back(
    row: AnyRow, server: str | None, kept: tuple[str, int] | None, *, one_machine: bool
) -> bool:
    """Tell whether this may be an older state than one that cursors were given out for.

    One SQLite file has one daemon: without a matching file beside it, it was moved or copied
    here. On PostgreSQL that is a further machine of a cluster.
    """
    if row.backup_mark or row.server_identity != server:
        return True
    if kept is None or kept[0] != row.installation_id:
        return one_machine
    return bool(row.beats < kept[1])


async def _renew(connection: AsyncConnection) -> None:
    epoch = new_epoch(secrets.token_bytes(16))
    await connection.execute(update(streams).values(epoch=epoch))
    if connection.dialect.name == "postgresql":
        await _order_again(connection)
    await connection.execute(update(installations).values(epoch=epoch))


async def _order_again(connection: AsyncConnection) -> None:
    """Let nobody wait for transactions of another server, whose ids say nothing here."""
    if (await connection.execute(_AHEAD)).first() is not None:
        await connection.execute(update(activities).values(commit_order=_BEFORE_ALL))
        await connection.execute(update(streams).values(head_order=_BEFORE_ALL, floor_order=0))


async def _server(connection: AsyncConnection) -> str | None:
    """Return PostgreSQL's system identifier and timeline: a restored cluster has others."""
    if connection.dialect.name == "sqlite":
        return None
    return str((await connection.execute(_SERVER)).scalar_one())


def _first(server: str | None) -> dict[str, object]:
    return {
        "installation_id": secrets.token_hex(8),
        "schema_version": VERSION,
        "oldest_schema": OLDEST,
        "epoch": new_epoch(secrets.token_bytes(16)),
        "beats": 0,
        "last_profile_id": 0,
        "backup_mark": False,
        "server_identity": server,
    }
