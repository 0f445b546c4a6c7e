"""Schema versions (style.md §2: no start when rolled back too far)."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect, select, text, update
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.engine.interfaces import ReflectedIndex
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.claim import Claim
from syncd.model.errors import MisconfiguredError
from syncd.store import migrate
from syncd.store.columns import CommitOrder
from syncd.store.open import SqlStore
from syncd.store.schema import metadata
from syncd.store.tables import installations, objects
from tests.store import opening
from tests.store.opening import rewind

opened = partial(opening.opened, copied=False)
ischema_names["xid8"] = CommitOrder  # so that it can be read back


def written(index: ReflectedIndex) -> str:
    """Return all of an index, with the text of its condition."""
    options = {name: str(one) for name, one in index["dialect_options"].items()}
    return repr({**index, "dialect_options": options})


def schema(connection: Connection) -> dict[str, Any]:
    """Return what a database says of its tables, in an order of our own."""
    found = inspect(connection)
    names = sorted(set(found.get_table_names()) - {"alembic_version"})
    return {
        name: {
            "columns": [
                (one["name"], str(one["type"]), one["nullable"], one["default"])
                for one in found.get_columns(name)
            ],
            "key": found.get_pk_constraint(name),
            "unique": sorted(map(repr, found.get_unique_constraints(name))),
            "indexes": sorted(map(written, found.get_indexes(name))),
            "foreign": sorted(map(repr, found.get_foreign_keys(name))),
        }
        for name in names
    }


async def test_a_fresh_schema_equals_the_migrated_one(address: str) -> None:
    """Both ways: what alembic compares, and what the database itself says (ADR 49)."""

    def compare(connection: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        made = schema(connection)
        assert differences(connection) == []
        rewind(connection, "base")
        assert schema(connection) == {}
        migrate.upgrade(connection)
        assert differences(connection) == []
        return made, schema(connection)

    async def work(connection: AsyncConnection) -> None:
        fresh, migrated = await connection.run_sync(compare)
        assert len(migrated) == len(metadata.tables)
        assert migrated == fresh
        await connection.rollback()

    async with opened(address) as store:
        await store._database.write(work)


def differences(connection: Connection) -> list[Any]:
    """Return what alembic finds between a database and our tables; it is at the newest revision."""

    def ours(one: Any, _: str | None, kind: str, *__: object) -> bool:  # noqa: ANN401 - alembic's
        condition = one._ddl_if if kind == "index" else None
        return condition is None or condition.dialect == connection.dialect.name

    context = MigrationContext.configure(connection, opts={"include_object": ours})
    assert context.get_current_revision() == f"{migrate.VERSION:04}"
    return list(compare_metadata(context, metadata))


async def test_a_new_store_says_which_schema_it_has(address: str, tmp_path: Path) -> None:
    """From its first start on, no revision is missing, and older programs can tell."""
    async with opened(address, state_dir=tmp_path) as store:
        assert await versions(store) == (migrate.VERSION, migrate.OLDEST)


async def versions(store: SqlStore) -> tuple[int, int]:
    columns = installations.c.schema_version, installations.c.oldest_schema
    ((version, oldest),) = await store._database.fetch(select(*columns))
    return version, oldest


def test_revisions_are_numbered_and_the_last_is_ours() -> None:
    script = ScriptDirectory(str(Path(migrate.__file__).with_name("migrations")))
    revisions = [one.revision for one in script.walk_revisions()]
    assert sorted(revisions) == [f"{number:04}" for number in range(1, migrate.VERSION + 1)]
    assert int(script.get_current_head() or 0) == migrate.VERSION
    assert migrate.OLDEST <= migrate.VERSION


async def pretend(store: SqlStore, **columns: int) -> None:
    """Make the database look as if another syncd had migrated it."""

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(update(installations).values(columns))

    await store._database.write(work)


async def test_a_program_that_is_too_old_does_not_start(address: str, tmp_path: Path) -> None:
    async with opened(address, state_dir=tmp_path) as store:
        await pretend(store, schema_version=99, oldest_schema=98)
    with pytest.raises(MisconfiguredError, match=r"at least 98.*install a newer syncd"):
        async with opened(address, state_dir=tmp_path):
            pass


async def test_a_rollback_that_does_no_harm_is_allowed(address: str, tmp_path: Path) -> None:
    async with opened(address, state_dir=tmp_path) as store:
        await pretend(store, schema_version=99, oldest_schema=migrate.VERSION)
    async with opened(address, state_dir=tmp_path) as store:
        rows = await store._database.fetch(select(installations.c.schema_version))
        assert rows[0][0] == 99
        assert await store.users() == []


@pytest.mark.parametrize("step", ["create", "upgrade"])
async def test_a_migration_that_fails_leaves_nothing_and_can_be_repeated(
    step: str, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if step == "upgrade":
        await of_the_first_schema(address, tmp_path)
    plain = getattr(migrate, step)

    def break_at_the_end(connection: Connection) -> None:
        plain(connection)
        raise RuntimeError("power failed")

    monkeypatch.setattr(migrate, step, break_at_the_end)
    with pytest.raises(RuntimeError, match="power failed"):
        async with opened(address, state_dir=tmp_path):
            pass
    monkeypatch.undo()
    async with opened(address, state_dir=tmp_path) as store:
        assert await versions(store) == (migrate.VERSION, migrate.OLDEST)
        assert await store.check() == []


async def of_the_first_schema(address: str, state_dir: Path) -> str:
    """Leave a store as the first program would have; return its installation."""

    def old(connection: Connection) -> str:
        kept = connection.execute(select(installations)).one()._asdict()
        rewind(connection, "0001")
        first = kept | {"schema_version": 1, "oldest_schema": 1}
        connection.execute(insert(installations).values(first))
        return str(kept["installation_id"])

    async with opened(address, state_dir=state_dir) as store:
        return await store._database.write(lambda connection: connection.run_sync(old))


async def test_an_older_schema_is_brought_up(address: str, tmp_path: Path) -> None:
    """From the first one, and the store is the one that it was."""
    old = await of_the_first_schema(address, tmp_path)
    async with opened(address, state_dir=tmp_path) as store:
        assert await versions(store) == (migrate.VERSION, migrate.OLDEST)
        ((kept,),) = await store._database.fetch(select(installations.c.installation_id))
        assert kept == old
        assert await store.users() == []


async def test_the_version_is_followed_not_the_presence_of_tables(
    address: str, tmp_path: Path
) -> None:
    async with opened(address, state_dir=tmp_path) as store:
        await pretend(store, schema_version=0, oldest_schema=0)
    async with opened(address, state_dir=tmp_path) as store:
        assert await versions(store) == (migrate.VERSION, migrate.OLDEST)


async def test_events_of_the_first_schema_are_asked_what_they_claim(store: SqlStore) -> None:
    """Revision 2: nothing is guessed about rows that are there, and long ones are found."""
    month = 31 * 24 * 60 * 60 * 1000
    spans = {"short": month, "long": month + 1, "endless": None}

    def old_and_new(connection: Connection) -> dict[str, tuple[int, bool]]:
        rewind(connection, "0001")
        for name, ends_at in {**spans, "series": 1}.items():
            values = {"name": name, "ends": ends_at, "series": name == "series", "none": b""}
            connection.execute(
                text(
                    "INSERT INTO objects (profile_id, object_id, calendar_id, resource_key, slot,"
                    " is_series, starts_at, ends_at, content, document)"
                    " VALUES (1, :name, 'cal', 'key', '', :series, 0, :ends, :none, :none)"
                ),
                values,
            )
        migrate.upgrade(connection)
        rows = connection.execute(select(objects.c.object_id, objects.c.claim, objects.c.lasting))
        return {row.object_id: (row.claim, row.lasting) for row in rows}

    async def work(connection: AsyncConnection) -> dict[str, tuple[int, bool]]:
        told = await connection.run_sync(old_and_new)
        await connection.rollback()
        return told

    assert await store._database.write(work) == {
        "short": (Claim.ASK, False),
        "long": (Claim.ASK, True),
        "endless": (Claim.ASK, True),
        "series": (Claim.ASK, True),
    }


async def test_two_daemons_that_start_at_once_make_one_store(address: str, tmp_path: Path) -> None:
    async def start() -> str:
        async with opened(address, state_dir=tmp_path) as store:
            rows = await store._database.fetch(select(installations.c.installation_id))
            (one,) = rows
            return str(one[0])

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(start()) for _ in range(2)]
    assert tasks[0].result() == tasks[1].result()
