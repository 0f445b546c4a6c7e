"""What channels are pushed: one push a poll, a time that misses nothing, managed events (C15)."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from syncd.model.activity import Kind
from syncd.model.errors import UpstreamError
from syncd.model.ids import CalendarKey, EventId, ProfileId
from syncd.model.managed import CLAIM_LASTS, ManagedEvent, ManagedKey
from syncd.model.subscription import SCHEDULE
from tests.api.channels import Desk, Heard, at_work, desk, listen
from tests.api.cronofy import WORK, body
from tests.api.serving import Api
from tests.api.test_cronofy_events import every
from tests.api.test_webhooks import HOOKS, settled
from tests.engine.ground import Ground, event, exception, on_store, series
from tests.fakes.calendars import FakeCalendar
from tests.fakes.sink import FakeSink, refused

SEEDS = range(200 if os.environ.get("SYNCD_TESTS") == "nightly" else 3)
ALL = "from=2026-11-01&to=2026-12-31&include_deleted=true&include_moved=true&include_managed=true"


@pytest.fixture
async def here(api: Api) -> Desk:
    return await at_work(api)


@pytest.fixture
def heard(here: Desk) -> Heard:
    return listen(here.api)


def calendar(here: Desk, key: str = "/work/") -> FakeCalendar:
    return here.api.ground.server.calendars[CalendarKey(key)]


async def poll(here: Desk) -> None:
    await here.api.ground.poll()
    await here.told()


def words(heard: Heard) -> list[str]:
    return [one["type"] for one in heard.bodies]


async def place(here: Desk, channel: Any) -> int:  # noqa: ANN401 - JSON
    """Return how many records of the profile it has not come past."""
    told = await here.api.json(f"{HOOKS}/{channel['channel_id']}")
    return int(told["behind"])


@asynccontextmanager
async def following(here: Desk) -> AsyncIterator[None]:
    """Push as the daemon does, by what the hub says."""
    task = asyncio.create_task(here.api.parts.deliverer.follow())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()


async def test_all_changes_of_a_poll_are_one_push(here: Desk, heard: Heard) -> None:
    """C15: one calendar is recorded, and looked at, before the other is read."""
    channel = await here.open()
    ground, first = here.api.ground, iter((True,))
    before = await ground.head()

    async def wait() -> None:
        if not next(first, False):
            while await ground.head() == before:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
            await here.told()

    for name in ("a", "b", "c"):
        calendar(here).put(f"{name}.ics", event(name))
        calendar(here, "/team/").put(f"{name}.ics", event(name))
    ground.server.faults.looking = wait
    await poll(here)
    ground.server.faults.looking = None
    assert words(heard) == ["change"]
    assert await place(here, channel) == 0
    await poll(here)
    assert words(heard) == ["change"]


async def test_filters_leave_changes_out(here: Desk, heard: Heard) -> None:
    (work, _) = await here.api.ground.store.calendars(here.api.ground.profile_id)
    channel = await here.open(filters={"calendar_ids": [work.id]})
    calendar(here, "/team/").put("a.ics", event("Theirs"))
    await poll(here)
    assert (words(heard), await place(here, channel)) == ([], 0)
    calendar(here).put("a.ics", event("Mine"))
    await poll(here)
    assert words(heard) == ["change"]


async def test_a_push_that_failed_is_tried_again_and_then_tells_of_all(
    here: Desk, heard: Heard
) -> None:
    """N17; what N18 shows, and a replay, is what was sent."""
    channel = await here.open()
    heard.answers = lambda _url, _message: refused(500)
    calendar(here).put("a.ics", event("First"))
    await poll(here)
    since = here.api.clock.now()
    here.api.clock.advance(timedelta(seconds=2))
    calendar(here).put("b.ics", event("Second"))
    await here.api.ground.poll(after=timedelta())
    heard.answers = FakeSink().answers
    here.api.clock.advance(SCHEDULE[0])
    await settled(here.api)
    assert words(heard) == ["change"]
    assert heard.bodies[0]["changes_since"] <= since.strftime("%Y-%m-%dT%H:%M:%SZ")
    path = f"{HOOKS}/{channel['channel_id']}/deliveries"
    calendar(here).put("c.ics", event("Third"))
    await poll(here)
    newest, delivered, failed = await here.api.pages(path, 10)
    assert [one["status"] for one in (newest, delivered, failed)] == [
        *("delivered", "delivered", "failed")
    ]
    assert delivered["message_id"] == failed["message_id"]
    for one, told in ((newest, heard.bodies[1]), (delivered, heard.bodies[0])):
        shown = await here.api.json(f"{path}/{one['id']}")
        assert orjson.loads(shown["request_body"]) == {"notification": told, "channel": channel}
        await here.api.send("POST", f"{path}/{one['id']}/replay")
        await settled(here.api)
        assert heard.bodies[-1] == told


async def test_a_record_that_is_dated_earlier_than_the_first_is_not_missed(
    here: Desk, heard: Heard
) -> None:
    """A clock that was set back, as one that is read before another's turn to record."""
    await here.open()
    reader = Reader(here, [here.api.ground])
    await reader.begin()
    heard.then = reader.ask
    calendar(here).put("a.ics", event("Told"))
    await poll(here)
    here.api.clock.advance(timedelta(minutes=2))
    for name in ("b", "c"):
        calendar(here).put(f"{name}.ics", event(name))
        await here.api.ground.poll(after=timedelta())
        here.api.clock.jump(timedelta(minutes=-3))
    await here.told()
    assert (words(heard), reader.changes, reader.missed) == (["change"] * 2, 3, set())


