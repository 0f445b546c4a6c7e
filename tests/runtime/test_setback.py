"""A wall clock that is set back takes the schedule along (F27, ADR 58)."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from syncd.model.errors import TransientError
from syncd.runtime.clock import SystemClock
from syncd.runtime.schedule import Schedule
from syncd.runtime.setback import watch_for_setbacks
from tests.fakes.clock import FakeClock

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


class Jumping(FakeClock):
    """Is set anew, by so much, in each of its first sleeps; ends whoever sleeps longer."""

    def __init__(self, *jumps: timedelta) -> None:
        super().__init__()
        self.jumps = list(jumps)

    async def sleep(self, duration: timedelta) -> None:
        if not self.jumps:
            raise asyncio.CancelledError
        self.advance(duration)
        self.jump(self.jumps.pop(0))


async def told(clock: FakeClock, faults: Sequence[bool] = ()) -> list[timedelta]:
    answers, found = list(faults), list[timedelta]()

    async def set_back(by: timedelta) -> None:
        found.append(by)
        if answers and answers.pop(0):
            raise TransientError("the database does not answer")

    with suppress(asyncio.CancelledError):
        await watch_for_setbacks(clock, set_back)
    return found


async def test_a_clock_that_is_set_back_is_noticed_once_and_forwards_is_no_setback() -> None:
    still = timedelta()
    assert await told(Jumping(still, -HOUR, still, still)) == [HOUR]
    assert await told(Jumping(HOUR, still, -3 * SECOND, still)) == [3 * SECOND]
    assert await told(Jumping(HOUR, still, -SECOND / 2, SECOND / 2)) == []


async def test_a_setback_that_could_not_be_written_is_written_later_with_what_came_since() -> None:
    still = timedelta()
    found = await told(Jumping(-HOUR, -HOUR, still, still), faults=[True, True])
    assert found == [HOUR, 2 * HOUR, 2 * HOUR]


async def test_jumps_of_more_than_half_a_minute_are_logged_both_ways() -> None:
    with capture_logs() as lines:
        await told(Jumping(HOUR, -HOUR, timedelta(seconds=29)))
    assert [(one["what"] if "what" in one else one["event"], one["seconds"]) for one in lines] == [
        ("clock.jumped", 3600),
        ("clock.jumped", -3600),
    ]


async def test_a_schedule_runs_on_by_a_clock_that_was_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """APScheduler waits for its own next times, which are of the wall clock."""
    behind, runs = timedelta(), 0

    class Wall(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
            return clock.now()

    class Clock(SystemClock):
        def now(self) -> datetime:
            return datetime.now(UTC) - behind

    async def tick() -> None:
        nonlocal runs
        runs += 1

    clock = Clock()
    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Wall)
    schedule = Schedule(clock)
    schedule.every(timedelta(milliseconds=50), tick, name="tick")
    schedule.start()
    await asyncio.sleep(0.2)
    behind = HOUR
    await asyncio.sleep(0.2)
    stood = runs
    await asyncio.sleep(0.2)
    assert runs == stood, "else there is nothing to mend"
    schedule.hurry()
    await asyncio.sleep(0.3)
    schedule.stop()
    assert runs >= stood + 3
