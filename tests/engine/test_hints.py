"""Providers that call: what a call does, and that nothing depends on it (P16, F40)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from syncd.model.errors import (
    NotFoundError,
    TransientError,
)
from tests.engine.calling import (
    HOME,
    MINUTE,
    PLAN,
    SECOND,
    WORK,
    calling,
    channels,
    hear,
    next_in,
    rests,
    run_until,
    settled,
)
from tests.engine.ground import Ground, event, ground
from tests.fakes.pushing import Call


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    async with calling(tmp_path) as one:
        yield one


async def test_a_channel_that_has_never_called_relieves_nothing(here: Ground) -> None:
    """Whoever cannot reach us must not make us look less often."""
    for _ in range(3):
        assert await next_in(here) == MINUTE
        await here.poll()
    assert len(here.server.callers.wishes) == 1


async def test_a_channel_that_calls_lets_its_calendar_be_looked_at_less_often(here: Ground) -> None:
    await settled(here)
    assert await rests(here)
    reads = len(here.server.reads)
    await here.poll(after=5 * MINUTE)
    assert len(here.server.reads) == reads
    await here.poll(after=5 * MINUTE)
    assert await rests(here)


async def test_a_provider_that_has_shown_that_it_reaches_us_need_not_call_first(
    tmp_path: Path,
) -> None:
    """MG16: by its handshake. What changed until the channel was open is looked for at once."""
    async with ground(tmp_path, plan=PLAN) as here:
        here.server.can = replace(here.server.can, push=True)
        here.server.callers.reaches, here.server.callers.takes = True, SECOND
        here.server.add(WORK).put("a.ics", event("First"))
        await here.poll()
        assert await next_in(here) == timedelta()
        await here.poll(after=SECOND)
        assert await rests(here)


async def test_a_call_means_poll_now(here: Ground) -> None:
    await settled(here)
    here.server.calendars[WORK].put("b.ics", event("Second"))
    await hear(here, *here.server.callers.calls(here.server.calendars))
    assert await next_in(here) == timedelta()
    polled = await here.poll(after=SECOND)
    assert polled.activities == 1
    assert await rests(here)


async def test_a_call_has_its_own_calendar_read_and_no_other(tmp_path: Path) -> None:
    async with calling(tmp_path, WORK, HOME) as here:
        await settled(here)
        here.server.calendars[WORK].put("b.ics", event("Second"))
        here.server.calendars[HOME].put("b.ics", event("Unheard"))
        work = next(one for one in here.server.callers.promises.values() if one.calendar == WORK)
        secret = work.wish.secret.reveal()
        await hear(here, Call(channel=work.wish.id, secret=secret))
        await here.poll(after=SECOND)
        assert (await here.told())[-1] == "add event Second"
        await here.poll(after=10 * MINUTE)
        assert (await here.told())[-1] == "add event Unheard"


async def test_a_poll_that_is_asked_for_looks_at_everything(here: Ground) -> None:
    await settled(here)
    here.server.calendars[WORK].put("b.ics", event("Second"))
    assert (await here.poll(listing=True, after=SECOND)).activities == 1


async def test_many_calls_are_one_poll_and_one_after_the_window(here: Ground) -> None:
    """P16: at most once in 5 s; a later call is not lost."""
    await settled(here)
    here.clock.advance(MINUTE)
    one, now = next(here.server.callers.first_calls()), here.clock.now()
    await hear(here, one, one, one)
    assert (await here.profile()).next_poll_at == now
    assert (await channels(here))[0].hinted_at == now + 5 * SECOND
    await here.poll(after=SECOND)
    assert (await here.profile()).next_poll_at == now + 5 * SECOND
    await hear(here, one)
    await here.poll(after=4 * SECOND)
    assert (await here.profile()).next_poll_at != now + 5 * SECOND
    assert here.meter.counts["pushes_total"] == 5


async def test_a_call_while_a_poll_runs_is_answered_by_another(here: Ground) -> None:
    await settled(here)
    here.clock.advance(10 * MINUTE)

    async def edited_behind_the_page() -> None:
        here.server.faults.looking = None
        here.clock.advance(SECOND)
        here.server.calendars[WORK].put("b.ics", event("Late"))
        await hear(here, list(here.server.callers.calls(here.server.calendars))[-1])
        here.clock.advance(SECOND)

    here.server.calendars[WORK].put("c.ics", event("Early"))
    here.server.faults.looking = edited_behind_the_page
    await here.poll(after=timedelta())
    assert (await here.told())[-1] == "add event Early"
    assert await next_in(here) == -SECOND
    await here.poll(after=timedelta())
    assert (await here.told())[-1] == "add event Late"


async def test_a_change_that_no_call_told_of_takes_the_relief_away(here: Ground) -> None:
    """F40: it has stopped silently; the next call gives it back."""
    await settled(here)
    here.server.calendars[WORK].put("b.ics", event("Second"))
    await here.poll(after=10 * MINUTE)
    assert (await channels(here))[0].heard_at is None
    assert await next_in(here) == MINUTE
    await settled(here)
    assert await rests(here)


async def test_a_call_with_a_wrong_secret_is_refused_and_counted(here: Ground) -> None:
    await settled(here)
    one, before = next(here.server.callers.first_calls()), await next_in(here)
    for wrong in (replace(one, secret=one.secret[1:]), replace(one, channel="x")):
        with pytest.raises(NotFoundError):
            await hear(here, wrong)
    assert await next_in(here) == before
    assert here.meter.counts["pushes_total"] == 3


async def test_a_profile_that_fails_is_looked_at_whole(tmp_path: Path) -> None:
    """I11: a poll that asks nothing proves nothing."""
    async with calling(tmp_path, WORK, HOME) as here:
        await settled(here)
        here.server.calendars[WORK].put("b.ics", event("Second"))
        await hear(here, *here.server.callers.calls(here.server.calendars))
        here.server.faults.reading = TransientError("503")
        await here.poll(after=SECOND)
        assert (await here.profile()).failures == 1
        here.server.faults.reading = None
        here.server.calendars[HOME].put("c.ics", event("Third"))
        assert (await here.poll(after=SECOND)).activities == 2


async def test_a_calendar_that_fails_is_not_left_at_leisure(tmp_path: Path) -> None:
    async with calling(tmp_path, WORK, HOME) as here:
        await settled(here)
        for key in (WORK, HOME):
            here.server.calendars[key].put("b.ics", event(f"Second {key}"))
        here.server.faults.hidden.add(HOME)
        await here.poll(after=10 * MINUTE)
        assert not await rests(here)
        here.server.faults.hidden.clear()
        await here.poll(after=15 * MINUTE)
        assert {f"add event Second {key}" for key in (WORK, HOME)} <= set(await here.told())


async def test_a_back_off_is_not_shortened_by_a_call(here: Ground) -> None:
    await settled(here)
    here.server.calendars[WORK].put("b.ics", event("Second"))
    here.server.faults.reading = TransientError("429", retry_after=20 * MINUTE)
    await here.poll(after=11 * MINUTE)
    waits = await next_in(here)
    assert waits >= 20 * MINUTE
    await hear(here, next(here.server.callers.first_calls()))
    assert await next_in(here) == waits


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("fate", ["kept", "dropped", "doubled", "shuffled", "mixed"])
async def test_whatever_becomes_of_calls_the_activities_are_the_same(
    tmp_path: Path, fate: str, seed: int
) -> None:
    """F40: drop, double, reorder all pushes: the same activities, later."""
    random = Random(f"{fate} {seed}")  # noqa: S311 - a seed that can be repeated
    async with calling(tmp_path, WORK, HOME) as here:
        await settled(here)
        written, held = list[str](), list[Call]()
        for number in range(30):
            key = random.choice([WORK, HOME])
            here.server.calendars[key].put(f"{number}.ics", event(f"E{number}", uid=f"u{number}"))
            written.append(f"add event E{number}")
            held += here.server.callers.calls(here.server.calendars)
            held = await _deliver(here, held, fate, random)
            await run_until(here, here.clock.now() + random.uniform(0, 120) * SECOND)
        await run_until(here, here.clock.now() + PLAN.pushed_interval * 1.1 + MINUTE)
        told = [one for one in await here.told() if one.startswith("add event E")]
        assert sorted(told) == sorted(written)
        assert len(set(told)) == len(told)


async def _deliver(here: Ground, held: list[Call], fate: str, random: Random) -> list[Call]:
    """Do to calls what the network may; return those that are still on their way."""
    doing = random.choice(["kept", "dropped", "doubled", "shuffled"]) if fate == "mixed" else fate
    if doing == "dropped":
        return []
    if doing == "shuffled" and random.random() < 0.7:
        return held
    random.shuffle(held)
    await hear(here, *held, *(held if doing == "doubled" else []))
    return []
