"""What ``Channels`` promises (providers.md P16), on both databases."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from syncd.model.access import digest
from syncd.model.channel import Channel
from syncd.model.errors import StaleStateError
from syncd.model.ids import ProfileId
from syncd.model.profile import Profile
from syncd.ports.store import Store
from syncd.ports.store.profiles import PollNote
from tests.store.opening import NOON
from tests.store.samples import with_calendar, with_profile

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def a_channel(profile: ProfileId, name: str = "one", **fields: object) -> Channel:
    plain = Channel(
        id=name,
        profile_id=profile,
        calendar_id="cal_one",  # type: ignore[arg-type]
        generation=1,
        address="https://syncd.example/v1/push/google",
        digest=digest("secret"),
        asked_at=NOON,
    )
    return replace(plain, **fields)  # type: ignore[arg-type]  # names are checked at run time


async def a_polled_profile(store: Store) -> Profile:
    """Return a profile that is to be polled in an hour."""
    profile = await with_profile(store)
    note = PollNote(profile_id=profile.id, generation=1, next_poll_at=NOON + 60 * MINUTE)
    await store.note_polls([note])
    return await store.profile(profile.id)


async def next_poll(store: Store, profile: Profile) -> datetime | None:
    return (await store.profile(profile.id)).next_poll_at


async def test_a_channel_comes_back_as_it_was_saved(store: Store) -> None:
    profile = await with_profile(store)
    asked = a_channel(profile.id, retry_at=NOON + MINUTE)
    await store.add_channel(asked)
    assert await store.channel("one") == asked
    times = {"opened_at": NOON, "renew_at": NOON + 5 * DAY, "expires_at": NOON + 7 * DAY}
    opened = replace(asked, remote="theirs", retry_at=None, **times)  # type: ignore[arg-type]
    await store.save_channel(opened)
    assert await store.channel("one") == opened
    assert await store.channels(profile.id) == [opened]
    await store.remove_channel(opened)
    await store.remove_channel(opened)
    await store.save_channel(opened)  # it stays gone
    assert await store.channel("one") is None
    assert await store.channels(profile.id) == []


async def test_channels_of_a_profile_are_listed_the_oldest_first(store: Store) -> None:
    profile, other = await with_profile(store), await with_profile(store, 2)
    later = a_channel(profile.id, "a", asked_at=NOON + MINUTE)
    for one in (later, a_channel(profile.id, "z"), a_channel(other.id, "b")):
        await store.add_channel(one)
    assert [one.id for one in await store.channels(profile.id)] == ["z", "a"]


async def test_nobody_is_asked_for_a_profile_that_has_changed(store: Store) -> None:
    profile = await with_profile(store)
    with pytest.raises(StaleStateError):
        await store.add_channel(a_channel(profile.id, generation=2))
    await store.save_profile(replace(profile, removed=True))
    with pytest.raises(StaleStateError):
        await store.add_channel(a_channel(profile.id))


async def test_channels_go_with_their_profile(store: Store) -> None:
    calendar = await with_calendar(store)
    one = a_channel(calendar.profile_id, calendar_id=calendar.id)
    await store.add_channel(one)
    profile = await store.profile(calendar.profile_id)
    await store.save_profile(replace(profile, removed=True))
    assert await store.channel("one") is None
    assert await store.channels(profile.id) == []


async def test_a_call_brings_the_next_poll_forward(store: Store) -> None:
    profile = await a_polled_profile(store)
    one = a_channel(profile.id)
    await store.add_channel(one)
    await store.hear_channel(one, NOON, due=NOON + MINUTE)
    assert await next_poll(store, profile) == NOON + MINUTE
    assert await store.channel("one") == replace(one, heard_at=NOON, hinted_at=NOON + MINUTE)
    await store.hear_channel(one, NOON + MINUTE, due=NOON + 2 * MINUTE)
    assert await next_poll(store, profile) == NOON + MINUTE, "no poll is put off"
    assert [one.id for one in await store.due(NOON + MINUTE, limit=9)] == [profile.id]


async def test_a_call_that_wants_no_poll_is_a_sign_of_life(store: Store) -> None:
    profile = await a_polled_profile(store)
    one = a_channel(profile.id)
    await store.add_channel(one)
    await store.hear_channel(one, NOON, due=None)
    assert await next_poll(store, profile) == profile.next_poll_at
    assert await store.channel("one") == replace(one, heard_at=NOON)
    await store.doubt_channel(one)
    assert await store.channel("one") == one


async def test_what_is_saved_of_a_channel_undoes_no_call(store: Store) -> None:
    profile = await a_polled_profile(store)
    one = a_channel(profile.id)
    await store.add_channel(one)
    await store.hear_channel(one, NOON, due=NOON)
    await store.save_channel(replace(one, remote="theirs"))
    known = await store.channel("one")
    assert known == replace(one, remote="theirs", heard_at=NOON, hinted_at=NOON)


@pytest.mark.parametrize(
    ("began", "due", "expected"),
    [
        (0, 0, 60),  # the poll began when, or after, it was wanted
        (2, 1, 60),
        (0, 1, 1),  # it was wanted while the poll ran, which may have read that calendar before
        (0, 59, 59),
        (0, 61, 60),  # the next one comes sooner
        (None, 1, 60),
    ],
)
async def test_a_poll_does_not_answer_a_call_that_came_while_it_ran(
    store: Store, began: int | None, due: int, expected: int
) -> None:
    """P16: what it read may be from before."""
    profile = await a_polled_profile(store)
    one = a_channel(profile.id)
    await store.add_channel(one)
    await store.hear_channel(one, NOON, due=NOON + due * MINUTE)
    note = PollNote(
        profile_id=profile.id,
        generation=1,
        next_poll_at=NOON + 60 * MINUTE,
        began_at=None if began is None else NOON + began * MINUTE,
    )
    await store.note_polls([note])
    assert await next_poll(store, profile) == NOON + expected * MINUTE


async def test_a_call_shortens_no_back_off(store: Store) -> None:
    """Throttled means: nothing is sent before the time that the provider named."""
    profile = await a_polled_profile(store)
    one = a_channel(profile.id)
    await store.add_channel(one)
    failed = PollNote(
        profile_id=profile.id,
        generation=1,
        next_poll_at=NOON + 30 * MINUTE,
        began_at=NOON,
        failures=1,
    )
    await store.note_polls([failed])
    await store.hear_channel(one, NOON, due=NOON + MINUTE)
    assert await next_poll(store, profile) == NOON + 30 * MINUTE
    await store.note_polls([failed])
    assert await next_poll(store, profile) == NOON + 30 * MINUTE
