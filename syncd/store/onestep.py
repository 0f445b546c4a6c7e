"""aiosqlite with one step into its thread for a statement, instead of five.

Each step costs more than most of our statements do. And because a statement is run, fetched and
closed in one step, nobody can be cancelled between the three and leave a snapshot open (F32, S5).

Rows that are inserted go 32 in a statement: between any two statements Python lets other threads
run, and while the loop is busy each turn that is given away and taken back costs more than a row.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from types import TracebackType
from typing import Any, Self

import aiosqlite

Rows = list[Any]
_TOGETHER = 32
_ONE_ROW = re.compile(r"(INSERT INTO [^?]* VALUES )(\((?:\?, )*\?\))([^?]*)", re.DOTALL)


class OneStepConnection(aiosqlite.Connection):
    """A connection whose cursors hold results, never statements."""

    _most_bytes: int | None = None

    @contextmanager
    def ending_at(self, most_bytes: int) -> Iterator[None]:
        """Let results end, meanwhile, with the first row whose last column does not fit any more.

        That column is None in it. It fits in the first row.
        """
        self._most_bytes = most_bytes
        try:
            yield
        finally:
            self._most_bytes = None

    def cursor(self) -> "OneStepCursor":  # type: ignore[override]  # as far as SQLAlchemy asks
        """Return a cursor; nothing happens yet."""
        return OneStepCursor(self)

    async def rollback(self) -> None:
        """Roll back, if there is anything to."""
        if self.in_transaction:
            await super().rollback()

    async def run(self, work: Callable[[sqlite3.Cursor], int]) -> "Outcome":
        """Let ``work`` execute something and return how many rows it changed; return all of it."""
        most_bytes = self._most_bytes

        def whole() -> Outcome:
            cursor = self._conn.cursor()
            try:
                changed = work(cursor)
                if most_bytes is not None:
                    rows = _fitting(cursor, most_bytes)
                else:
                    rows = cursor.fetchall() if cursor.description else []
                return rows, cursor.description, changed, cursor.lastrowid
            finally:
                cursor.close()

        outcome: Outcome = await self._execute(whole)  # type: ignore[no-untyped-call]
        return outcome


Outcome = tuple[Rows, Any, int, int | None]


class OneStepCursor:
    """What SQLAlchemy's adapter asks of an asynchronous cursor."""

    def __init__(self, connection: OneStepConnection) -> None:
        """Keep the connection; there is no result yet."""
        self._connection = connection
        self._rows: Rows = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: there is nothing to close."""

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement and fetch all of its rows."""
        run = self._connection.run
        self._keep(await run(lambda cursor: cursor.execute(sql, parameters).rowcount))

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run one statement with many sets of parameters; outside of a transaction, as one."""
        self._keep(await self._connection.run(lambda cursor: _all_of(cursor, sql, parameters)))

    async def fetchall(self) -> Rows:
        """Return the rows, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _keep(self, outcome: Outcome) -> None:
        self._rows, self.description, self.rowcount, self.lastrowid = outcome


def _fitting(cursor: sqlite3.Cursor, most_bytes: int) -> Rows:
    """Fetch rows until their last columns are too much; the rest is never read."""
    rows, left = list[Any](), most_bytes
    for row in cursor:
        left -= len(row[-1] or b"")
        if left < 0 and rows:
            rows.append((*row[:-1], None))
            break
        rows.append(row)
    return rows


def _all_of(cursor: sqlite3.Cursor, sql: str, parameters: Sequence[Sequence[Any]]) -> int:
    """Run a statement with each set of parameters; return how many rows it changed."""
    if cursor.connection.in_transaction:
        return _each_of(cursor, sql, parameters)
    cursor.connection.execute("BEGIN IMMEDIATE")
    with cursor.connection:  # commits, or rolls back
        return _each_of(cursor, sql, parameters)


def _each_of(cursor: sqlite3.Cursor, sql: str, parameters: Sequence[Sequence[Any]]) -> int:
    changed = whole = 0
    if len(parameters) >= _TOGETHER and (many := _together(sql)) is not None:
        whole = len(parameters) // _TOGETHER * _TOGETHER
        for at in range(0, whole, _TOGETHER):
            some = chain.from_iterable(parameters[at : at + _TOGETHER])
            changed += cursor.execute(many, tuple(some)).rowcount
    if rest := parameters[whole:]:
        changed += cursor.executemany(sql, rest).rowcount
    return changed


@lru_cache(maxsize=256)
def _together(sql: str) -> str | None:
    """Return an INSERT of one row as one of ``_TOGETHER``; None if it is something else."""
    if (found := _ONE_ROW.fullmatch(sql)) is None:
        return None
    before, row, after = found.groups()
    return f"{before}{', '.join([row] * _TOGETHER)}{after}"


async def connect(path: str) -> OneStepConnection:
    """Open a database file; transactions begin when somebody says BEGIN."""
    connection = OneStepConnection(
        lambda: sqlite3.connect(path, isolation_level=None), iter_chunk_size=64
    )
    connection._thread.daemon = True  # noqa: SLF001 - a crash must not hang at exit
    await connection
    return connection
