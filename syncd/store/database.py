"""The two ways into the database: ``fetch`` and ``write`` (design decision 1, S2, S4, S5)."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Executable, Row, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from syncd.model.errors import TransientError
from syncd.ports.unbroken import unbroken
from syncd.store.failures import in_our_words
from syncd.store.onestep import connect

T = TypeVar("T")

READERS = 4
POSTGRES_WRITERS = 8
LOCKERS = 4  # connections that hold a lock, and nothing else
BUSY_MS = 5000  # how long one waits for a lock
LONGEST_CHECK = 10.0  # seconds
LONGEST_ALONE_MS = 60_000  # twice what a token endpoint may take
_EVERYWHERE = (f"busy_timeout={BUSY_MS}", "foreign_keys=ON", "mmap_size=0")
_WRITER = (
    "page_size=8192",  # of a new file (ADR 51)
    "busy_timeout=500",
    "journal_mode=WAL",
    "synchronous=FULL",
    "journal_size_limit=67108864",
)
_READER = ("query_only=ON", "wal_autocheckpoint=0")
_PLAIN = "syncd_plain"  # marks a connection that needs no BEGIN: a checkpoint, a single statement
# of who keeps a lock: half a minute after its machine vanished the session ends
_WATCHED = ("tcp_keepalives_idle = 10", "tcp_keepalives_interval = 5", "tcp_keepalives_count = 4")
_LOCK = "hashtextextended(current_schema() || ' syncd ' || %s, 0)"
_WAL_TIDY = 12 << 20  # a checkpoint at 1,000 pages was in vain: truncate when nobody waits
_WAL_FULL = 48 << 20  # truncate now, and let readers end for it
Parameters = dict[str, Any] | Sequence[dict[str, Any]]
Work = Callable[[AsyncConnection], Awaitable[T]]


class Database:
    """One SQLite file or one PostgreSQL schema.

    Reads and writes go over connections of their own. On SQLite one connection does all writes
    and all checkpoints (F33); readers cannot write and hold no snapshot between two reads (F32).
    """

    def __init__(self, url: URL) -> None:
        """Prepare the engines; nothing is opened yet. ``url`` names its asynchronous driver."""
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.path = Path(url.database or "") if self.is_sqlite else None
        self._closed = False
        self._writers = 1 if self.is_sqlite else POSTGRES_WRITERS
        self._url = url
        self._writer = _writer(url, self._writers)
        self._reader = _reader(url)
        self._turn = asyncio.Semaphore(self._writers)
        self._place = asyncio.Semaphore(READERS)
        self._apart = asyncio.Semaphore(LOCKERS)
        self._waiting = 0

    async def fetch(
        self,
        statement: Executable,
        parameters: Parameters | None = None,
        *,
        most_bytes: int | None = None,
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """Return all rows of one query, which should have a limit of 1,000 (S5).

        The read transaction ends with it, whatever becomes of the caller. ``most_bytes``, on
        SQLite: the rows end with the first but one whose last column does not fit any more, which
        is None there; on PostgreSQL a statement says so itself.
        """
        async with self._place:
            self._check_open()
            return await unbroken(self._read(statement, parameters, most_bytes), "fetch")

    async def write(self, work: Work[T], *, alone: bool = False) -> T:
        """Run ``work`` from BEGIN to COMMIT; a cancelled caller leaves only when it has ended.

        ``alone`` promises that the work is one statement: SQLite needs no BEGIN for it. Raises
        TransientError, with nothing written, if the database is full, locked or gone.
        """
        self._check_open()
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            self._check_open()
            return await unbroken(self._transact(work, alone=alone), "write")
        finally:
            self._turn.release()

    async def put(self, statement: Executable, parameters: Parameters | None = None) -> int:
        """Run one statement, maybe many times, as a transaction; return how many rows it wrote."""

        async def work(connection: AsyncConnection) -> int:
            return (await connection.execute(statement, parameters)).rowcount

        return await self.write(work, alone=True)

    def wal_bytes(self) -> int | None:
        """Return the size of the write-ahead log; None on PostgreSQL."""
        if self.path is None:
            return None
        wal = self.path.with_name(f"{self.path.name}-wal")
        return wal.stat().st_size if wal.exists() else 0

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[Any]:
        """Lend the driver's own connection, outside of the pools, to listen on.

        Raises TransientError when it is lost.
        """
        engine = create_async_engine(
            self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT", pool_reset_on_return=None
        )
        try:
            async with engine.connect() as connection:
                yield (await connection.get_raw_connection()).driver_connection
        except (DBAPIError, engine.dialect.loaded_dbapi.Error) as error:
            raise TransientError("the database does not answer") from error

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        """Keep other processes out of the block of this name, on PostgreSQL.

        A SQLite file has one process. The lock is one of the session of a connection of its own:
        it goes with the process, and no transaction is open. Raises TransientError.
        """
        if self.is_sqlite:
            yield
            return
        async with self._apart, self.apart() as driver:
            await driver.execute(f"SET lock_timeout = {LONGEST_ALONE_MS}")
            await driver.execute(f"SELECT pg_advisory_lock({_LOCK})", (name,))
            yield

    @asynccontextmanager
    async def duty(self) -> AsyncIterator[Callable[[], Awaitable[None]] | None]:
        """Be the one process that does what one must do; None if another one is.

        It is a lock of the session, as in ``alone``; what is yielded raises TransientError if that
        is lost. PostgreSQL looks after us too, so that a machine that vanished does not keep it.
        """
        if self.is_sqlite:
            yield _nothing
            return
        async with self.apart() as driver:
            for setting in _WATCHED:
                await driver.execute(f"SET {setting}")
            answer = await driver.execute(f"SELECT pg_try_advisory_lock({_LOCK})", ("duty",))
            (mine,) = await answer.fetchone()

            async def still() -> None:
                try:
                    async with asyncio.timeout(LONGEST_CHECK):
                        await driver.execute("SELECT 1")
                except TimeoutError:
                    raise TransientError("the database does not answer") from None

            yield still if mine else None

    async def close(self) -> None:
        """Wait for what runs, then let go, readers first: who leaves last tidies the WAL (S2)."""
        self._closed = True
        for _ in range(READERS):
            await self._place.acquire()
        for _ in range(self._writers):
            await self._turn.acquire()
        await self._reader.dispose()
        await self._writer.dispose()
        for _ in range(READERS):  # who still waits is told that it is closed
            self._place.release()
        for _ in range(self._writers):
            self._turn.release()

    def _check_open(self) -> None:
        if self._closed:
            raise TransientError("the store is closed")

    async def _read(
        self, statement: Executable, parameters: Parameters | None, most_bytes: int | None
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        try:
            async with self._reader.connect() as connection:
                if most_bytes is None or not self.is_sqlite:
                    return (await connection.execute(statement, parameters)).all()
                driver: Any = (await connection.get_raw_connection()).driver_connection
                with driver.ending_at(most_bytes):
                    return (await connection.execute(statement, parameters)).all()
        except DBAPIError as error:
            raise in_our_words(error) from error

    async def _transact(self, work: Work[T], *, alone: bool) -> T:
        try:
            if alone and self.is_sqlite:
                async with self._writer.connect() as connection:
                    done = await work(await connection.execution_options(**{_PLAIN: True}))
            else:
                async with self._writer.begin() as connection:
                    done = await work(connection)
        except DBAPIError as error:
            raise in_our_words(error) from error
        await self._tidy()
        return done

    async def _tidy(self) -> None:
        size = self.wal_bytes() or 0
        if size >= _WAL_FULL or (size >= _WAL_TIDY and not self._waiting):
            await self._truncate(wait_ms=BUSY_MS if size >= _WAL_FULL else 0)

    async def _truncate(self, *, wait_ms: int) -> None:
        """Empty the WAL; where readers are in the way for longer, the next write tries again."""
        try:
            async with self._writer.connect() as connection:
                plain = await connection.execution_options(**{_PLAIN: True})
                await plain.exec_driver_sql(f"PRAGMA busy_timeout={wait_ms}")
                try:
                    await plain.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    await plain.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_MS}")
        except DBAPIError:
            return  # what was to be written is; a full disk shows at the next write


async def _nothing() -> None:
    """Find that all is as it was."""


def _writer(url: URL, size: int) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        engine = create_async_engine(url, pool_size=size, max_overflow=0)
        event.listen(engine.sync_engine, "connect", _promise_durability)
        return engine
    engine = _sqlite(url, size, (*_WRITER, *_EVERYWHERE, "wal_autocheckpoint=1000"))
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _reader(url: URL) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, READERS, (*_EVERYWHERE, *_READER))
    return create_async_engine(
        url, pool_size=READERS, isolation_level="AUTOCOMMIT", pool_reset_on_return=None
    )


def _sqlite(url: URL, size: int, pragmas: Sequence[str]) -> AsyncEngine:
    """Return an engine that leaves transactions to us and sets these PRAGMAs at once."""
    engine = create_async_engine(
        url,
        async_creator=partial(connect, url.database or ""),
        pool_size=size,
        max_overflow=0,
    )

    def prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            _set(cursor, pragma)
        cursor.close()

    event.listen(engine.sync_engine, "connect", prepare)
    return engine


def _set(cursor: sqlite3.Cursor, pragma: str) -> None:
    """Set a PRAGMA, once more where another connection turned a new file to WAL meanwhile.

    Who saw the file before that waits for a lock that the other one keeps; a second look sees WAL.
    """
    try:
        cursor.execute(f"PRAGMA {pragma}")
    except sqlite3.OperationalError:
        cursor.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    if not connection.get_execution_options().get(_PLAIN):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _promise_durability(connection: Any, _: ConnectionPoolEntry) -> None:  # noqa: ANN401 - psycopg's
    """Commit to disk (I15), also where the server's default is laxer."""
    cursor = connection.cursor()
    cursor.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    cursor.close()
    connection.commit()
