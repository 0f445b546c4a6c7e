"""Each calendar has one channel, and who refuses is polled (P16, G12, MG16)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.engine.control import Control
from syncd.engine.hints import News
from syncd.model.errors import (
    ForbiddenError,
    RelinkRequiredError,
    TransientError,
    UnsupportedError,
)
from syncd.model.profile import Profile, Reason
from tests.engine.calling import (
    HOME,
    HOUR,
    MINUTE,
    PLAN,
    WORK,
    calling,
    channels,
    hear,
    next_in,
    rests,
    run_until,
    settled,
)
from tests.engine.ground import BASE, Ground, event, ground


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    async with calling(tmp_path) as one:
        yield one


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


async def test_a_profile_without_a_login_is_removed_without_asking(here: Ground) -> None:
    profile = await here.profile()
    refused = Reason.CREDENTIALS_REFUSED
    await here.store.save_profile(replace(profile, refused=refused, refused_at=here.clock.now()))
    control = Control(here.store, here.hub, here.clock, here.hints)
    assert (await control.remove(here.profile_id)).removed
    assert here.server.callers.closed == []
    assert await channels(here) == []


async def test_new_credentials_get_new_channels(here: Ground) -> None:
    (old,) = await channels(here)
    profile: Profile = await here.profile()
    await here.store.save_profile(replace(profile, generation=profile.generation + 1))
    await here.poll()
    (new,) = await channels(here)
    assert (new.generation, here.server.callers.closed) == (old.generation + 1, [old.remote])
