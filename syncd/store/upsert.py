"""INSERT … ON CONFLICT (primary key) DO UPDATE, which both databases spell alike."""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Spoken = sqlite.Insert | postgresql.Insert


def upsert(table: Table, connection: AsyncConnection) -> Insert:
    """Return a statement that writes whole rows, whether or not they are there."""
    rest = tuple(column.name for column in table.columns if not column.primary_key)
    return _statement(table, connection.dialect.name, rest, None)


def count_up(table: Table, connection: AsyncConnection, *, also: str) -> Insert:
    """Return a statement that adds rows, or the new ``times`` to theirs, and rewrites ``also``."""
    return _statement(table, connection.dialect.name, (also,), "times")


@cache
def insert_new(table: Table, dialect: str) -> Insert:
    """Return a statement that writes rows whose keys are new, and leaves the others alone."""
    lite = dialect == "sqlite"
    statement: Spoken = sqlite.insert(table) if lite else postgresql.insert(table)
    return statement.on_conflict_do_nothing()


@cache
def _statement(table: Table, dialect: str, replaced: tuple[str, ...], added: str | None) -> Insert:
    """Built once: a statement that is kept keeps its compiled form."""
    lite = dialect == "sqlite"
    statement: Spoken = sqlite.insert(table) if lite else postgresql.insert(table)
    new: dict[str, ColumnElement[Any]] = {name: statement.excluded[name] for name in replaced}
    if added is not None:
        new[added] = table.c[added] + statement.excluded[added]
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(index_elements=keys, set_=new)
