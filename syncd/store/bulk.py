"""Many rows of one table at once, handed to the driver as they are.

For each value of each row SQLAlchemy would ask what it is and how it is to be bound, which takes
longer than SQLite needs to store it. What types do to values is here the caller's matter.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Dialect, Insert, Update
from sqlalchemy.ext.asyncio import AsyncConnection


async def write_rows(
    connection: AsyncConnection,
    statement: Insert,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Run a statement that inserts whole rows; each row has its values in order of ``columns``."""
    if rows:
        text = _spelled(statement, columns, columns, connection.dialect)
        await connection.exec_driver_sql(text, list(rows))


async def change_rows(
    connection: AsyncConnection,
    statement: Update,
    names: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> int:
    """Run a statement once a row, with values in order of its parameters' ``names``.

    A parameter that the statement has twice is named twice. Returns how many rows were changed.
    """
    if not rows:
        return 0
    text = _spelled(statement, names, None, connection.dialect)
    return (await connection.exec_driver_sql(text, list(rows))).rowcount


@cache
def _spelled(
    statement: Insert | Update,
    names: tuple[str, ...],
    columns: tuple[str, ...] | None,
    dialect: Dialect,
) -> str:
    """Return the statement with its parameters by place, in order of ``names``."""
    style = "qmark" if dialect.name == "sqlite" else "format"
    by_place = type(dialect)(paramstyle=style)  # type: ignore[call-arg]  # every driver's takes it
    keys = None if columns is None else list(columns)
    compiled = statement.compile(dialect=by_place, column_keys=keys)
    if tuple(compiled.positiontup or ()) != names:
        raise ValueError(f"rows of {statement.table} are given in another order than its columns")
    return str(compiled)