class Reader:
    """An application that asks C6 from inside of each push, and keeps what it is not told there."""

    def __init__(self, here: Desk, grounds: list[Ground]) -> None:
        self._here = here
        self._grounds = grounds
        self._heads = dict[ProfileId, int]()
        self.changes = 0
        self.missed = set[str]()

    async def begin(self) -> None:
        self._heads = {one.profile_id: await one.head() for one in self._grounds}

    async def ask(self, told: Any) -> None:  # noqa: ANN401 - JSON
        """Look whether everything that was recorded since the last delivered push is listed."""
        recorded = set[str]()
        for one in self._grounds:
            records = await one.activities(self._heads[one.profile_id])
            if records:
                self._heads[one.profile_id] = records[-1].position
            recorded |= {each.object_id for each in records if each.kind is Kind.EVENT}
        path = f"/v1/events?last_modified={told['changes_since']}&{ALL}"
        listed = await every(self._here.api, path, token=self._here.token)
        self.missed |= recorded - {one["event_uid"] for one in listed}
        self.changes += len(recorded)


def edit(dice: random.Random, here: FakeCalendar, number: int) -> None:
    """Do what people do: add, change, move, delete."""
    keys = sorted(here.resources)
    choice = dice.random()
    if choice < 0.5 or not keys:
        here.put(f"{number}.ics", event(f"Event {number}", dice.randint(1, 28)))
        return
    key = dice.choice(keys)
    if choice < 0.75:
        old = here.resources[key].events[0]
        here.put(key, replace(old, name=f"{old.name}!"))
    elif choice < 0.85:
        here.put(key, event(here.resources[key].events[0].uid, dice.randint(1, 28)))
    else:
        here.remove(key)


@pytest.mark.parametrize("seed", SEEDS)
async def test_reading_since_a_push_tells_all_that_was_recorded_since_the_one_before(
    here: Desk, heard: Heard, seed: int
) -> None:
    """C15: over two profiles, with pushes that fail, and times within one second."""
    dice, api = random.Random(seed), here.api  # noqa: S311 - no secret
    second = await on_store(api.ground.store, api.clock)
    second.server.add("/home/", "Home")
    await second.poll()
    grounds = [api.ground, second]
    await here.open()
    reader = Reader(here, grounds)
    await reader.begin()
    heard.then = reader.ask
    for number in range(25):
        api.clock.advance(timedelta(milliseconds=dice.choice((1, 400, 1_500, 90_000))))
        for _ in range(dice.randint(0, 3)):
            calendars = [one for each in grounds for one in each.server.calendars.values()]
            edit(dice, dice.choice(calendars), number)
        for one in dice.sample(grounds, dice.randint(1, 2)):
            await one.poll(after=timedelta(milliseconds=dice.choice((0, 300, 2_500))))
        failing = dice.random() < 0.3
        heard.answers = (lambda _u, _m: refused(503)) if failing else FakeSink().answers
        await here.told()
    heard.answers = FakeSink().answers
    api.clock.advance(SCHEDULE[-1] * 2)
    for one in grounds:
        await one.poll()
    await here.told()
    assert reader.changes
    assert not reader.missed
    assert [await place(here, one) for one in await here.channels()] == [0]


async def test_only_what_the_application_manages(here: Desk, heard: Heard) -> None:
    """C13: its events, changed by whoever; deletes and exceptions too; nothing of others."""
    channel = await here.open(filters={"only_managed": True})
    calendar(here).put("theirs.ics", event("Theirs"))
    await poll(here)
    assert (words(heard), await place(here, channel)) == ([], 0)
    other = await desk(here.api, "Other")
    for token in (other.token, here.api.everything):
        assert (await here.api.send("POST", WORK, token=token, json=body())).status == 202
    await here.told()
    assert words(heard) == []
    assert (await here.api.send("POST", WORK, token=here.token, json=body())).status == 202
    await here.told()
    assert words(heard) == ["change"]
    await here.api.send("POST", WORK, token=here.token, json=body(summary="Later"))
    await here.told()
    assert len(heard.bodies) == 2
    mine = next(
        key for key, one in calendar(here).resources.items() if one.events[0].name == "Later"
    )
    calendar(here).put(mine, replace(calendar(here).resources[mine].events[0], name="Moved"))
    await poll(here)
    assert len(heard.bodies) == 3
    await here.api.send("DELETE", WORK, token=here.token, json={"event_id": "one"})
    await here.told()
    assert len(heard.bodies) == 4
    await here.api.send("POST", WORK, token=here.token, json=body("two", summary="Two"))
    await here.told()
    mine = next(key for key, one in calendar(here).resources.items() if one.events[0].name == "Two")
    calendar(here).remove(mine)
    await poll(here)
    assert len(heard.bodies) == 6
    await here.api.send("POST", WORK, token=here.token, json=body("three"))
    await here.told()
    del here.api.ground.server.calendars[CalendarKey("/work/")]
    for _ in range(3):  # until it is certain (I7)
        await here.api.ground.poll(after=timedelta(minutes=10))
    await here.told()
    assert words(heard) == ["change"] * 8


