"""Schema versions (style.md §2: no start when rolled back too far)."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text, update
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.engine.interfaces import ReflectedIndex
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.claim import Claim
from syncd.model.errors import MisconfiguredError
from syncd.store import migrate
from syncd.store.open import SqlStore
from syncd.store.tables import CommitOrder, installations, metadata, objects
from tests.store.opening import opened

MIGRATIONS = Path(migrate.__file__).with_name("migrations")


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


async def test_a_fresh_schema_equals_the_migrated_one(store: SqlStore) -> None:
    """Both ways: what alembic compares, and what the database itself says."""

    def compare(connection: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
        def ours(one: Any, _: str | None, kind: str, *__: object) -> bool:  # noqa: ANN401 - alembic's
            condition = one._ddl_if if kind == "index" else None
            return condition is None or condition.dialect == connection.dialect.name

        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, metadata) == []
        migrated = schema(connection)
        metadata.drop_all(connection)
        assert schema(connection) == {}
        metadata.create_all(connection)
        return migrated, schema(connection)

    async def work(connection: AsyncConnection) -> None:
        migrated, fresh = await connection.run_sync(compare)
        assert len(migrated) == len(metadata.tables)
        assert migrated == fresh
        await connection.rollback()

    await store._database.write(work)


def test_revisions_are_numbered_and_the_last_is_ours() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    script = ScriptDirectory.from_config(config)
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


async def test_a_migration_that_fails_leaves_nothing_and_can_be_repeated(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = migrate.upgrade

    def break_at_the_end(connection: Connection) -> None:
        plain(connection)
        raise RuntimeError("power failed")

    monkeypatch.setattr(migrate, "upgrade", break_at_the_end)
    with pytest.raises(RuntimeError, match="power failed"):
        async with opened(address, state_dir=tmp_path):
            pass
    monkeypatch.undo()
    async with opened(address, state_dir=tmp_path) as store:
        assert await store.check() == []


async def test_an_older_schema_is_brought_up(address: str, tmp_path: Path) -> None:
    """As far as one revision can show: the version is followed, not the presence of tables."""
    async with opened(address, state_dir=tmp_path) as store:
        await pretend(store, schema_version=0, oldest_schema=0)
    async with opened(address, state_dir=tmp_path) as store:
        rows = await store._database.fetch(text("SELECT schema_version FROM installations"))
        assert rows[0][0] == migrate.VERSION


async def test_events_of_the_first_schema_are_asked_what_they_claim(store: SqlStore) -> None:
    """Revision 2: nothing is guessed about rows that are there, and long ones are found."""
    month = 31 * 24 * 60 * 60 * 1000
    spans = {"short": month, "long": month + 1, "endless": None}

    def old_and_new(connection: Connection) -> dict[str, tuple[int, bool]]:
        metadata.drop_all(connection)
        connection.execute(text("DELETE FROM alembic_version"))
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(config, "0001")
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
