"""What was promised survives a loss of power (I15, F34): the store's own statements, replayed.

They are recorded where the store gives them to SQLite, and given once more to a SQLite whose disk
loses its power at some write (``power.py``). What is found there afterwards is opened by the usual
SQLite and compared, whole, with what the same statements make on a disk that never fails.
"""

import os
import random
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import apsw
import pytest

from syncd.model.errors import StaleStateError
from syncd.store.database import _EVERYWHERE, _WRITER
from syncd.store.open import SqlStore
from tests.store.opening import opened
from tests.store.power import Drive, PowerLostError, on_drive, state
from tests.store.samples import a_page, with_calendar

SEEDS = 1000 if os.environ.get("SYNCD_TESTS") == "nightly" else 20
PROMISED = (*_WRITER[1:], *_EVERYWHERE)
CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)"

pytestmark = pytest.mark.timeout(120 if SEEDS < 1000 else 1800)


@dataclass(frozen=True, kw_only=True)
class Story:
    """What a store said to SQLite, from a file on, and what is true after each word."""

    start: Path
    statements: Sequence[str] = field(repr=False)  # pytest shows its fixtures
    states: Sequence[str] = field(repr=False)  # one more: the first is that before any statement


@pytest.fixture
async def story(tmp_path: Path) -> Story:
    """Let a store live for a while: pages of several sizes, deletes, notes, a stale poll."""
    said = list[str]()
    start = tmp_path / "start.db"
    async with opened(tmp_path) as store:
        calendar = await with_calendar(store)
        await _listen(store, said, start, tmp_path / "syncd.db")
        for page in range(30):
            keys = [f"/cal/{page}-{number}" for number in range(1 + page % 7 * 5)]
            calendar = await store.record(calendar, a_page(calendar, keys), generation=1)
            if page % 9 == 5:
                stale = a_page(calendar, ["/cal/stale"])
                with pytest.raises(StaleStateError):
                    await store.record(calendar, stale, generation=7)
            if page % 11 == 7:
                await store._database._truncate(wait_ms=0)
    return Story(start=start, statements=said, states=_states(start, said, tmp_path))


async def _listen(store: SqlStore, said: list[str], start: Path, database: Path) -> None:
    """Note every statement of the writer from here on; ``start`` is the file as it is now."""
    async with store._database._writer.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        await raw.execute(CHECKPOINT)
        shutil.copy(database, start)
        await raw.set_trace_callback(said.append)


def _states(start: Path, said: Sequence[str], folder: Path) -> Sequence[str]:
    """Return what another connection finds after each statement."""
    steady = folder / "steady.db"
    shutil.copy(start, steady)
    found = [state(steady)]
    with closing(sqlite3.connect(steady, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        for sql in said:
            connection.execute(sql).fetchall()
            written = sql.startswith("COMMIT") or not connection.in_transaction
            found.append(state(steady) if written else found[-1])
    return found


def lose(story: Story, folder: Path, drive: Drive, seed: int, pragmas: Sequence[str]) -> int:
    """Replay until the power goes; return how many statements were answered."""
    folder.mkdir()
    database = folder / "syncd.db"
    shutil.copy(story.start, database)
    answered = 0
    try:
        with on_drive(database, drive, seed) as connection:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}").fetchall()
            for sql in story.statements:
                connection.execute(sql).fetchall()
                answered += 1
    except (PowerLostError, apsw.Error):
        assert drive.lost
    left = folder / "left"
    left.mkdir()
    drive.leave(left)
    return answered


def survives(story: Story, folder: Path, seed: int, pragmas: Sequence[str], writes: int) -> bool:
    """Tell whether what was answered is there after a loss, and nothing that was never said."""
    at = random.Random(seed).randrange(writes)  # noqa: S311 - of a test
    answered = lose(story, folder, drive := Drive(fails_at=at), seed, pragmas)
    assert drive.lost
    found = state(folder / "left" / "syncd.db")
    return found in story.states[answered : answered + 2]  # the last word may have got through


async def test_what_was_answered_survives_a_loss_of_power(story: Story, tmp_path: Path) -> None:
    whole = Drive()
    assert lose(story, tmp_path / "whole", whole, 0, PROMISED) == len(story.statements)
    assert state(tmp_path / "whole" / "left" / "syncd.db") == story.states[-1]
    for seed in range(SEEDS):
        kept = survives(story, tmp_path / str(seed), seed, PROMISED, whole.writes)
        assert kept, f"seed {seed}"
        shutil.rmtree(tmp_path / str(seed))


@pytest.mark.parametrize("laxer", ["synchronous=OFF", "synchronous=NORMAL"])
async def test_a_laxer_setting_loses_what_was_answered(
    story: Story, tmp_path: Path, laxer: str
) -> None:
    """The negative control: NORMAL falls back to the last checkpoint, OFF may damage the file."""
    pragmas = (*PROMISED, laxer)
    lose(story, tmp_path / "whole", whole := Drive(), 0, pragmas)
    lost = [
        seed
        for seed in range(20)
        if not survives(story, tmp_path / str(seed), seed, pragmas, whole.writes)
    ]
    assert len(lost) > 10
