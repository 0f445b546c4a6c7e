"""Pushing page by page, to a server of the operator's own (N24, ADR 46)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.engine.fanout import NATS, settle_fanout
from syncd.model.errors import ConflictError, NotFoundError
from syncd.model.ids import ProfileId
from syncd.model.subscription import OWN_SCHEDULE, Outcome, Reason, Status, Subscription
from syncd.ports.sink import Message, Receipt
from syncd.ports.store.subscriptions import Note
from tests.engine.pushed import Ground, down
from tests.fakes.clock import FakeClock
from tests.fakes.sink import WELL, FakePageSink, refused
from tests.store.opening import NOON, opened
from tests.store.samples import with_profile

SERVER = "nats://127.0.0.1:4222"
ONE = ProfileId(1)


class Fanout(Ground):
    """Pushes what two profiles record to a sink that takes pages."""

    def __init__(self, *more: object) -> None:
        super().__init__(*more)  # type: ignore[arg-type]  # a ground's
        self.pages = FakePageSink()
        self.sink = self.pages

    async def settle(self, url: str = SERVER) -> Subscription:
        """Do as a start does."""
        await settle_fanout(self.store, self.clock, url)
        await self.deliverer.changed(NATS)
        return await self.store.subscription(NATS)

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.arrived(SERVER)]


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Fanout]:
    clock = FakeClock(NOON)
    async with opened(tmp_path, clock=clock) as store:
        await with_profile(store, 1)
        await with_profile(store, 2)
        made = Fanout(store, clock)
        async with made.running():
            yield made


def letters(count: int) -> list[str]:
    return [f"e{number:03}" for number in range(count)]


async def test_a_page_is_sent_at_once_and_noted_at_once(
    here: Fanout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """250 records are three pages, each noted whole; the log has an entry for each."""
    noted, plain = list[int](), here.store.note_deliveries

    async def counted(notes: Sequence[Note]) -> frozenset[str]:
        noted.extend(len(one.deliveries) for one in notes)
        return await plain(notes)

    monkeypatch.setattr(here.store, "note_deliveries", counted)
    await here.append(1, *letters(250))
    await here.settle()
    await here.settled()
    assert here.names == letters(250)
    assert here.pages.pages == noted == [100, 100, 50]
    logged = await here.store.deliveries(NATS, limit=1000)
    assert [one.position for one in logged] == list(range(250, 0, -1))
    assert {(one.outcome, one.attempt) for one in logged} == {(Outcome.DELIVERED, 1)}
    assert await here.store.place(NATS, ONE) == 250


async def test_what_arrived_of_a_page_is_not_sent_again(here: Fanout) -> None:
    """The place moves to the first that failed; that is tried again, with what is behind it."""
    await here.settle()

    def until_d(_url: str, message: Message) -> Receipt:
        return refused(500) if message.object_id == "d" else WELL

    here.sink.answers = until_d
    await here.append(1, *"abcdef")
    await here.settled()
    seen = await here.store.subscription(NATS)
    assert (here.names, await here.store.place(NATS, ONE)) == (["a", "b", "c"], 3)
    assert (seen.status, seen.attempts, seen.delivered_at) == (Status.FAILING, 1, NOON)
    failed, *rest = await here.store.deliveries(NATS)
    assert (failed.outcome, failed.position, failed.next_at) == (Outcome.FAILED, 4, seen.retry_at)
    assert [(one.position, one.next_at) for one in rest] == [(3, None), (2, None), (1, None)]
    here.sink.answers = lambda _url, _message: WELL
    await here.settled(timedelta(seconds=2))
    assert here.names == list("abcdef")
    assert [message.object_id for _, message in here.sink.tried] == list("abcddef")
    assert (await here.store.deliveries(NATS, limit=3))[-1].attempt == 2  # of "d"


async def test_a_target_that_takes_fewer_is_sent_the_rest_at_once(here: Fanout) -> None:
    here.pages.at_once = 2
    await here.settle()
    await here.append(1, *"abcde")
    await here.settled()
    assert (here.names, here.pages.pages) == (list("abcde"), [5, 3, 1])


async def test_the_operators_own_server_is_never_given_up(here: Fanout) -> None:
    """A week away: tried once a minute in the end, and nothing of a webhook's budget."""
    await here.settle()
    here.sink.answers = down
    await here.append(1, "a", "b")
    await here.settled()
    pauses = list[timedelta]()
    while here.clock.now() < NOON + timedelta(minutes=30):
        seen = await here.store.subscription(NATS)
        assert seen.retry_at is not None
        pauses.append(seen.retry_at - here.clock.now())
        await here.settled(pauses[-1])
    assert tuple(pauses[:4]) == OWN_SCHEDULE
    assert set(pauses[4:]) == {OWN_SCHEDULE[-1]}
    assert (await here.store.subscription(NATS)).enabled
    here.clock.advance(timedelta(days=7))
    here.sink.answers = lambda _url, _message: WELL
    await here.settled()
    assert here.names == ["a", "b"]


