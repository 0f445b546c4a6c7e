"""Whose rounds they are: taken when nobody else does them, left when the database is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from syncd.model.errors import TransientError
from syncd.runtime import daemon
from syncd.runtime.clock import SystemClock
from syncd.runtime.metrics import Metrics
from syncd.runtime.rounds import Rounds


class Hurried(SystemClock):
    async def sleep(self, duration: timedelta) -> None:
        del duration
        await asyncio.sleep(0)


class Database:
    """Answers each ``duty`` by the next word: ``theirs``, ``mine``, ``lost`` (soon), ``away``."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)
        self.over = asyncio.Event()

    @asynccontextmanager
    async def duty(self) -> AsyncIterator[Callable[[], Awaitable[None]] | None]:
        word = self.words.pop(0) if self.words else "mine"
        if word == "away":
            raise TransientError("the database does not answer")

        async def still() -> None:
            if word == "lost":
                raise TransientError("the database ended the connection")
            self.over.set()

        yield None if word == "theirs" else still


class Deliverer:
    def __init__(self) -> None:
        self.told = list[str]()

    async def rest(self) -> None:
        self.told.append("rest")

    def resume(self) -> None:
        self.told.append("resume")


async def test_they_are_taken_left_and_taken_again() -> None:
    database, deliverer = Database("theirs", "lost", "away", "away", "theirs"), Deliverer()
    rounds = Rounds(database, deliverer, Hurried(), Metrics())  # type: ignore[arg-type]  # all that is asked
    with capture_logs() as logs:
        task = asyncio.create_task(rounds.take())
        await asyncio.wait_for(database.over.wait(), 10)
        assert rounds.here
        rounds.look_again()
        task.cancel()
        await asyncio.wait({task})
    assert deliverer.told == ["rest", "resume", "rest", "resume", "resume"]
    assert [line["event"] for line in logs] == [
        "rounds.taken",
        "rounds.interrupted",  # once, however long it lasts
        "rounds.taken",
    ]


async def test_who_rests_is_not_woken_by_missed_news() -> None:
    database, deliverer = Database(*["theirs"] * 100), Deliverer()
    rounds = Rounds(database, deliverer, Hurried(), Metrics())  # type: ignore[arg-type]  # all that is asked
    task = asyncio.create_task(rounds.take())
    await asyncio.sleep(0)
    rounds.look_again()
    task.cancel()
    await asyncio.wait({task})
    assert deliverer.told == ["rest"]


@pytest.mark.parametrize("here", [True, False])
@pytest.mark.parametrize("job", ["_tick", "_prune", "_keep_alive"])
async def test_only_whose_rounds_they_are_does_them(job: str, here: bool) -> None:  # noqa: FBT001
    done = list[str]()

    async def do() -> None:
        done.append(job)

    core = SimpleNamespace(
        rounds=SimpleNamespace(here=here),
        vitals=SimpleNamespace(roomy=True),
        ticker=SimpleNamespace(tick=do),
        pruner=SimpleNamespace(prune=do),
        idle=SimpleNamespace(keep_alive=do),
    )
    await getattr(daemon, job)(core)
    assert done == ([job] if here else [])
