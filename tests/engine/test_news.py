"""Messages that tell of many records: one call a poll, whatever becomes of it (K45, N17)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from syncd.engine import hub
from syncd.model.errors import ProbeError
from syncd.model.ids import ApplicationId, Cursor, Position, ProfileId
from syncd.model.subscription import Format, Outcome, Reason, Status, Subscription, Word
from tests.engine.pushed import SECOND, URL, Ground, down
from tests.fakes.clock import FakeClock
from tests.fakes.sink import WELL, refused
from tests.store.opening import NOON, opened
from tests.store.samples import an_application, with_profile

ONE = ProfileId(1)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    clock = FakeClock(NOON)
    async with opened(tmp_path, clock=clock) as store:
        await store.add_application(an_application())
        await with_profile(store, 1)
        await with_profile(store, 2)
        made = Ground(store, clock)
        async with made.running():
            yield made


async def subscribe(here: Ground, **fields: Any) -> Subscription:  # noqa: ANN401
    """Subscribe in Kloudless's format; the probe is forgotten."""
    made = await here.subscribe(format=Format.KLOUDLESS, client=ApplicationId("app_one"), **fields)
    here.sink.tried.clear()
    here.sink.arrived.clear()
    return made


def told(here: Ground) -> list[int]:
    """Return the accounts that were called about."""
    return [int(one.profile_id or 0) for one in here.sink.arrived[URL]]


async def test_several_records_of_one_poll_make_one_call(here: Ground) -> None:
    """K45: the place moves once, behind all of them; the log has one entry, of the first."""
    made = await subscribe(here)
    await here.append(1, "a", "b", "c")
    await here.settled()
    assert told(here) == [1]
    assert here.sink.arrived[URL][0].word == "activity"
    assert await here.store.place(made.id, ONE) == 3
    assert await here.store.behind_of(made.id) == 0
    (entry,) = await here.store.deliveries(made.id)
    assert (entry.position, entry.outcome, entry.attempt) == (1, Outcome.DELIVERED, 1)
    await here.append(1, "d")
    await here.settled()
    assert told(here) == [1, 1]


async def test_a_poll_that_runs_is_awaited_and_then_told_of_once(here: Ground) -> None:
    """K45, C15: other formats do not wait for it."""
    made = await subscribe(here)
    other = "https://other.example/"
    await here.subscribe(other)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(here.deliverer.follow())
        with here.hub.polled(ONE):
            for name in ("a", "b"):
                await here.append(1, name)
                await here.settled()
            assert (told(here), len(here.sink.arrived[other])) == ([], 2)
            assert await here.store.place(made.id, ONE) == 0
        async with asyncio.timeout(10):
            while not told(here):  # noqa: ASYNC110 - the fake tells nobody
                await asyncio.sleep(0.01)
        await here.settled()
        following.cancel()
    assert told(here) == [1]
    assert await here.store.place(made.id, ONE) == 2