async def test_it_begins_at_what_is_retained_and_covers_all_profiles(here: Fanout) -> None:
    await here.append(1, "a", "b")
    await here.append(2, "c")
    made = await here.settle()
    await here.settled()
    assert sorted(here.names) == ["a", "b", "c"]
    assert (made.id, made.url, made.secrets, made.admin) == (NATS, SERVER, (), True)


async def test_without_a_url_there_is_none(here: Fanout) -> None:
    with pytest.raises(NotFoundError):
        await here.settle("")


async def test_the_settings_pause_it_and_let_it_go_on(here: Fanout) -> None:
    await here.settle()
    await here.append(1, "a")
    await here.settled()
    paused = await here.settle("")
    assert (paused.reason, paused.url) == (Reason.OPERATOR, "")
    await here.append(1, "b")
    await here.settled()
    assert here.names == ["a"]
    assert (await here.settle("")).revision == paused.revision  # every further start
    with pytest.raises(ConflictError, match=r"set \[nats\] url"):
        await here.subscriptions.enable(NATS, enabled=True)
    back = await here.settle()
    assert (back.reason, back.url) == (None, SERVER)
    await here.settled()
    assert here.names == ["a", "b"]


async def test_paused_by_hand_it_stays_so_over_a_start(here: Fanout) -> None:
    await here.settle()
    await here.subscriptions.enable(NATS, enabled=False)
    assert (await here.settle()).reason is Reason.OPERATOR
    moved = await here.settle("nats://elsewhere:4222")
    assert (moved.reason, moved.url) == (Reason.OPERATOR, "nats://elsewhere:4222")
    assert (await here.subscriptions.enable(NATS, enabled=True)).enabled


async def test_what_the_settings_keep_is_not_changed_by_hand(here: Fanout) -> None:
    made = await here.settle()
    with pytest.raises(ConflictError, match=r"remove \[nats\] url"):
        await here.subscriptions.remove(NATS)
    with pytest.raises(ConflictError, match="nothing signs"):
        await here.subscriptions.rotate(made, overlap=timedelta())
    await here.settle("")
    await here.subscriptions.remove(NATS)
    with pytest.raises(NotFoundError):
        await here.store.subscription(NATS)


async def test_profiles_that_are_left_out_are_no_backlog(here: Fanout) -> None:
    """ADR 47: nor does retention find the subscription behind there."""
    made = await here.subscribe(profiles=frozenset({ONE}))
    await here.append(2, "a", "b")
    await here.settled()
    assert await here.store.behind_of(made.id) == 0
    assert await here.store.place(made.id, ProfileId(2)) == 2


async def test_two_processes_may_settle_it_at_once(here: Fanout) -> None:
    for url in (SERVER, "", SERVER):
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(settle_fanout(here.store, here.clock, url))
        found = await here.store.subscription(NATS)
        assert (found.url, found.enabled) == (url, bool(url))
