"""Changing, replaying and expiring subscriptions, while they are pushed to (N14, N15, N20, S9)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from syncd.engine.prune import Pruner
from syncd.model.errors import ConflictError, InvalidError, StaleStateError
from syncd.model.ids import ProfileId
from syncd.model.subscription import SCHEDULE, Reason, Status
from tests.engine.pushed import SECOND, URL, Ground, down, pushed
from tests.fakes.meter import FakeMeter
from tests.fakes.sink import WELL, refused
from tests.store.samples import with_profile


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ground]:
    async with pushed(tmp_path) as made:
        yield made


async def test_what_deliveries_did_meanwhile_is_not_undone_by_a_change(here: Ground) -> None:
    """Who changes a webhook has read it a moment, or a probe, before."""
    made = await here.subscribe()
    await here.append(1, "a")
    await here.settled()
    here.sink.answers = down
    await here.append(1, "b")
    await here.settled()
    failing = await here.seen(made)
    assert (failing.attempts, failing.delivered_at is None) == (1, False)
    changed = await here.subscriptions.change(made, replace(made, description="x"))
    assert (changed.attempts, changed.retry_at, changed.delivered_at) == (
        *(failing.attempts, failing.retry_at, failing.delivered_at),
    )
    here.sink.answers = lambda _url, _message: refused(410, gone=True)
    await here.settled(6 * SECOND)
    stored = await here.subscriptions.change(changed, replace(changed, url=f"{URL}/2"))
    assert (stored.reason, stored.url) == (Reason.GONE, f"{URL}/2")
    assert await here.seen(made) == stored


async def test_a_change_that_is_refused_breaks_nothing_off(here: Ground) -> None:
    made = await here.subscribe()
    here.sink.answers = down
    await here.append(1, "a")
    await here.settled()
    here.sink.answers = lambda _url, _message: WELL
    await here.subscriptions.change(made, replace(made, description="x"))
    with pytest.raises(StaleStateError):
        await here.subscriptions.change(made, replace(made, description="y"))
    await here.settled(6 * SECOND)
    assert here.arrived() == [(1, "a")]


async def test_all_that_failed_is_replayed_however_much_it_is(
    here: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N20: what one read of the store holds is no limit."""
    begin = str((await here.store.stream(ProfileId(1))).latest)
    await here.append(1, "a", "b", "c")
    made = await here.subscribe()  # behind them, so none has arrived
    here.sink.answers = down
    assert await here.subscriptions.replay_from(made, ProfileId(1), begin, None) == 3
    await here.settled()
    while await here.store.replay_due(made.id) is not None:  # until their schedules have ended
        await here.settled(SCHEDULE[-1])
    monkeypatch.setattr(here.store, "failed", partial(here.store.failed, limit=1))
    assert await here.subscriptions.replay_failed(made) == 3


async def test_nothing_is_replayed_of_a_profile_that_was_not_asked_for(here: Ground) -> None:
    made = await here.subscribe(profiles=frozenset({ProfileId(2)}))
    begin = str((await here.store.stream(ProfileId(1))).latest)
    await here.append(1, "a")
    await here.settled()
    with pytest.raises(InvalidError, match="not told of this profile"):
        await here.subscriptions.replay_from(made, ProfileId(1), begin, None)


async def test_what_a_grants_end_disabled_cannot_be_replayed(here: Ground) -> None:
    made = await here.subscribe()
    ended = replace(made, reason=Reason.REVOKED)
    await here.store.save_subscription(ended)
    with pytest.raises(ConflictError, match="make another one"):
        await here.subscriptions.replay_failed(await here.seen(made))


async def test_who_falls_behind_retention_is_disabled_and_never_moved_on_silently(
    here: Ground,
) -> None:
    """S9: by the pruner, or when it is found; enabling it is a decision."""
    made = await here.subscribe()
    await here.subscriptions.enable(made.id, enabled=False)
    await here.append(1, "a", "b", "c")
    await here.subscriptions.enable(made.id, enabled=True)
    await here.deliverer.stop(made.id)
    here.clock.advance(timedelta(days=31))
    await Pruner(here.store, here.clock, FakeMeter(), days=30).prune()
    seen = await here.seen(made)
    assert (seen.reason, seen.status) == (Reason.EXPIRED, Status.DISABLED)
    await here.append(1, "d")
    await here.settled()
    assert here.arrived() == []
    await here.subscriptions.enable(made.id, enabled=True)
    await here.settled()
    assert [name for _, name in here.arrived()] == ["d"]


async def test_what_is_lost_of_a_profile_that_came_later_is_said_too(here: Ground) -> None:
    """S9: a paused one has no place in it that could be looked at."""
    made = await here.subscribe()
    await here.subscriptions.enable(made.id, enabled=False)
    await with_profile(here.store, 3)
    await here.append(3, "a")
    here.clock.advance(timedelta(days=31))
    await Pruner(here.store, here.clock, FakeMeter(), days=30).prune()
    await here.append(3, "b")
    await here.subscriptions.enable(made.id, enabled=True)
    await here.settled()
    assert ((await here.seen(made)).reason, here.arrived()) == (Reason.EXPIRED, [])
    await here.subscriptions.enable(made.id, enabled=True)
    await here.settled()
    assert here.arrived() == [(3, "b")]


async def test_one_that_is_paused_falls_behind_retention_no_more_silently(here: Ground) -> None:
    """S9: who resumes it can see that something is lost."""
    made = await here.subscribe()
    await here.subscriptions.enable(made.id, enabled=False)
    await here.append(1, "a")
    here.clock.advance(timedelta(days=31))
    await Pruner(here.store, here.clock, FakeMeter(), days=30).prune()
    assert (await here.seen(made)).reason is Reason.EXPIRED


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.example", "a.example/x", "https://", "https://u:p@a.example", "https://u@a"),
        *("http://a.example:25/", "http://[", f"https://a.example/{'x' * 2048}"),
        *(
            "http://exa mple/",
            "https://a.example/a b",
            "https://a.example/\n",
            "\thttps://a.example",
        ),
        *("http://10.0.0.1/", "https://[::1]/", "http://[::ffff:127.0.0.1]:8080/"),
    ],
)
async def test_what_cannot_be_delivered_to_is_refused(here: Ground, url: str) -> None:
    """N14, O1, O3."""
    with pytest.raises(InvalidError) as refused_url:
        await here.subscribe(url)
    assert refused_url.value.field == "url"
    made = await here.subscribe()
    with pytest.raises(InvalidError):
        await here.subscriptions.change(made, replace(made, url=url))
