"""Replays are tried again by the schedule, beside the stream, and outlive a restart (N20).

On both databases, which keep when each is due.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from syncd.model.errors import InvalidError
from syncd.model.ids import ProfileId
from syncd.model.subscription import SCHEDULE, Outcome, Reason, Status, Subscription
from syncd.ports.sink import Message, Receipt
from syncd.ports.store.profiles import PollNote
from syncd.store.open import SqlStore
from tests.engine.pushed import SECOND, URL, Ground, down, pushed_from
from tests.fakes.clock import FakeClock
from tests.fakes.sink import WELL, refused
from tests.store.opening import NOON
from tests.store.samples import a_record

ONE, TWO = ProfileId(1), ProfileId(2)
BODY = b'{"type":"add","metadata":{"id":"x"},"recorded_at":"2026-11-20T12:00:00Z"}'
FIVE = 5 * SECOND


@pytest.fixture
async def here(store: SqlStore, clock: FakeClock) -> AsyncIterator[Ground]:
    clock.advance(NOON - clock.now())
    async with pushed_from(store, clock) as made:
        yield made


async def replayed(here: Ground, *names: str) -> Subscription:
    """Let records arrive, and ask for all of them once more; the sink has forgotten them."""
    made = await here.subscribe()
    await here.append(1, *names)
    await here.settled()
    assert len(here.arrived()) == len(names)
    here.sink.tried.clear()
    here.sink.arrived.clear()
    oldest = str((await here.store.stream(ONE)).oldest)
    assert await here.subscriptions.replay_from(made, ONE, oldest, None) == len(names)
    return made


async def replayed_down(here: Ground) -> Subscription:
    here.sink.answers = lambda _url, _message: WELL
    made = await replayed(here, "a", "b", "c")
    here.sink.answers = down
    await here.settled()
    return made


def names(here: Ground) -> list[str]:
    return [name for _, name in here.arrived()]


def poisoned(name: str) -> Callable[[str, Message], Receipt]:
    def answers(_url: str, message: Message) -> Receipt:
        return refused(500) if message.object_id == name else WELL

    return answers


async def pending(here: Ground, made: Subscription) -> list[datetime | None]:
    found = await here.store.deliveries(made.id, outcome=Outcome.PENDING)
    return [one.next_at for one in found]


async def test_a_replay_that_fails_is_tried_again_by_the_schedule(here: Ground) -> None:
    """N17's attempts and pauses; each is in the log, and nothing else of the webhook changes."""
    made = await here.subscribe()
    await here.append(1, "a")
    await here.settled()
    first = here.sink.arrived[URL][0]
    here.sink.answers = down
    (once,) = await here.store.deliveries(made.id)
    await here.subscriptions.replay(made, once.id)
    await here.settled()
    for number, pause in enumerate(SCHEDULE, 1):
        assert len(here.sink.tried) == 1 + number
        assert await pending(here, made) == [here.clock.now() + pause]
        await here.settled(pause - SECOND)
        assert len(here.sink.tried) == 1 + number  # not before it is due
        await here.settled(SECOND)
    assert len(here.sink.tried) == 11
    assert {one.id for _, one in here.sink.tried} == {first.id}
    assert await pending(here, made) == []
    logged = await here.store.deliveries(made.id, outcome=Outcome.FAILED)
    assert sorted(one.attempt for one in logged) == list(range(1, 11))
    assert [one.next_at is None for one in sorted(logged, key=lambda one: one.attempt)] == (
        [False] * 9 + [True]
    )
    seen = await here.seen(made)
    assert (seen.status, seen.attempts, seen.retry_at) == (Status.ACTIVE, 0, None)
    assert await here.store.place(made.id, ONE) == 1
    await here.settled(SCHEDULE[-1])
    assert len(here.sink.tried) == 11


async def test_a_restart_finds_replays_where_they_were(here: Ground) -> None:
    await replayed_down(here)
    async with here.running():
        await here.settled(SECOND)
        tried = [one.object_id for _, one in here.sink.tried]
        assert tried == ["a", "b"]  # not "a" before it is due; that it failed is no word on "b"
        here.sink.answers = lambda _url, _message: WELL
        await here.settled(FIVE)
        assert names(here) == ["a", "b", "c"]


async def test_a_short_outage_keeps_the_order_of_replays(here: Ground) -> None:
    await replayed_down(here)
    assert len(here.sink.tried) == 1  # the others wait until it is clear
    here.sink.answers = lambda _url, _message: WELL
    await here.settled(FIVE)
    assert names(here) == ["a", "b", "c"]


