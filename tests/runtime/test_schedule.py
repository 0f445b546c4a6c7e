"""Ticks: one at a time, late ones made up for once (F39, design decision 2)."""

import asyncio
import time
from datetime import timedelta

import pytest

from syncd.runtime.clock import SystemClock
from syncd.runtime.schedule import Schedule

OFTEN = timedelta(milliseconds=50)


async def test_a_tick_that_takes_long_is_never_run_twice_at_once() -> None:
    running, most, runs = 0, 0, 0

    async def tick() -> None:
        nonlocal running, most, runs
        running, runs = running + 1, runs + 1
        most = max(most, running)
        await asyncio.sleep(0.12)
        running -= 1

    schedule = Schedule(SystemClock())
    schedule.every(OFTEN, tick, name="tick")
    schedule.start()
    await asyncio.sleep(0.6)
    schedule.stop()
    await asyncio.sleep(0.15)
    assert most == 1
    assert 2 <= runs <= 6


async def test_a_late_tick_runs_all_the_same() -> None:
    """APScheduler's default drops runs that are more than a second late, silently (F39)."""
    runs = 0

    async def tick() -> None:
        nonlocal runs
        runs += 1

    schedule = Schedule(SystemClock())
    schedule.every(timedelta(seconds=0.3), tick, name="tick")
    schedule.start()
    time.sleep(1.6)  # noqa: ASYNC251 - a loop that was blocked past the run
    await asyncio.sleep(0.1)
    schedule.stop()
    assert runs == 1


async def test_a_tick_that_fails_does_not_end_the_schedule() -> None:
    runs = 0

    async def tick() -> None:
        nonlocal runs
        runs += 1
        raise RuntimeError("a fault")

    schedule = Schedule(SystemClock())
    schedule.every(OFTEN, tick, name="tick")
    schedule.start()
    await asyncio.sleep(0.3)
    schedule.stop()
    assert runs >= 2


async def test_a_tick_that_a_stop_cancels_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Or each restart would leave a traceback in the log, of what is no fault."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def tick() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    schedule = Schedule(SystemClock())
    schedule.every(OFTEN, tick, name="tick")
    schedule.start()
    await begun.wait()
    schedule.stop()
    await ended.wait()
    await asyncio.sleep(0.05)
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == []


async def test_the_schedule_proves_that_it_runs() -> None:
    clock = SystemClock()
    schedule = Schedule(clock)
    schedule.start()
    await asyncio.sleep(1.2)
    schedule.stop()
    assert clock.monotonic() - (schedule.beat_at or 0) < 1.2
