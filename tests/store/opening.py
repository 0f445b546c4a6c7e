"""Stores for tests: a SQLite file, or a PostgreSQL schema of one's own."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, text

from syncd.model.ids import new_epoch
from syncd.ports.clock import Clock
from syncd.store.migrate import OLDEST, VERSION, upgrade
from syncd.store.open import SqlStore, open_store
from syncd.store.schema import metadata
from syncd.store.tables import installations
from tests.fakes.clock import FakeClock

SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"
HINT = (
    "no PostgreSQL at 127.0.0.1:5432: docker run -p 127.0.0.1:5432:5432 "
    "-e POSTGRES_HOST_AUTH_METHOD=trust postgres:15"
)
SQLITE = "sqlite:///"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


_blank = list[bytes]()


@asynccontextmanager
async def opened(
    where: Path | str,
    *,
    clock: Clock | None = None,
    state_dir: Path | None = None,
    copied: bool = True,
) -> AsyncIterator[SqlStore]:
    """Open a store: a SQLite file in a directory, or whatever an address names.

    Where there is no such file, an empty store is copied there: quicker than making it, and syncd
    gives the copy epochs of its own (S8). Unless ``copied``, syncd makes it.
    """
    with tempfile.TemporaryDirectory() as fallback:
        if isinstance(where, Path):
            url, beside = f"{SQLITE}{where}/syncd.db", state_dir or where
        else:
            url, beside = where, state_dir or Path(fallback)
        if copied and url.startswith(SQLITE):
            _lay(Path(url.removeprefix(SQLITE)), await blank())
        store = await open_store(url, state_dir=beside, clock=clock or FakeClock(NOON))
        try:
            yield store
        finally:
            await store.close()


async def blank() -> bytes:
    """Return the file of an empty store."""
    if not _blank:
        with tempfile.TemporaryDirectory() as folder:
            async with opened(Path(folder), copied=False):
                pass
            file = Path(folder) / "syncd.db"
            _blank.append(await asyncio.to_thread(file.read_bytes))
    return _blank[0]


def _lay(file: Path, content: bytes) -> None:
    if not file.exists():
        file.write_bytes(content)


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    """Yield the address of a new schema, dropped afterwards; skip where there is no server."""
    schema = f"test_{secrets.token_hex(8)}"
    async with await _connected() as connection:
        await connection.execute(f"CREATE SCHEMA {schema}")
        try:
            yield _address(schema)
        finally:
            await connection.execute(f"DROP SCHEMA {schema} CASCADE")


class Schemas:
    """Schemas of PostgreSQL that each hold an empty store: emptying is quicker than making."""

    def __init__(self) -> None:
        self._free = list[str]()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[str]:
        """Yield the address of an empty store."""
        schema = self._free.pop() if self._free else await self._made()
        try:
            yield _address(schema)
        finally:
            await self._emptied(schema)
        self._free.append(schema)

    async def drop(self) -> None:
        for schema in self._free:
            await _run(f"DROP SCHEMA {schema} CASCADE")

    async def _made(self) -> str:
        schema = f"test_{secrets.token_hex(8)}"
        await _run(f"CREATE SCHEMA {schema}")
        async with opened(_address(schema)):
            return schema

    async def _emptied(self, schema: str) -> None:
        others = [one for one in reversed(metadata.sorted_tables) if one is not installations]
        as_new = (
            f"installation_id = '{secrets.token_hex(8)}', beats = 0, last_profile_id = 0,"
            f" epoch = '{new_epoch(secrets.token_bytes(16))}', backup_mark = false,"
            f" schema_version = {VERSION}, oldest_schema = {OLDEST}"
        )
        await _run(
            f"SET search_path = {schema}",
            "SET lock_timeout = '10s'",  # of a connection that a test has left open
            *(f"DELETE FROM {one.name}" for one in others),  # noqa: S608 - ours
            f"UPDATE installations SET {as_new}",  # noqa: S608 - ours
        )


async def _run(*statements: str) -> None:
    async with await _connected() as connection:
        await connection.execute("; ".join(statements))


async def _connected() -> psycopg.AsyncConnection:
    """Return a connection that commits each statement; skip where there is no server."""
    try:
        return await psycopg.AsyncConnection.connect(SERVER, autocommit=True)
    except psycopg.OperationalError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(HINT)


def _address(schema: str) -> str:
    return f"{SERVER}?options=-csearch_path%3D{schema}"


def rewind(connection: Connection, revision: str) -> None:
    """Throw everything away, and make the schema that a revision led to."""
    metadata.drop_all(connection)
    connection.execute(text("DELETE FROM alembic_version"))
    upgrade(connection, to=revision)


@contextmanager
def counted(store: SqlStore) -> Iterator[list[tuple[str, Any]]]:
    """Collect every statement that the store runs."""
    statements: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, sql: str, given: object, *_: object) -> None:
        statements.append((sql, given))

    engines: list[Engine] = [
        store._database._reader.sync_engine,
        store._database._writer.sync_engine,
    ]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