async def test_one_that_is_always_refused_keeps_neither_the_stream_nor_the_others(
    here: Ground,
) -> None:
    made = await replayed(here, "a", "b", "c")
    here.sink.answers = poisoned("a")
    await here.settled()
    await here.append(1, "d")
    await here.settled()
    assert names(here) == ["d"]  # at once: a replay that waits is no retry of the webhook's
    for _ in range(4):
        await here.settled(FIVE)
    assert names(here) == ["d", "b", "c"]
    assert len(await pending(here, made)) == 1
    here.sink.answers = lambda _url, _message: WELL
    await here.settled(SCHEDULE[1])
    assert names(here) == ["d", "b", "c", "a"]
    assert await pending(here, made) == []
    assert here.sink.most == 1


async def test_one_that_arrives_ends_the_others_longer_pause(here: Ground) -> None:
    await replayed(here, "a", "b", "c", "d")
    here.sink.answers = lambda url, message: (
        down(url, message) if message.object_id in {"a", "c"} else WELL
    )
    for later in (SECOND, FIVE, 2 * FIVE):
        await here.settled(later)
    assert [one.object_id for _, one in here.sink.tried] == ["a", "a", "b", "c"]
    await here.settled(FIVE)  # as after a first failure
    assert [one.object_id for _, one in here.sink.tried[4:]] == ["c"]


async def test_a_look_at_all_that_waits_ends_no_pause(here: Ground) -> None:
    """As after news that could not be read."""
    await replayed_down(here)
    here.deliverer.resume()
    await here.settled()
    assert len(here.sink.tried) == 1