async def test_an_exception_belongs_to_whom_its_series_belongs_to(here: Desk, heard: Heard) -> None:
    """C6, C13: a person made one occurrence of a managed event's series another."""
    calendar(here).put("s.ics", series("Daily"))
    await poll(here)
    await here.open(filters={"only_managed": True})
    found = (await here.api.ground.activities())[-1]
    assert found.calendar_id is not None
    key = ManagedKey(
        application=here.client,
        profile=here.api.ground.profile_id,
        calendar=found.calendar_id,
        own_id="one",
    )
    store, now = here.api.ground.store, here.api.clock.now()
    await store.bind(await store.claim(key, name="n", at=now), EventId(found.object_id), now)
    calendar(here).put("s.ics", series("Daily"), exception("Late", 3, uid="Daily"))
    await poll(here)
    assert words(heard) == ["change"]


async def test_what_is_recorded_before_it_has_its_name_is_told_when_it_has(
    here: Desk, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C13, C10: a poll finds the event while the provider's answer is on its way.

    Whoever looks between the record and the name waits; the name wakes.
    """
    channel = await here.open(filters={"only_managed": True})
    server, store = here.api.ground.server, here.api.ground.store
    bind, waited = store.bind, list[int]()

    async def overtake() -> None:
        server.faults.after = None
        calendar(here).put("theirs.ics", event("Theirs"))
        await poll(here)
        waited.append(await place(here, channel))

    async def late(claimed: ManagedEvent, *more: Any) -> None:  # noqa: ANN401
        await here.told()
        assert words(heard) == []
        waited.append(await place(here, channel))
        await bind(claimed, *more)

    monkeypatch.setattr(store, "bind", late)
    server.faults.after = overtake
    async with following(here):
        assert (await here.api.send("POST", WORK, token=here.token, json=body())).status == 202
        async with asyncio.timeout(5):
            while words(heard) != ["change"]:  # noqa: ASYNC110 - the fake tells nobody
                await asyncio.sleep(0.01)
        await here.api.parts.deliverer.settled()
    assert all(waited)
    assert await place(here, channel) == 0
    since = heard.bodies[0]["changes_since"]
    path = f"/v1/events?last_modified={since}&only_managed=true"
    (one,) = await every(here.api, path, token=here.token)
    assert one["event_id"] == "one"


async def test_a_name_that_never_comes_is_not_waited_for(here: Desk, heard: Heard) -> None:
    """C10: the process died between the provider and the store; then another event is told."""
    channel = await here.open(filters={"only_managed": True})
    here.api.ground.server.faults.answering = UpstreamError("no answer")
    assert (await here.api.send("POST", WORK, token=here.token, json=body())).status == 502
    here.api.ground.server.faults.answering = None
    await here.api.ground.poll(after=timedelta(seconds=1))
    await here.told()
    assert (words(heard), await place(here, channel)) == ([], 1)
    here.api.clock.advance(CLAIM_LASTS)
    await settled(here.api)
    assert (words(heard), await place(here, channel)) == ([], 0)
    assert (await here.api.send("POST", WORK, token=here.token, json=body("two"))).status == 202
    await here.told()
    assert words(heard) == ["change"]


async def test_a_second_try_of_a_write_is_told(here: Desk, heard: Heard) -> None:
    """C10: a poll recorded what the first try made; its name comes with the second."""
    await here.open(filters={"only_managed": True})
    here.api.ground.server.faults.answering = UpstreamError("no answer")
    assert (await here.api.send("POST", WORK, token=here.token, json=body())).status == 502
    here.api.ground.server.faults.answering = None
    await here.api.ground.poll(after=timedelta(seconds=1))
    await here.told()
    assert words(heard) == []
    here.api.clock.advance(CLAIM_LASTS / 2)
    assert (await here.api.send("POST", WORK, token=here.token, json=body())).status == 202
    await here.told()
    assert words(heard) == ["change"]


async def test_a_name_that_waited_for_long_is_waited_for_again(here: Desk, heard: Heard) -> None:
    """C10: the first try came to nothing; days later the same one meets a poll."""
    await here.open(filters={"only_managed": True})
    server = here.api.ground.server
    server.faults.writing = UpstreamError("no answer")
    assert (await here.api.send("POST", WORK, token=here.token, json=body())).status == 502
    server.faults.writing = None
    here.api.clock.advance(timedelta(days=2))

    async def overtake() -> None:
        server.faults.after = None
        await poll(here)

    server.faults.after = overtake
    assert (await here.api.send("POST", WORK, token=here.token, json=body())).status == 202
    await here.told()
    assert words(heard) == ["change"]
