"""Pushing: order, retries, disabling, replays, and that nobody waits for another (I14, N17-N20)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.model.errors import ConflictError, CursorExpiredError, InvalidError
from syncd.model.ids import Cursor, Position, ProfileId
from syncd.model.subscription import SCHEDULE, Outcome, Reason, Status, Word
from tests.engine.pushed import SECOND, URL, Ground, down, pushed
from tests.fakes.sink import WELL, refused
from tests.store.opening import NOON
from tests.store.samples import a_profile, a_record

HOUR = timedelta(hours=1)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    async with pushed(tmp_path) as made:
        yield made


async def test_every_record_arrives_once_in_order_and_is_logged(here: Ground) -> None:
    made = await here.subscribe()
    await here.append(1, "a", "b")
    await here.append(2, "c")
    await here.append(1, "d")
    await here.settled()
    assert [name for profile, name in here.arrived() if profile == 1] == ["a", "b", "d"]
    assert [name for profile, name in here.arrived() if profile == 2] == ["c"]
    assert here.sink.most == 1  # one request in flight
    ids = [one.id for one in here.sink.arrived[URL]]
    assert len(set(ids)) == 4
    logged = await here.store.deliveries(made.id)
    assert [one.outcome for one in logged] == [Outcome.DELIVERED] * 4
    assert await here.store.behind_of(made.id) == 0
    assert (await here.seen(made)).delivered_at == NOON


async def test_now_begins_at_the_end_and_later_profiles_at_their_beginning(here: Ground) -> None:
    """N14: a subscription covers the profiles that its token covers, later ones too."""
    await here.append(1, "before")
    await here.subscribe()
    await here.subscribe("https://b.example", start="beginning")
    await here.store.add_profile(a_profile(3), sealed={}, records=[])
    await here.append(3, "new")
    await here.append(1, "after")
    await here.settled()
    assert sorted(here.arrived()) == [(1, "after"), (3, "new")]
    assert sorted(here.arrived("https://b.example")) == [(1, "after"), (1, "before"), (3, "new")]


async def test_a_cursor_begins_in_the_one_profile(here: Ground) -> None:
    await here.append(1, "a", "b", "c")
    stream = await here.store.stream(ProfileId(1))
    start = str(Cursor(stream.epoch, Position(2)))
    await here.subscribe(start=start, user_id=None, profile_id=ProfileId(1))
    await here.settled()
    assert here.arrived() == [(1, "c")]
    with pytest.raises(InvalidError, match="one profile"):
        await here.subscribe(start=start)
    with pytest.raises(CursorExpiredError):
        await here.subscribe(
            start=str(Cursor("aaaaaaaa", Position(2))), user_id=None, profile_id=ProfileId(1)
        )


async def test_filters_leave_out_and_the_place_moves_on(here: Ground) -> None:
    made = await here.subscribe(
        words=frozenset({Word.EVENT_DELETE}), profiles=frozenset({ProfileId(1)})
    )
    await here.append(1, "a")
    await here.append(2, "b")
    await here.settled()
    assert here.arrived() == []
    assert await here.store.place(made.id, ProfileId(1)) == 1


async def test_an_hour_down_loses_nothing_and_ids_stay(here: Ground) -> None:
    """I14, F38: retries by the schedule, the same id each time."""
    made = await here.subscribe()
    here.sink.answers = down
    await here.append(1, "a", "b")
    for _ in range(3600):
        await here.settled(SECOND)
        if here.clock.now() == NOON + timedelta(minutes=30):
            await here.append(1, "c")
    assert {one.id for _, one in here.sink.tried} == {here.sink.tried[0][1].id}
    assert len(here.sink.tried) == 4  # at 0, 5 s, 5 min and 30 min after each other
    seen = await here.seen(made)
    assert (seen.status, seen.attempts) == (Status.FAILING, 4)
    here.sink.answers = lambda _url, _message: WELL
    await here.settled(HOUR * 2)
    assert [name for _, name in here.arrived()] == ["a", "b", "c"]
    assert here.sink.arrived[URL][0].id == here.sink.tried[0][1].id
    assert (await here.seen(made)).status is Status.ACTIVE


async def test_a_profile_without_news_does_not_put_a_retry_off(here: Ground) -> None:
    await here.subscribe(words=frozenset({Word.EVENT_ADD}))
    here.sink.answers = down
    await here.append(1, "a")
    await here.deliverer.wake(ProfileId(2))  # looked at first, next time
    await here.settled()
    here.sink.answers = lambda _url, _message: WELL
    await here.settled(5 * SECOND)
    assert here.arrived() == [(1, "a")]


async def test_the_budget_ends_in_a_disabled_subscription_that_keeps_its_place(
    here: Ground,
) -> None:
    """N17: ten attempts; enabling it goes on where it stood."""
    made = await here.subscribe()
    here.sink.answers = down
    await here.append(1, "a", "b")
    await here.settled()
    pauses = list[timedelta]()
    while (seen := await here.seen(made)).retry_at is not None:
        pauses.append(seen.retry_at - here.clock.now())
        await here.settled(pauses[-1])
    assert tuple(pauses) == SCHEDULE
    assert sum(pauses, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)
    assert len(here.sink.tried) == 10
    assert (seen.reason, seen.status) == (Reason.EXHAUSTED, Status.DISABLED)
    assert [one.attempt for one in await here.store.deliveries(made.id)] == list(range(10, 0, -1))
    await here.settled(HOUR * 24)
    assert len(here.sink.tried) == 10
    assert await here.store.behind_of(made.id) == 2
    here.sink.answers = lambda _url, _message: WELL
    await here.subscriptions.enable(made.id, enabled=True)
    await here.settled()
    assert [name for _, name in here.arrived()] == ["a", "b"]


async def test_enabling_one_that_fails_tries_it_again_at_once(here: Ground) -> None:
    """N15: whoever has mended an endpoint need not wait for a retry that is hours away."""
    made = await here.subscribe()
    here.sink.answers = down
    await here.append(1, "a", "b")
    await here.settled()
    for pause in SCHEDULE[:3]:
        await here.settled(pause)
    assert (await here.seen(made)).retry_at == here.clock.now() + SCHEDULE[3]  # two hours
    tried = len(here.sink.tried)
    await here.subscriptions.enable(made.id, enabled=True)
    await here.settled()
    assert len(here.sink.tried) == tried + 1
    seen = await here.seen(made)  # it is down still: a whole budget is ahead of it
    assert (seen.attempts, seen.retry_at) == (1, here.clock.now() + SCHEDULE[0])
    here.sink.answers = lambda _url, _message: WELL
    resumed = await here.subscriptions.enable(made.id, enabled=True)
    assert (resumed.attempts, resumed.retry_at) == (0, None)
    await here.settled()
    assert here.arrived() == [(1, "a"), (1, "b")]
    assert here.sink.most == 1
    assert {one.id for _, one in here.sink.tried[: tried + 1]} == {here.sink.arrived[URL][0].id}


async def test_enabling_one_that_is_well_breaks_nothing_off(here: Ground) -> None:
    made = await here.subscribe()
    here.sink.held[URL] = asyncio.Event()
    await here.append(1, "a")
    await asyncio.sleep(0.05)
    await here.subscriptions.enable(made.id, enabled=True)
    assert here.sink.running[URL] == 1
    here.sink.held[URL].set()
    await here.settled()
    assert len(here.sink.tried) == 1


async def test_410_disables_at_once(here: Ground) -> None:
    made = await here.subscribe()
    here.sink.answers = lambda _url, _message: refused(410, gone=True)
    await here.append()
    await here.settled()
    assert (await here.seen(made)).reason is Reason.GONE
    await here.settled(HOUR * 48)
    assert len(here.sink.tried) == 1


async def test_a_time_that_was_named_is_waited_for(here: Ground) -> None:
    """N17: Retry-After of 429 and 503."""
    made = await here.subscribe()
    here.sink.answers = lambda _url, _message: refused(429, retry_after=HOUR)
    await here.append()
    await here.settled()
    assert (await here.seen(made)).retry_at == NOON + HOUR


async def test_pausing_stops_and_resuming_skips_nothing(here: Ground) -> None:
    """N15: what is being sent is broken off, and sent again with its id."""
    made = await here.subscribe()
    here.sink.held[URL] = asyncio.Event()
    await here.append(1, "a")
    await asyncio.sleep(0.05)
    assert here.sink.running[URL] == 1
    await here.subscriptions.enable(made.id, enabled=False)
    assert here.sink.running[URL] == 0
    del here.sink.held[URL]
    await here.append(1, "b")
    await here.settled(HOUR)
    assert here.arrived() == []
    await here.subscriptions.enable(made.id, enabled=True)
    await here.settled()
    assert [name for _, name in here.arrived()] == ["a", "b"]


async def test_a_restart_finds_everything_where_it_was(here: Ground) -> None:
    """Places and the time of the next attempt are in the store."""
    made = await here.subscribe()
    here.sink.answers = down
    await here.append(1, "a")
    await here.append(2, "b")
    await here.settled()
    async with here.running():
        await here.settled(SECOND)
        assert len(here.sink.tried) == 1  # not before it is due
        here.sink.answers = lambda _url, _message: WELL
        await here.settled(5 * SECOND)
    assert sorted(here.arrived()) == [(1, "a"), (2, "b")]
    assert (await here.seen(made)).attempts == 0


async def test_who_rests_sends_nothing_and_goes_on_where_it_was(here: Ground) -> None:
    """Another process on the database pushes meanwhile (ADR 50)."""
    made = await here.subscribe()
    here.sink.answers = down
    await here.append(1, "a")
    await here.settled()
    await here.deliverer.rest()
    here.sink.answers = lambda _url, _message: WELL
    await here.append(1, "b")
    await here.deliverer.changed(made.id)
    await here.settled(HOUR)
    assert here.arrived() == []
    assert (await here.deliverer.test(made)).error is None  # who asks for that is answered
    here.sink.arrived.clear()
    here.deliverer.resume()
    await here.settled()
    assert [name for _, name in here.arrived()] == ["a", "b"]


async def test_a_hanging_endpoint_delays_no_other(here: Ground) -> None:
    """F37: each subscription has its own request and its own place."""
    for number in range(5):
        here.sink.held[f"https://bad{number}.example"] = asyncio.Event()
        await here.subscribe(f"https://bad{number}.example")
    await here.subscribe()
    await here.append(1, "a", "b")
    async with asyncio.timeout(10):
        while len(here.arrived()) < 2:  # noqa: ASYNC110 - the fake tells nobody
            await asyncio.sleep(0.01)
    assert sum(here.sink.running.values()) == 5
    for held in here.sink.held.values():
        held.set()
    await here.settled()


async def test_replays_have_the_same_ids_and_move_nothing(here: Ground) -> None:
    """N20: one, from a cursor, all that failed."""
    made = await here.subscribe()
    await here.append(1, "a", "b", "c")
    await here.settled()
    first = list(here.sink.arrived[URL])
    logged = await here.store.deliveries(made.id)
    assert await here.subscriptions.replay(made, logged[0].id) == 1
    await here.settled()
    assert here.sink.arrived[URL][3] == first[2]
    stream = await here.store.stream(ProfileId(1))
    count = await here.subscriptions.replay_from(made, ProfileId(1), str(stream.oldest), None)
    await here.settled()
    assert count == 3
    assert here.sink.arrived[URL][4:] == first
    assert await here.store.place(made.id, ProfileId(1)) == 3
    until = str(Cursor(stream.epoch, Position(2)))
    assert await here.subscriptions.replay_from(made, ProfileId(1), str(stream.oldest), until) == 2
    await here.settled()
    assert await here.subscriptions.replay_failed(made) == 0
    here.sink.answers = down
    await here.subscriptions.replay(made, logged[0].id)
    await here.settled()
    assert (await here.seen(made)).status is Status.ACTIVE  # a replay tells nothing of the stream
    here.sink.answers = lambda _url, _message: WELL
    assert await here.subscriptions.replay_failed(made) == 0  # it had arrived before
    await here.subscriptions.enable(made.id, enabled=False)
    with pytest.raises(ConflictError, match="disabled"):
        await here.subscriptions.replay(await here.seen(made), logged[0].id)


async def test_what_was_never_delivered_is_replayed(here: Ground) -> None:
    made = await here.subscribe()
    here.sink.answers = down
    await here.append(1, "a")
    await here.settled()
    assert [one.record_id[-2:] for one in await here.store.failed(made.id)] == ["-1"]
    here.sink.answers = lambda _url, _message: WELL
    assert await here.subscriptions.replay_failed(made) == 1
    await here.settled(SECOND)
    assert here.arrived() == []  # it waits with the rest until the next attempt is due
    await here.settled(5 * SECOND)
    assert len({one.id for one in here.sink.arrived[URL]}) == 1


async def test_a_removed_profiles_last_record_is_told(here: Ground) -> None:
    await here.subscribe()
    gone = replace(await here.store.profile(ProfileId(1)), removed=True)
    body = b'{"type":"delete","metadata":{"id":"x"},"recorded_at":"2026-11-20T12:00:00Z"}'
    await here.store.save_profile(gone, records=[a_record("last", body=body)])
    await here.deliverer.wake(gone.id)
    await here.settled()
    assert here.arrived() == [(1, "last")]
