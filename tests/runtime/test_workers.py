"""Series are expanded in a process that is killed when over budget (F19)."""

import asyncio
import os
import time
from datetime import UTC, datetime

import pytest

from syncd.formats.expand import Expansion, Recurring, expand_series
from syncd.runtime.workers import BUDGET_SECONDS, ExpansionWorkers

AFTER, BEFORE = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
LIMIT = 2000


def series(rule: str, year: int = 2026) -> Recurring:
    start = datetime(year, 1, 1, 9, tzinfo=UTC)
    return Recurring(start=start, end=start.replace(hour=10), zone="UTC", recurrence=(rule,))


DAILY = series("RRULE:FREQ=DAILY")
REFUSED = series("RRULE:FREQ=SECONDLY")
COSTLY = series("RRULE:FREQ=DAILY;COUNT=10000;BYMONTH=1;BYMONTHDAY=1;BYDAY=MO", 1970)
FAR = datetime(9000, 1, 1, tzinfo=UTC)


async def test_the_answers_are_those_of_the_function_itself() -> None:
    workers = ExpansionWorkers()
    found = await workers([DAILY, REFUSED, DAILY], AFTER, BEFORE, LIMIT)
    assert list(found) == [
        expand_series(one, AFTER, BEFORE, LIMIT) for one in (DAILY, REFUSED, DAILY)
    ]
    assert found[1] is None
    await workers.close()


async def test_a_worker_is_reused() -> None:
    workers = ExpansionWorkers()
    await workers([DAILY], AFTER, BEFORE, LIMIT)
    begun = time.perf_counter()
    for _ in range(50):
        await workers([DAILY], AFTER, BEFORE, LIMIT)
    assert time.perf_counter() - begun < 2
    await workers.close()


async def test_a_rule_over_budget_is_ended_and_the_next_one_is_answered() -> None:
    workers = ExpansionWorkers()
    costly, daily = await workers([COSTLY, DAILY], AFTER, FAR, LIMIT)
    assert costly is None
    assert daily is not None
    assert len(daily.occurrences) == LIMIT
    await workers.close()


async def test_with_a_larger_budget_the_same_rule_is_answered() -> None:
    """The negative control: it is the budget that ended it."""
    workers = ExpansionWorkers(budget_seconds=20)
    begun = time.perf_counter()
    (found,) = await workers([COSTLY], AFTER, FAR, LIMIT)
    assert found is not None
    assert time.perf_counter() - begun > BUDGET_SECONDS
    await workers.close()


async def test_a_worker_that_dies_costs_one_answer() -> None:
    workers = ExpansionWorkers(at_once=1)
    await workers([DAILY], AFTER, BEFORE, LIMIT)
    worker = workers._free.get_nowait()
    workers._free.put_nowait(worker)
    assert worker._child is not None
    os.kill(worker._child.pid, 9)
    await worker._child.wait()
    first = await workers([DAILY, DAILY], AFTER, BEFORE, LIMIT)
    assert isinstance(first[-1], Expansion)
    await workers.close()


async def test_a_cancelled_question_does_not_answer_the_next_one() -> None:
    workers = ExpansionWorkers(at_once=1)
    await workers([DAILY], AFTER, BEFORE, LIMIT)
    task = asyncio.create_task(_ask(workers, COSTLY, FAR))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (found,) = await workers([DAILY], AFTER, BEFORE, LIMIT)
    assert found == expand_series(DAILY, AFTER, BEFORE, LIMIT)
    await workers.close()


async def test_the_loop_stays_free_while_a_rule_is_expanded() -> None:
    workers = ExpansionWorkers()
    await workers([DAILY], AFTER, BEFORE, LIMIT)
    task = asyncio.create_task(_ask(workers, COSTLY, FAR))
    worst = 0.0
    while not task.done():
        begun = time.perf_counter()
        await asyncio.sleep(0.005)
        worst = max(worst, time.perf_counter() - begun)
    assert worst < 0.1
    await workers.close()


async def _ask(workers: ExpansionWorkers, one: Recurring, before: datetime) -> None:
    await workers([one], AFTER, before, LIMIT)