async def test_a_poll_that_takes_long_is_not_waited_for(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first read of many events must not keep its news back until it has ended."""
    await subscribe(here)
    with here.hub.polled(ONE):
        monkeypatch.setattr(hub, "PATIENCE", timedelta(seconds=-1))
        await here.append(1, "a")
        await here.settled()
        assert told(here) == [1]


async def test_each_account_is_called_about_by_itself(here: Ground) -> None:
    await subscribe(here)
    await here.append(1, "a", "b")
    await here.append(2, "c", "d")
    await here.settled()
    assert sorted(told(here)) == [1, 2]


async def test_a_first_read_of_more_than_a_page_is_one_call(here: Ground) -> None:
    made = await subscribe(here)
    await here.append(1, *(f"e{number}" for number in range(250)))
    await here.settled()
    assert told(here) == [1]
    assert await here.store.place(made.id, ONE) == 250


async def test_what_comes_while_it_is_retried_goes_along_under_the_same_id(here: Ground) -> None:
    """K45, N17: a message may tell of more by the time it arrives; no second one follows."""
    made = await subscribe(here)
    here.sink.answers = down
    await here.append(1, "a")
    await here.settled()
    await here.append(1, "b")
    await here.settled(SECOND)
    assert len(here.sink.tried) == 1  # not before it is due
    assert (await here.seen(made)).status is Status.FAILING
    here.sink.answers = lambda _url, _message: WELL
    await here.settled(5 * SECOND)
    assert len({one.id for _, one in here.sink.tried}) == 1
    assert told(here) == [1]
    assert await here.store.place(made.id, ONE) == 2
    entries = await here.store.deliveries(made.id)
    assert [(one.position, one.attempt, one.outcome) for one in entries] == [
        (1, 2, Outcome.DELIVERED),
        (1, 1, Outcome.FAILED),
    ]
    assert await here.store.failed(made.id) == []


async def test_news_that_come_while_a_call_is_out_make_another_one(here: Ground) -> None:
    """A reader that was called may have read before them."""
    made = await subscribe(here)
    here.sink.held[URL] = asyncio.Event()
    await here.append(1, "a")
    async with asyncio.timeout(10):
        while not here.sink.running[URL]:  # noqa: ASYNC110 - the fake tells nobody
            await asyncio.sleep(0.01)
    await here.append(1, "b")
    here.sink.held[URL].set()
    await here.settled()
    assert told(here) == [1, 1]
    assert await here.store.behind_of(made.id) == 0


async def test_a_restart_between_answer_and_note_sends_the_same_id_again(here: Ground) -> None:
    """I14: at least once."""
    made = await subscribe(here)
    here.sink.answers = down
    await here.append(1, "a", "b")
    await here.settled()
    async with here.running():
        here.sink.answers = lambda _url, _message: WELL
        await here.settled(5 * SECOND)
    assert len({one.id for _, one in here.sink.tried}) == 1
    assert await here.store.place(made.id, ONE) == 2


async def test_only_wanted_records_are_news(here: Ground) -> None:
    """N14: filters hold for this format too, and the place moves past what they leave out."""
    made = await subscribe(here, words=frozenset({Word.EVENT_DELETE}), profiles=frozenset({ONE}))
    await here.append(1, "a", "b")
    await here.append(2, "c")
    await here.settled()
    assert told(here) == []
    assert await here.store.place(made.id, ONE) == 2


async def test_replays_call_once_and_move_nothing(here: Ground) -> None:
    """N20: one, from a cursor up to another, all that failed."""
    made = await subscribe(here)
    await here.append(1, "a", "b")
    await here.settled()
    await here.append(1, "c")
    await here.settled()
    first, second = here.sink.arrived[URL]
    logged = await here.store.deliveries(made.id)
    assert await here.subscriptions.replay(made, logged[0].id) == 1
    await here.settled()
    assert here.sink.arrived[URL][-1] == second
    stream = await here.store.stream(ONE)
    assert await here.subscriptions.replay_from(made, ONE, str(stream.oldest), None) == 1
    await here.settled()
    assert here.sink.arrived[URL][-1] == first
    behind = str(Cursor(stream.epoch, Position(2)))
    assert await here.subscriptions.replay_from(made, ONE, behind, behind) == 0
    assert await here.store.place(made.id, ONE) == 3
    tried = await here.subscriptions.tried(made, logged[0].id)
    assert tried.body == second.record  # of the fake; the sink's own is ``account=1``


async def test_the_budget_ends_as_any_other(here: Ground) -> None:
    """N17: disabled with its place, and what was left comes as one call."""
    made = await subscribe(here)
    here.sink.answers = down
    await here.append(1, "a", "b")
    await here.settled()
    while (seen := await here.seen(made)).retry_at is not None:
        await here.settled(seen.retry_at - here.clock.now())
    assert (seen.reason, await here.store.place(made.id, ONE)) == (Reason.EXHAUSTED, 0)
    here.sink.answers = lambda _url, _message: WELL
    await here.subscriptions.enable(made.id, enabled=True)
    await here.settled()
    assert told(here) == [1]
    assert await here.store.behind_of(made.id) == 0


async def test_an_endpoint_that_does_not_answer_the_probe_is_not_kept(here: Ground) -> None:
    """K46: nothing is stored."""
    here.sink.answers = lambda _url, _message: refused(404)
    with pytest.raises(ProbeError, match="answered 404") as error:
        await subscribe(here)
    assert error.value.field == "url"
    ((_, probe),) = here.sink.tried
    assert (probe.profile_id, probe.record) == (None, b"")
    assert await here.store.subscriptions() == []


async def test_a_change_of_address_or_format_is_probed_and_tried_at_once(here: Ground) -> None:
    """K46, N15: an address that does not answer changes nothing."""
    made = await here.subscribe(client=ApplicationId("app_one"))
    here.sink.answers = down
    await here.append(1, "a")
    await here.settled()
    failing = await here.seen(made)
    with pytest.raises(ProbeError):
        await here.subscriptions.change(failing, replace(failing, format=Format.KLOUDLESS))
    assert await here.seen(made) == failing
    here.sink.answers = lambda _url, _message: WELL
    changed = await here.subscriptions.change(failing, replace(failing, format=Format.KLOUDLESS))
    await here.settled()
    assert (changed.attempts, changed.retry_at) == (0, None)
    probe, news = here.sink.arrived[URL]
    assert (probe.profile_id, news.profile_id, news.word) == (None, ONE, "activity")
    here.sink.tried.clear()
    found = await here.seen(made)
    back = await here.subscriptions.change(found, replace(found, format=Format.STANDARD))
    assert here.sink.tried == []  # no probe
    await here.subscriptions.change(back, replace(back, description="later"))
    await here.append(1, "b")
    await here.settled(timedelta())
    assert [one.word for _, one in here.sink.tried] == ["event.add"]
