"""A Google profile polled and written for real into a real store; the stream tells the truth."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.engine.draft import EventDraft
from syncd.model.ids import EventId
from syncd.model.profile import Reason, State
from tests.contract.google_rig import GoogleRig, google_rig
from tests.providers.google import google_login
from tests.servers.google import Fault, at

WEEKLY = {
    "summary": "Weekly",
    "start": at(24, 10),
    "end": at(24, 11),
    "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=8"],
}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[GoogleRig]:
    async with google_rig(tmp_path) as one:
        yield one


async def test_what_happens_at_google_is_told_once(rig: GoogleRig) -> None:
    work = rig.server.work
    work.put("a", summary="Single", start=at(24), end=at(24, 10))
    work.put("w", **WEEKLY)
    assert sorted(await rig.step()) == [("add", "Ada"), ("add", "Single"), ("add", "Weekly")]
    assert await rig.step() == []
    work.put("w_20261201T090000Z", summary="Special")
    assert await rig.step() == [("add", "Special")]
    series, exception = rig.named("Weekly"), rig.named("Special")
    assert exception["id"] == f"{series['id']}_20261201T090000Z"  # P8
    assert exception["recurring_master_id"] == series["id"]
    work.cancel("w_20261208T090000Z")
    assert await rig.step() == [("update", "Weekly")]
    work.cancel("w_20261201T090000Z")
    assert sorted(await rig.step()) == [("delete", "Special"), ("update", "Weekly")]
    assert len(rig.named("Weekly")["recurrence"]) == 3
    work.put("a", start=at(25), end=at(25, 10))
    assert await rig.step() == [("update", "Single")]
    work.put("w_20261215T090000Z", summary="Other")
    work.cancel("a")
    assert sorted(await rig.step()) == [("add", "Other"), ("delete", "Single")]
    work.cancel("w")
    assert sorted(await rig.step()) == [("delete", "Other"), ("delete", "Weekly")]
    assert rig.replay.events == {}


async def test_an_expired_token_costs_one_full_read_and_no_activity(rig: GoogleRig) -> None:
    """I8."""
    work = rig.server.work
    for number in range(5):
        work.put(f"e{number}", summary=f"{number}", start=at(24), end=at(24, 10))
    work.put("w", **WEEKLY)
    work.cancel("w_20261201T090000Z")
    await rig.step()
    rig.server.expire()
    work.put("e0", summary="changed")
    work.cancel("e1")
    work.put("e5", summary="new", start=at(24), end=at(24, 10))
    assert sorted(await rig.step()) == [("add", "new"), ("delete", "1"), ("update", "changed")]
    assert rig.meter.counts["full_reads_total"] == 1
    assert await rig.step() == []
    assert rig.meter.counts["full_reads_total"] == 1


async def test_a_write_is_told_once_and_the_next_poll_finds_nothing(rig: GoogleRig) -> None:
    """R13."""
    await rig.step()
    (calendar,) = await rig.store.calendars(rig.connected.id)
    profile = await rig.profile()
    begin = rig.clock.now()
    draft = EventDraft(
        name="Mine",
        start=begin,
        end=begin + timedelta(hours=1),
        recurrence=("RRULE:FREQ=DAILY;COUNT=5",),
    )
    made = await rig.writer.create_event(profile, calendar, draft, name="n" * 22)
    assert await rig.drain() == [("add", "Mine")]
    assert await rig.step() == []
    second = EventId(f"{made.event.id}_{begin + timedelta(days=1):%Y%m%dT%H%M%SZ}")
    change = EventDraft(name="Second")
    await rig.writer.update_event(profile, calendar, second, change)
    assert await rig.drain() == [("add", "Second")]
    await rig.writer.delete_event(profile, calendar, second)
    assert sorted(await rig.drain()) == [("delete", "Second"), ("update", "Mine")]
    assert await rig.step() == []
    key = next(iter(rig.server.work.events))
    rig.server.work.put(key, location="Elsewhere")  # overtakes: read once, then written over
    await rig.writer.update_event(profile, calendar, made.event.id, EventDraft(name="Yours"))
    assert rig.server.work.events[key]["location"] == "Elsewhere"
    assert rig.server.work.events[key]["summary"] == "Yours"
    await rig.writer.delete_event(profile, calendar, made.event.id)
    await rig.drain()
    assert await rig.step() == []
    assert rig.replay.events == {}


async def test_a_revoked_grant_disconnects_and_a_new_one_heals(rig: GoogleRig) -> None:
    """I11, I12: throttles and refusals by scope never do."""
    rig.server.work.put("a", summary="Single", start=at(24), end=at(24, 10))
    await rig.step()
    rig.server.faults.append(Fault(403, reason="insufficientPermissions", part="/events"))
    rig.server.faults.append(Fault(403, reason="rateLimitExceeded", times=1))
    for _ in range(2):
        await rig.poll()
    assert (await rig.profile()).state is State.CONNECTED
    rig.clock.advance(timedelta(days=2))
    rig.server.tokens.revoked = True
    for _ in range(30):
        await rig.poll()
    dead = await rig.profile()
    assert (dead.state, dead.state_reason) == (State.DISCONNECTED, Reason.INVALID_GRANT)
    rig.server.tokens.revoked = False
    back = await rig.linking.relink(dead, google_login(rig.server))
    assert (back.id, back.state) == (dead.id, State.CONNECTED)
    before = set(rig.replay.events)
    await rig.step()
    assert set(rig.replay.events) >= before
    assert rig.replay.counts["delete"] == 0