async def test_replays_that_fail_take_no_place_of_those_that_are_well(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F37: what is known to be down waits among the failing."""
    asked, places = list[bool](), here.deliverer._sender.places
    plain = places.one

    def one(subscription: str, host: str, *, failing: bool) -> AbstractAsyncContextManager[None]:
        asked.append(failing)
        return plain(subscription, host, failing=failing)

    monkeypatch.setattr(places, "one", one)
    await replayed_down(here)
    asked.clear()
    await here.settled(FIVE)
    assert asked == [True]


async def test_news_go_between_replays(here: Ground) -> None:
    made = await replayed(here, *(f"e{number}" for number in range(30)))

    def later(_url: str, message: Message) -> Receipt:
        if message.object_id == "e5":
            here.deliverer._put(made.id, TWO)  # as a wake does
        return WELL

    await here.store.save_profile(
        await here.store.profile(TWO), records=[a_record("news", body=BODY)]
    )
    here.sink.answers = later
    await here.settled()
    assert names(here).index("news") <= 7
    assert names(here)[-1] == "e29"


async def test_a_dead_endpoint_is_not_sent_every_replay_at_every_step(here: Ground) -> None:
    """The more of them fail in a row, the longer the next one waits, up to five minutes."""
    await replayed(here, *(f"e{number}" for number in range(50)))
    here.sink.answers = down
    for _ in range(3600):
        await here.settled(SECOND)
    assert 10 < len(here.sink.tried) < 30


async def test_who_answers_410_to_a_replay_is_sent_nothing_more(here: Ground) -> None:
    made = await replayed(here, "a", "b")
    here.sink.answers = lambda _url, _message: refused(410, gone=True)
    await here.settled()
    assert (await here.seen(made)).reason is Reason.GONE
    await here.settled(SCHEDULE[-1])
    assert len(here.sink.tried) == 1
    here.sink.answers = lambda _url, _message: WELL
    await here.subscriptions.enable(made.id, enabled=True)
    await here.settled()
    assert names(here) == ["b"]


async def test_a_time_that_was_named_is_waited_for(here: Ground) -> None:
    made = await replayed(here, "a", "b")
    here.sink.answers = lambda _url, _message: refused(429, retry_after=timedelta(hours=1))
    await here.settled()
    assert set(await pending(here, made)) == {None, NOON + timedelta(hours=1)}
    here.sink.answers = lambda _url, _message: WELL
    await here.settled(timedelta(minutes=59))
    assert names(here) == []
    await here.settled(timedelta(minutes=1))
    assert names(here) == ["a", "b"]


async def test_resuming_tries_replays_at_once_too(here: Ground) -> None:
    """N15: also where only replays fail."""
    made = await replayed_down(here)
    await here.settled(FIVE)
    assert len(here.sink.tried) == 2
    here.sink.answers = lambda _url, _message: WELL
    await here.subscriptions.enable(made.id, enabled=True)
    await here.settled()
    assert names(here) == ["a", "b", "c"]


async def test_what_waits_is_not_asked_for_twice(here: Ground) -> None:
    """``failed``: what was never delivered and waits for nothing."""
    made = await here.subscribe()
    here.sink.answers = down
    await here.append(1, "a")
    await here.settled()
    assert await here.subscriptions.replay_failed(made) == 1
    await here.settled(FIVE)  # the stream's own next attempt, and it fails
    assert await here.subscriptions.replay_failed(made) == 0


async def test_a_pause_holds_replays_and_ends_with_it(here: Ground) -> None:
    made = await replayed_down(here)
    await here.subscriptions.enable(made.id, enabled=False)
    here.sink.answers = lambda _url, _message: WELL
    await here.settled(SCHEDULE[-1])
    assert names(here) == []
    await here.subscriptions.enable(made.id, enabled=True)
    await here.settled()
    assert names(here) == ["a", "b", "c"]


async def test_who_resumes_waits_for_no_pause_of_replays(here: Ground) -> None:
    """N15."""
    made = await replayed_down(here)
    for enabled in (False, True):
        await here.subscriptions.enable(made.id, enabled=enabled)
    here.sink.answers = lambda _url, _message: WELL
    await here.settled()
    assert names(here) == ["a", "b", "c"]


async def test_what_retention_has_cut_off_is_given_up(here: Ground) -> None:
    made = await replayed_down(here)
    stream = await here.store.stream(ONE)
    while await here.store.prune(ONE, before=NOON + timedelta(days=9), keep=None):
        continue
    assert (await here.store.stream(ONE)).floor > stream.floor
    await here.settled(FIVE)
    assert await pending(here, made) == []
    assert len(here.sink.tried) == 1
    failed = await here.store.deliveries(made.id, outcome=Outcome.FAILED)
    assert [one.error for one in failed].count("retention has cut the record off") == 3


async def test_replays_of_a_profile_that_is_no_longer_named_are_not_sent(here: Ground) -> None:
    """Whoever takes a profile from a webhook means what waits, too, and what once failed."""
    made = await here.subscribe()
    here.sink.answers = down
    await here.append(1, "a")
    await here.settled()
    (failed,) = await here.store.deliveries(made.id)
    assert await here.subscriptions.replay_failed(made) == 1
    await here.append(2, "b")
    await here.subscriptions.change(
        await here.seen(made), replace(await here.seen(made), profiles=frozenset({TWO}))
    )
    here.sink.answers = lambda _url, _message: WELL
    after = await here.subscriptions.enable(made.id, enabled=True)
    await here.settled(SECOND)
    assert here.arrived() == [(2, "b")]
    assert await pending(here, made) == []
    (told,) = [one for one in await here.store.deliveries(made.id) if one.id != failed.id][-1:]
    assert (told.profile_id, told.outcome) == (ONE, Outcome.FAILED)
    assert told.error == "the webhook is no longer told of this profile"
    assert await here.subscriptions.replay_failed(after) == 0
    with pytest.raises(InvalidError, match="not told of this profile"):
        await here.subscriptions.replay(after, failed.id)
    await here.settled(FIVE)
    assert here.arrived() == [(2, "b")]


async def test_a_clock_that_is_set_back_delays_no_attempt_f27(here: Ground) -> None:
    """Of the stream and of a replay; what was due stays due as long after as it was."""
    replays, fails = await replayed_down(here), "https://b.example/hook"
    failing = await here.subscribe(fails)
    await here.append(1, "d")
    await here.settled()
    due = (await here.seen(failing)).retry_at
    assert due is not None
    assert await pending(here, replays) != [None, None, None]
    day = timedelta(days=1)
    here.clock.jump(-day)
    await here.store.turn_back(day, now=here.clock.now())
    here.deliverer.look_anew()
    assert (await here.seen(failing)).retry_at == due - day
    here.sink.answers = lambda _url, _message: WELL
    await here.settled()
    assert here.arrived(fails) == []
    await here.settled(FIVE)
    assert here.arrived(fails) == [(1, "d")]
    assert sorted(names(here)) == ["a", "b", "c", "d"]


async def test_a_clock_that_is_set_back_delays_no_poll_f27(
    store: SqlStore, clock: FakeClock, here: Ground
) -> None:
    del here
    soon, day = clock.now() + timedelta(minutes=1), timedelta(days=1)
    note = PollNote(profile_id=ONE, generation=1, next_poll_at=soon)
    past = PollNote(profile_id=TWO, generation=1, next_poll_at=clock.now() - 2 * day)
    await store.note_polls([note, past])
    clock.jump(-day)
    await store.turn_back(day, now=clock.now())
    assert (await store.profile(ONE)).next_poll_at == soon - day
    assert (await store.profile(TWO)).next_poll_at == past.next_poll_at
