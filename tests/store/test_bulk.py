"""Many rows at once, as the driver takes them."""

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import ConflictError
from syncd.store.bulk import write_rows
from syncd.store.open import SqlStore
from syncd.store.tables import users

COLUMNS = ("user_id", "name", "created_at")


async def test_rows_in_another_order_than_the_columns_are_refused(store: SqlStore) -> None:
    async def work(connection: AsyncConnection) -> None:
        await write_rows(connection, insert(users), ("name", *COLUMNS[:1], "created_at"), [(1, 2)])

    with pytest.raises(ValueError, match="another order"):
        await store._database.write(work)


async def test_text_that_a_pattern_could_mistake_is_written_as_it_is(store: SqlStore) -> None:
    async def work(connection: AsyncConnection) -> None:
        rows = [("acc_1", "100 %s ? :name", 0), ("acc_2", "%(x)s", 1)]
        await write_rows(connection, insert(users), COLUMNS, rows)

    await store._database.write(work)
    read = await store._database.fetch(users.select().order_by(users.c.user_id))
    assert [row.name for row in read] == ["100 %s ? :name", "%(x)s"]


async def test_many_sets_of_parameters_are_written_all_or_none(store: SqlStore) -> None:
    """Also where one step into the thread is the whole transaction."""
    rows = [dict(zip(COLUMNS, (name, name, 0), strict=True)) for name in ("acc_1", "acc_1")]
    with pytest.raises(ConflictError):
        await store._database.put(insert(users), rows)
    assert await store._database.fetch(users.select()) == []
    await store._database.put(insert(users), [rows[0], {**rows[0], "user_id": "b", "name": "b"}])
    assert len(await store._database.fetch(users.select())) == 2
