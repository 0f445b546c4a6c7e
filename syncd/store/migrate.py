"""Schema versions: moving a database up, and refusing one that has moved too far.

Each alembic revision is named by its number; an empty database gets the newest schema in one step
(ADR 49). A database remembers the oldest program that can still work on it, so that a rollback is
refused only where it would do harm.
"""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import MisconfiguredError
from syncd.store.schema import metadata
from syncd.store.tables import installations

if TYPE_CHECKING:
    from alembic.config import Config

VERSION = 16  # the newest revision in ``migrations/versions``
OLDEST = 11  # the oldest VERSION of a program that can work on this schema

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7312061)")  # two daemons that start at once


async def migrate(connection: AsyncConnection) -> bool:
    """Bring the schema to VERSION inside the caller's transaction; True if it was empty.

    Raises MisconfiguredError if the database is of a newer syncd that this one would harm.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(_ONE_AT_A_TIME)
    if await connection.run_sync(_is_empty):
        await connection.run_sync(create)
        return True
    if await _is_behind(connection):
        await connection.run_sync(upgrade)
        reached = {"schema_version": VERSION, "oldest_schema": OLDEST}
        await connection.execute(update(installations).values(reached))
    return False


def create(connection: Connection) -> None:
    """Make the newest schema, and note that no revision is missing."""
    metadata.create_all(connection, checkfirst=False)
    command, config = _alembic(connection)
    command.stamp(config, "head")


def upgrade(connection: Connection, *, to: str = "head") -> None:
    """Run what is missing of the revisions, up to one."""
    command, config = _alembic(connection)
    command.upgrade(config, to)


def _alembic(connection: Connection) -> tuple[ModuleType, "Config"]:
    """Import alembic where it has work: in a first start, and in one that brings a schema up."""
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    return command, config


def _is_empty(connection: Connection) -> bool:
    return not inspect(connection).has_table(installations.name)


async def _is_behind(connection: AsyncConnection) -> bool:
    column = installations.c
    found = await connection.execute(select(column.schema_version, column.oldest_schema))
    version, oldest = found.one()
    if version > VERSION and oldest > VERSION:
        raise MisconfiguredError(
            f"the database has schema {version} and needs a syncd that knows at least {oldest}; "
            f"this one knows {VERSION}: install a newer syncd, or restore an older backup"
        )
    return bool(version < VERSION)
