"""Many rows through one step into SQLite's thread."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite

from syncd.store.bulk import _spelled
from syncd.store.onestep import OneStepConnection, _together, connect
from syncd.store.subscription_tables import deliveries
from syncd.store.upsert import _statement

INSERT = "INSERT INTO one (a, b) VALUES (?, ?)"
UPSERT = f"{INSERT} ON CONFLICT (a) DO UPDATE SET b = excluded.b"


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[OneStepConnection]:
    made = await connect(str(tmp_path / "db"))
    try:
        await ran(made, "CREATE TABLE one (a INTEGER PRIMARY KEY, b TEXT)")
        yield made
    finally:
        await made.close()


async def ran(connection: OneStepConnection, sql: str) -> list[Any]:
    cursor = connection.cursor()
    await cursor.execute(sql)
    return await cursor.fetchall()


async def many(connection: OneStepConnection, sql: str, rows: list[tuple[Any, ...]]) -> int:
    cursor = connection.cursor()
    await cursor.executemany(sql, rows)
    return cursor.rowcount


async def told(connection: OneStepConnection) -> list[str]:
    """Return the statements that are run from now on."""
    statements = list[str]()
    await connection.set_trace_callback(statements.append)
    return statements


@pytest.mark.parametrize("count", [1, 31, 32, 33, 64, 100])
@pytest.mark.parametrize("within", [True, False])
async def test_all_rows_are_written_and_counted(
    one: OneStepConnection, count: int, *, within: bool
) -> None:
    rows = [(number, str(number)) for number in range(count)]
    if within:
        await ran(one, "BEGIN IMMEDIATE")
    assert await many(one, INSERT, rows) == count
    twice = [*rows, *[(number, f"again {number}") for number in range(count)]]
    statements = await told(one)
    assert await many(one, UPSERT, twice) == 2 * count
    inserts = [sql for sql in statements if sql.startswith("INSERT")]
    assert len(inserts) == 2 * count // 32 + 2 * count % 32
    if within:
        await ran(one, "COMMIT")
    assert await ran(one, "SELECT a, b FROM one ORDER BY a") == twice[count:]


async def test_one_that_is_refused_leaves_nothing_of_the_others(one: OneStepConnection) -> None:
    rows = [(number, "") for number in range(70)]
    for wrong in (10, 69):
        with pytest.raises(sqlite3.IntegrityError):
            await many(one, INSERT, [*rows[:wrong], (0, "twice"), *rows[wrong:]])
        assert await ran(one, "SELECT count(*) FROM one") == [(0,)]
        assert not one.in_transaction


@pytest.mark.parametrize(
    ("sql", "changed"),
    [
        ("UPDATE one SET b = ? WHERE a = ?", 40),
        ("INSERT INTO one (b, a) VALUES (?, ? + 1000)", 40),
        ("INSERT INTO one (b, a) SELECT ?, ? + 1000", 40),
        ("DELETE FROM one WHERE b = ? AND a = ?", 0),
    ],
)
async def test_what_is_no_plain_insert_runs_as_it_is(
    one: OneStepConnection, sql: str, changed: int
) -> None:
    await many(one, INSERT, [(number, "") for number in range(40)])
    statements = await told(one)
    assert await many(one, sql, [("x", number) for number in range(40)]) == changed
    assert len([each for each in statements if each.startswith(sql[:6])]) == 40


def test_what_is_noted_of_deliveries_goes_together() -> None:
    """Or each message of a burst costs a twentieth more, and nothing tells."""
    columns = tuple(column.name for column in deliveries.columns)
    statement = _statement(deliveries, "sqlite", columns[1:], None)
    text = _together(_spelled(statement, columns, columns, SQLiteDialect_aiosqlite()))
    assert text is not None
    assert text.count("?") == 32 * len(columns)
