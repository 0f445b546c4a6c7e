"""What counts as alive and as ready (api.md N23, S7, F35)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from syncd.api.parts import Check
from syncd.model.errors import TransientError
from syncd.ports.store.upkeep import Health
from syncd.runtime.metrics import Metrics
from syncd.runtime.schedule import Schedule
from syncd.runtime.vault import KeyRing
from syncd.runtime.vitals import Vitals, newer_wanted

WELL = Health(
    database="SQLite 3.51.3",
    writable=True,
    writer_wait=timedelta(),
    wal_bytes=0,
    free_bytes=10**10,
)


class Watch:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


class Store:
    """A store that is as well as told."""

    def __init__(self) -> None:
        self.told: Health | Exception = WELL

    async def health(self) -> Health:
        if isinstance(self.told, Exception):
            raise self.told
        return self.told


def made() -> tuple[Vitals, Store, Watch, Schedule]:
    store, watch = Store(), Watch()
    clock: Any = watch
    schedule = Schedule(clock)
    anything: Any = store
    vault = KeyRing({"a": bytes(32)})
    vitals = Vitals(anything, vault, clock, Metrics(), schedule)
    return vitals, store, watch, schedule


async def complaints(checks: Sequence[Check]) -> set[str]:
    return {check.name for check in checks if await check.ask() is not None}


async def test_with_everything_well_it_is_alive_and_ready() -> None:
    vitals, *_ = made()
    await vitals.look()
    assert await complaints(vitals.ready) == set()
    assert await complaints(vitals.live) == set()
    assert [check.name for check in vitals.ready][:5] == [
        *("store", "writer", "schedule", "disk", "vault")
    ]


async def test_before_the_store_has_answered_it_is_not_ready() -> None:
    vitals, *_ = made()
    assert "store" in await complaints(vitals.ready)


@pytest.mark.parametrize("still", ["loop", "writer", "schedule"])
async def test_one_of_three_standing_still_for_a_minute_is_not_alive(still: str) -> None:
    vitals, _, watch, schedule = made()
    watch.at += 61
    vitals.lag.beat_at = None if still == "loop" else watch.at
    schedule.beat_at = None if still == "schedule" else watch.at
    if still != "writer":
        await vitals.look()
    assert await complaints(vitals.live) == {still}
    assert not vitals.alive()


@pytest.mark.parametrize(
    ("health", "named"),
    [
        (replace(WELL, free_bytes=199_999_999), "disk"),
        (replace(WELL, wal_bytes=(64 << 20) + (1 << 20)), "disk"),
        (replace(WELL, writer_wait=timedelta(seconds=2)), "writer"),
        (replace(WELL, writable=False), "writer"),
    ],
)
async def test_a_store_in_trouble_is_not_ready_and_recovers(health: Health, named: str) -> None:
    vitals, store, *_ = made()
    store.told = health
    await vitals.look()
    assert named in await complaints(vitals.ready)
    store.told = WELL
    await vitals.look()
    assert await complaints(vitals.ready) == set()


async def test_below_200_mb_nothing_new_is_started() -> None:
    vitals, store, *_ = made()
    store.told = replace(WELL, free_bytes=100_000_000)
    await vitals.look()
    assert not vitals.roomy
    store.told = replace(WELL, free_bytes=None)
    await vitals.look()
    assert vitals.roomy


async def test_a_store_that_does_not_answer_is_told_once_and_its_return_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    vitals, store, *_ = made()
    told = list[str]()
    monkeypatch.setattr("syncd.runtime.vitals.log", Recorder(told))
    for answer in (WELL, TransientError("gone"), TransientError("gone"), WELL, WELL):
        store.told = answer
        await vitals.look()
    assert told == ["store.failing", "store.recovered"]
    assert caplog.records == []


async def test_a_draining_syncd_is_not_ready() -> None:
    vitals, *_ = made()
    await vitals.look()
    vitals.draining = True
    assert await complaints(vitals.ready) == {"draining"}


@pytest.mark.parametrize(
    ("database", "wanted"),
    [
        ("SQLite 3.40.1", "SQLite 3.51.3"),
        ("SQLite 3.51.2", "SQLite 3.51.3"),
        ("SQLite 3.51.3", None),
        ("SQLite 3.52.0", None),
        ("PostgreSQL 15.5 (Debian 15.5-0+deb12u1)", None),
    ],
)
def test_an_sqlite_that_may_lose_data_is_named(database: str, wanted: str | None) -> None:
    """F33."""
    assert newer_wanted(database) == wanted


class Recorder:
    """A logger that keeps the nouns."""

    def __init__(self, told: list[str]) -> None:
        self.told = told

    def info(self, what: str, **_: object) -> None:
        self.told.append(what)

    error = warning = info
