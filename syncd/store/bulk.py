"""Many rows of one table at once, handed to the driver as they are.

For each value of each row SQLAlchemy would ask what it is and how it is to be bound, which takes
longer than SQLite needs to store it. What types do to values is here the caller's matter.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Dialect, Insert
from sqlalchemy.ext.asyncio import AsyncConnection


async def write_rows(
    connection: AsyncConnection,
    statement: Insert,
    columns: tuple[str, ...],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Run a statement that inserts whole rows; each row has its values in order of ``columns``."""
    if rows:
        text = _spelled(statement, columns, connection.dialect)
        await connection.exec_driver_sql(text, list(rows))


@cache
def _spelled(statement: Insert, columns: tuple[str, ...], dialect: Dialect) -> str:
    """Return the statement with its parameters by place, in order of ``columns``."""
    style = "qmark" if dialect.name == "sqlite" else "format"
    by_place = type(dialect)(paramstyle=style)  # type: ignore[call-arg]  # every driver's takes it
    compiled = statement.compile(dialect=by_place, column_keys=list(columns))
    if tuple(compiled.positiontup or ()) != columns:
        raise ValueError(f"rows of {statement.table} are given in another order than its columns")
    return str(compiled)
