"""Providers that call: what a call does, and that nothing depends on it (P16, F40)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from syncd.engine.control import Control
from syncd.engine.hints import News
from syncd.engine.plan import Plan
from syncd.model.channel import Channel
from syncd.model.errors import (
    ForbiddenError,
    NotFoundError,
    RelinkRequiredError,
    TransientError,
    UnsupportedError,
)
from syncd.model.ids import CalendarKey
from syncd.model.profile import Profile
from tests.engine.ground import BASE, Ground, event, ground
from tests.fakes.pushing import Call

WORK, HOME = CalendarKey("/work/"), CalendarKey("/home/")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PLAN = Plan(default_interval=MINUTE, pushed_interval=10 * MINUTE)


@asynccontextmanager
async def calling(where: Path, *calendars: str) -> AsyncIterator[Ground]:
    """Yield a profile whose provider calls; its calendars were read, and have channels."""
    async with ground(where, plan=PLAN) as here:
        here.server.can = replace(here.server.can, push=True)
        for key in calendars or (WORK,):
            here.server.add(key, key.strip("/")).put("a.ics", event(f"First {key}"))
        await here.poll()
        await here.poll()
        yield here


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    async with calling(tmp_path) as one:
        yield one


async def hear(here: Ground, *calls: Call, news: News = News.CHANGE) -> None:
    for one in calls:
        await here.hints.hear("caldav", one.channel, one.secret, news)


async def settled(here: Ground) -> None:
    """Let every channel say that it works, look once more, and let the window pass."""
    await hear(here, *here.server.callers.first_calls())
    await here.poll(after=SECOND)
    here.clock.advance(5 * SECOND)


async def channels(here: Ground) -> list[Channel]:
    return list(await here.store.channels(here.profile_id))


async def next_in(here: Ground) -> timedelta:
    profile = await here.profile()
    assert profile.next_poll_at is not None
    return profile.next_poll_at - here.clock.now()


async def rests(here: Ground) -> bool:
    """Tell whether the calendar is looked at at leisure."""
    return await next_in(here) > 9 * MINUTE


async def run_until(here: Ground, end: datetime) -> None:
    """Poll whenever that is due, as the schedule does."""
    while True:
        profile = await here.profile()
        assert profile.next_poll_at is not None
        if profile.next_poll_at > end:
            here.clock.advance(end - here.clock.now())
            return
        here.clock.advance(max(profile.next_poll_at - here.clock.now(), timedelta()))
        await here.poller.poll(await here.profile())


async def test_a_calendar_that_was_read_gets_a_channel(here: Ground) -> None:
    (one,) = await channels(here)
    (wish,) = here.server.callers.wishes
    assert (wish.id, wish.address) == (one.id, f"{BASE}/caldav")
    assert one.remote in here.server.callers.promises
    assert one.opens_to(wish.secret.reveal())
    assert here.meter.counts["channels_total"] == 1


async def test_no_channel_is_asked_for_before_the_first_read_has_ended(tmp_path: Path) -> None:
    async with ground(tmp_path, plan=PLAN) as here:
        here.server.can = replace(here.server.can, push=True)
        here.server.add(WORK).put("a.ics", event("First"))
        here.server.faults.broken_after, here.server.faults.breaking = 0, TransientError("cut")
        await here.poll()
        assert here.server.callers.wishes == []
        here.server.faults.broken_after = None
        await here.poll()
        assert len(here.server.callers.wishes) == 1


async def test_the_secret_of_a_channel_is_not_kept(here: Ground, tmp_path: Path) -> None:
    (wish,) = here.server.callers.wishes
    files = ("syncd.db", "syncd.db-wal")
    kept = b"".join([(tmp_path / one).read_bytes() for one in files])
    assert wish.id.encode() in kept
    assert wish.secret.reveal().encode() not in kept


async def test_without_an_address_or_the_power_nobody_is_asked(tmp_path: Path) -> None:
    async with ground(tmp_path, plan=PLAN) as here:
        here.server.add(WORK)
        await here.poll()
        assert here.server.callers.wishes == []
        here.server.can = replace(here.server.can, push=True)
        here.hints._base = None
        await here.poll()
        assert here.server.callers.wishes == []


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


async def test_a_channel_is_replaced_at_four_fifths_of_its_time(here: Ground) -> None:
    """G12: there is no renewal; the old one is closed when the new one is open."""
    await settled(here)
    (old,) = await channels(here)
    assert old.opened_at is not None
    await run_until(here, old.opened_at + 4 * HOUR - MINUTE)
    assert [one.id for one in await channels(here)] == [old.id]
    await run_until(here, here.clock.now() + 30 * MINUTE)
    (new,) = await channels(here)
    assert new.id != old.id
    assert here.server.callers.closed == [old.remote]
    assert list(here.server.callers.promises) == [new.remote]


async def test_a_channel_that_can_be_extended_is(here: Ground) -> None:
    """MG16: at half of what was granted."""
    callers = here.server.callers
    callers.extends, callers.renewed_at = True, 0.5
    callers.promises.clear()
    for one in await channels(here):
        await here.store.remove_channel(one)
    await here.poll()
    await settled(here)
    (old,) = await channels(here)
    await run_until(here, here.clock.now() + 2.5 * HOUR)
    await here.poll(after=10 * MINUTE)
    (same,) = await channels(here)
    assert same.id == old.id
    assert same.expires_at is not None
    assert same.expires_at == here.clock.now() + 5 * HOUR
    assert callers.closed == []


async def test_what_a_provider_says_of_a_channel_is_done(here: Ground) -> None:
    """MG16: reauthorizationRequired, subscriptionRemoved."""
    callers = here.server.callers
    callers.extends = True
    await settled(here)
    (old,) = await channels(here)
    here.clock.advance(MINUTE)
    one = next(callers.first_calls())
    await hear(here, one, news=News.RENEW)
    await here.poll(after=timedelta())
    (same,) = await channels(here)
    assert (same.id, same.expires_at) == (old.id, here.clock.now() + callers.lifetime)
    callers.promises.clear()
    here.clock.advance(MINUTE)
    await hear(here, one, news=News.END)
    await here.poll(after=timedelta())
    (new,) = await channels(here)
    assert new.id != old.id
    assert callers.closed == []


async def test_one_that_is_no_more_when_it_is_to_be_extended_is_replaced(here: Ground) -> None:
    callers = here.server.callers
    callers.extends = True
    await settled(here)
    (old,) = await channels(here)
    callers.promises.clear()
    await run_until(here, here.clock.now() + 4 * HOUR + 30 * MINUTE)
    assert old.id not in {one.id for one in await channels(here)}
    assert len(callers.promises) == 1


@pytest.mark.parametrize("error", [UnsupportedError("never"), ForbiddenError("not you")])
async def test_a_calendar_that_refuses_is_remembered_and_polled(
    tmp_path: Path, error: UnsupportedError | ForbiddenError
) -> None:
    async with ground(tmp_path, plan=PLAN) as here:
        here.server.can = replace(here.server.can, push=True)
        here.server.add(WORK).put("a.ics", event("First"))
        here.server.callers.refusing[WORK] = error
        await here.poll()
        await here.poll()
        for _ in range(5):
            await here.poll()
            assert await next_in(here) == MINUTE
        assert len(here.server.callers.wishes) == 1
        await here.poll(after=7 * 24 * HOUR)
        assert len(here.server.callers.wishes) == 2


async def test_one_calendar_that_refuses_leaves_the_others_their_channel(tmp_path: Path) -> None:
    async with ground(tmp_path, plan=PLAN) as here:
        here.server.can = replace(here.server.can, push=True)
        here.server.callers.refusing[HOME] = UnsupportedError("never")
        for key in (WORK, HOME):
            here.server.add(key, key.strip("/")).put("a.ics", event(f"First {key}"))
        await here.poll()
        await here.poll()
        await settled(here)
        assert not await rests(here)
        here.server.calendars[WORK].put("b.ics", event("Unheard"))
        here.server.calendars[HOME].put("b.ics", event("Second"))
        await here.poll()
        assert (await here.told())[-1] == "add event Second"


@pytest.mark.parametrize(
    "error",
    [
        TransientError("503"),
        TransientError("429", retry_after=MINUTE),
        RelinkRequiredError("401", reason="credentials_refused"),
    ],
    ids=["down", "throttled", "refused"],
)
async def test_trouble_with_channels_is_no_trouble_of_the_profile(
    tmp_path: Path, error: TransientError | RelinkRequiredError
) -> None:
    """I11: it proves nothing, and what the poll found is in the stream."""
    async with ground(tmp_path, plan=PLAN) as here:
        here.server.can = replace(here.server.can, push=True)
        here.server.add(WORK).put("a.ics", event("First"))
        here.server.callers.failing = error
        assert (await here.poll()).error is None
        profile = await here.profile()
        assert (profile.failures, profile.proof) == (0, None)
        assert "add event First" in await here.told()
        here.server.callers.failing = None
        await here.poll()
        assert here.server.callers.wishes == [], "it is left alone for five minutes"
        await here.poll(after=5 * MINUTE)
        assert len(here.server.callers.wishes) == 1


async def test_channels_of_removed_calendars_are_closed(tmp_path: Path) -> None:
    async with calling(tmp_path, WORK, HOME) as here:
        del here.server.calendars[HOME]
        for _ in range(4):
            await here.poll(listing=True, after=6 * MINUTE)
        (one,) = await channels(here)
        assert list(here.server.callers.promises) == [one.remote]


async def test_channels_of_a_removed_profile_are_closed(here: Ground) -> None:
    control = Control(here.store, here.hub, here.clock, here.hints)
    await control.remove(here.profile_id)
    assert here.server.callers.promises == {}
    assert await channels(here) == []


async def test_a_profile_is_removed_although_its_provider_does_not_listen(here: Ground) -> None:
    here.server.faults.opening = RelinkRequiredError("401", reason="credentials_refused")
    control = Control(here.store, here.hub, here.clock, here.hints)
    assert (await control.remove(here.profile_id)).removed
    assert await channels(here) == []


async def test_new_credentials_get_new_channels(here: Ground) -> None:
    (old,) = await channels(here)
    profile: Profile = await here.profile()
    await here.store.save_profile(replace(profile, generation=profile.generation + 1))
    await here.poll()
    (new,) = await channels(here)
    assert (new.generation, here.server.callers.closed) == (old.generation + 1, [old.remote])


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
