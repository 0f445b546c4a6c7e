"""How many statements the frequent things cost: a no-change poll must be cheap."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from syncd.model.activity import Filter
from syncd.model.ids import EventId, Position, ResourceKey
from syncd.model.subscription import Outcome
from syncd.ports.store.profiles import PollNote
from syncd.ports.store.snapshots import Window
from syncd.ports.store.subscriptions import Note
from syncd.ports.vault import PASSWORD
from syncd.store.open import SqlStore
from tests.contract.test_subscriptions import a_note, a_step, a_subscription, an_attempt
from tests.store.opening import NOON, counted, opened
from tests.store.samples import a_page, a_record, with_calendar, with_profile

SORTED_AGAIN = {"ix_objects_span", "ix_objects_lasting"}  # the keys of their own page


async def drained(pages: AsyncIterator[object]) -> list[object]:
    return [page async for page in pages]


async def test_a_page_of_a_thousand_activities_is_one_statement(store: SqlStore) -> None:
    """S6: head and rows from one snapshot."""
    calendar = await with_calendar(store)
    page = a_page(calendar, [f"/{number}" for number in range(1000)])
    await store.record(calendar, page, generation=1)
    with counted(store) as statements:
        _, read, _ = await store.read(
            calendar.profile_id, after=Position(0), limit=1000, wanted=Filter()
        )
    assert len(read) == 1000
    assert len(statements) == 1


async def test_what_a_poll_without_changes_needs_is_one_statement_each(store: SqlStore) -> None:
    calendar = await with_calendar(store)
    with counted(store) as statements:
        note = PollNote(profile_id=calendar.profile_id, generation=1, next_poll_at=NOON)
        await store.note_polls([note])
        await store.due(NOON, limit=10)
        await store.calendars(calendar.profile_id)
        await store.sealed(calendar.profile_id, PASSWORD)
        await store.sealed(calendar.profile_id, PASSWORD)
    held = 1 if store._database.is_sqlite else 3  # the only writer keeps what it has read
    told = [sql.split()[0] for sql, _ in statements]
    assert told == ["UPDATE", "SELECT", *["SELECT"] * held]


async def test_a_page_of_any_size_costs_the_same_statements(store: SqlStore) -> None:
    """Rows go in batches; what is not there costs nothing."""
    calendar = await with_calendar(store)
    counts = []
    for size in (1, 500):
        with counted(store) as statements:
            page = a_page(calendar, [f"/{size}/{number}" for number in range(size)])
            calendar = await store.record(calendar, page, generation=1)
        counts.append(len([sql for sql, _ in statements if "BEGIN" not in sql]))
    told = 0 if store._database.is_sqlite else 1  # NOTIFY
    assert counts == [5 + told, 5 + told]


async def test_what_grows_is_read_along_an_index(tmp_path: Path) -> None:
    """On SQLite: PostgreSQL plans by what it has counted, and here is nothing to count."""
    async with opened(tmp_path) as store:
        calendar = await with_calendar(store)
        window = Window(calendars=(calendar.id,), after=NOON, before=NOON)
        reads: dict[str, Callable[[], Awaitable[object]]] = {
            "ix_profiles_pollable_next_poll_at": lambda: store.due(NOON, limit=10),
            "ix_objects_span": (lambda: store.events(window)),
            "ix_objects_lasting": lambda: store.events(replace(window, lasting=True)),
            "COVERING INDEX ix_objects_span": lambda: drained(
                store.taken([calendar.id], NOON, NOON)
            ),
            "ix_objects_calendar_id_series_id": (
                lambda: store.altered([(calendar.id, EventId("one"))])
            ),
            "ix_objects_calendar_id_resource_key": (
                lambda: store.seen(calendar.id, [ResourceKey("/cal/1")])
            ),
            "sqlite_autoindex_activities_1": (
                lambda: store.read(
                    calendar.profile_id, after=Position(0), limit=10, wanted=Filter()
                )
            ),
        }
        reads |= {
            "USING INDEX ix_deliveries_subscription_id_outcome_delivery_id": (
                lambda: store.next_replay("whk_a", now=NOON)
            ),
            "ix_deliveries_subscription_id_outcome_delivery_id": (
                lambda: store.deliveries("whk_a", outcome=Outcome.FAILED)
            ),
            "ix_deliveries_subscription_id_delivery_id": (
                lambda: store.deliveries("whk_a", outcome=Outcome.DELIVERED)
            ),
        }
        for index, read in reads.items():
            with counted(store) as statements:
                await read()
            async with store._database._reader.connect() as connection:
                ((sql, parameters),) = statements
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
                steps = [row.detail for row in plan]
            assert [step for step in steps if index in step]
            assert not [step for step in steps if step.startswith("SCAN") and "anon" not in step]
            if index not in SORTED_AGAIN:
                assert not [step for step in steps if "TEMP B-TREE" in step]


async def test_a_wake_is_one_statement_and_notes_of_many_are_three(store: SqlStore) -> None:
    """Whatever the number of webhooks; a fourth looks which have ended, where one has."""
    profile = await with_profile(store)
    names = [f"whk_{number}" for number in range(5)]
    for name in names:
        await store.add_subscription(a_subscription(name), at=None, beginning=False)
    await store.save_profile(profile, records=[a_record()] * 3)
    with counted(store) as statements:
        found = await store.subscribers(profile.id)
    assert {one.subscription.id for one in found} == set(names)
    assert len(statements) == 1
    notes = [
        a_note(an_attempt(1, id=name, subscription_id=name), step=a_step(1, 2)) for name in names
    ]
    await store.note_deliveries([Note(subscription_id=name, step=a_step(0, 1)) for name in names])
    with counted(store) as statements:
        await store.note_deliveries(notes)
    told = [sql.split()[0] for sql, _ in statements if not sql.startswith("BEGIN")]
    assert told == ["UPDATE", "UPDATE", "INSERT"]
