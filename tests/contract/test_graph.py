"""A Graph profile polled and written for real into a real store; the stream tells the truth."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.engine.draft import EventDraft, PropertyDraft
from syncd.model.errors import OtherPersonError, RejectedError, UnsupportedError
from syncd.model.event import Answer, Person
from syncd.model.ids import EventId
from syncd.model.profile import Reason, State
from tests.contract.rig import PAUSE, Rig, rigged
from tests.contract.stages.graph import GraphStage
from tests.providers.graph import graph_login
from tests.providers.test_graph_reading import SECOND, THIRD, WEEKLY
from tests.servers.graph import Fault, at
from tests.servers.graph_truth import OWNER

Told = list[tuple[str, str]]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig[GraphStage]]:
    stage = GraphStage(tmp_path)
    stage.server.work.members["name"] = "Calendar"
    await stage.start()
    async with rigged(stage, tmp_path, reconcile=timedelta(hours=6)) as one:
        await one.connect()
        yield one
    await stage.stop()
    assert stage.complaints() == []


async def looked(rig: Rig[GraphStage], pause: timedelta = PAUSE) -> Told:
    """Return what a poll adds to the stream: type, and the event's name."""
    await rig.poll(pause=pause)
    return await rig.told()


async def update(rig: Rig[GraphStage], event: str, draft: EventDraft) -> dict[str, Any]:
    (calendar,) = await rig.store.calendars(rig.profile_id)
    profile, name = await rig.profile(), EventId(event)
    outcome = await rig.writer.update_event(profile, calendar, name, draft)
    told: dict[str, Any] = orjson.loads(outcome.event.document)
    return told


async def test_what_happens_at_graph_is_told_once(rig: Rig[GraphStage]) -> None:
    work = rig.stage.server.work
    work.put("a", subject="Single", start=at(24), end=at(24, 10))
    work.put("w", **WEEKLY)
    assert await looked(rig) == [("add", "Calendar"), ("add", "Single"), ("add", "Weekly")]
    assert await looked(rig) == []
    work.put_exception("w", SECOND, subject="Special")
    assert await looked(rig) == [("add", "Special")]
    series, exception = rig.named("Weekly"), rig.named("Special")
    assert exception["id"] == f"{series['id']}_20261201T090000Z"  # P8
    assert exception["recurring_master_id"] == series["id"]
    work.drop("w", SECOND)
    assert await looked(rig) == [("delete", "Special"), ("update", "Weekly")]
    work.put("a", start=at(25), end=at(25, 10))
    assert await looked(rig) == [("update", "Single")]
    work.put_exception("w", date(2026, 12, 15), subject="Other")
    work.remove("a")
    assert await looked(rig) == [("add", "Other"), ("delete", "Single")]
    work.remove("w")
    assert await looked(rig) == [("delete", "Other"), ("delete", "Weekly")]
    assert rig.replay.events == {}


async def test_a_silent_removal_is_told_at_the_next_reconcile(rig: Rig[GraphStage]) -> None:
    """MG7, I9: as one update, and not as a correction of the feed's fault."""
    rig.stage.server.work.put("w", **WEEKLY)
    await looked(rig)
    rig.stage.server.work.drop("w", THIRD)
    assert await looked(rig) == []
    assert await looked(rig, timedelta(hours=7)) == [("update", "Weekly")]
    assert len(rig.named("Weekly")["recurrence"]) == 2
    assert await looked(rig, timedelta(hours=7)) == []


async def test_an_expired_link_costs_one_full_read_and_no_activity(rig: Rig[GraphStage]) -> None:
    """I8, MG9."""
    work = rig.stage.server.work
    for number in range(5):
        work.put(f"e{number}", subject=f"{number}", start=at(24), end=at(24, 10))
    work.put("w", **WEEKLY)
    work.drop("w", SECOND)
    await looked(rig)
    rig.stage.server.expire()
    work.put("e0", subject="changed")
    work.remove("e1")
    work.put("e5", subject="new", start=at(24), end=at(24, 10))
    assert await looked(rig) == [("add", "new"), ("delete", "1"), ("update", "changed")]
    assert rig.meter.counts["full_reads_total"] == 1
    assert await looked(rig) == []
    assert rig.meter.counts["full_reads_total"] == 1


async def test_a_write_is_told_once_and_the_next_poll_finds_nothing(rig: Rig[GraphStage]) -> None:
    """R13, P11, K26."""
    await looked(rig)
    (calendar,) = await rig.store.calendars(rig.profile_id)
    profile, begin = await rig.profile(), rig.clock.now()
    draft = EventDraft(
        name="Mine",
        start=begin,
        end=begin + timedelta(hours=1),
        recurrence=("RRULE:FREQ=DAILY;COUNT=5",),
        custom_properties=(PropertyDraft(key="a", value="1"),),
    )
    made = await rig.writer.create_event(profile, calendar, draft, name="n" * 22)
    assert await rig.told() == [("add", "Mine")]
    assert await looked(rig) == []
    second = f"{made.event.id}_{begin + timedelta(days=1):%Y%m%dT%H%M%SZ}"
    await update(rig, second, EventDraft(name="Second"))
    assert await rig.told() == [("add", "Second")]
    merged = EventDraft(custom_properties=(PropertyDraft(key="b", value="2"),))
    told = await update(rig, made.event.id, merged)
    assert {one["key"] for one in told["custom_properties"]} == {"a", "b"}
    assert await rig.told() == [("update", "Mine")]
    await rig.writer.delete_event(profile, calendar, EventId(second))
    assert await rig.told() == [("delete", "Second"), ("update", "Mine")]
    assert await looked(rig) == []
    key = next(iter(rig.stage.server.work.events))
    rig.stage.server.work.put(
        key, location={"displayName": "Elsewhere"}
    )  # overtakes: read once more
    await update(rig, made.event.id, EventDraft(name="Yours"))
    assert rig.stage.server.work.events[key]["location"] == {"displayName": "Elsewhere"}
    assert rig.stage.server.work.events[key]["subject"] == "Yours"
    await rig.writer.delete_event(profile, calendar, made.event.id)
    await rig.told()
    assert await looked(rig) == []
    assert rig.replay.events == {}


async def test_what_outlook_cannot_do_is_refused_in_the_words_of_the_api(
    rig: Rig[GraphStage],
) -> None:
    """K25, K26."""
    rig.stage.server.work.put("a", subject="Single", start=at(24), end=at(24, 10))
    await looked(rig)
    event = rig.named("Single")["id"]
    early = EventDraft(recurrence=("RRULE:FREQ=DAILY;UNTIL=20261101T000000Z",))
    with pytest.raises(RejectedError) as caught:
        await update(rig, event, early)
    assert (caught.value.code, caught.value.members) == (
        "unsupported_recurrence",
        {"part": "UNTIL"},
    )
    with pytest.raises(UnsupportedError):
        await update(rig, event, EventDraft(organizer=Person(email="bo@example.org")))
    assert await rig.told() == []


async def test_who_declines_is_answered_with_what_was_there(rig: Rig[GraphStage]) -> None:
    """MG13: the event goes, which is a success of the write and a delete in the stream."""
    guests = [{"emailAddress": {"address": OWNER}}, {"emailAddress": {"address": "bo@example.org"}}]
    invited = {"isOrganizer": False, "attendees": guests}
    invited["organizer"] = {"emailAddress": {"address": "bo@example.org"}}
    rig.stage.server.work.put("a", subject="Single", start=at(24), end=at(24, 10), **invited)
    rig.stage.server.work.put("w", **WEEKLY, **invited)
    await looked(rig)
    decline = EventDraft(reply=Answer.DECLINED)
    told = await update(rig, rig.named("Single")["id"], decline)
    assert [(one["email"], one["status"]) for one in told["attendees"]] == [
        (OWNER, "declined"),
        ("bo@example.org", "accepted"),
    ]
    assert await rig.told() == [("delete", "Single")]
    occurrence = f"{rig.named('Weekly')['id']}_20261201T090000Z"
    told = await update(rig, occurrence, decline)
    assert (told["id"], told["attendees"][0]["status"]) == (occurrence, "declined")
    assert await rig.told() == [("update", "Weekly")]
    assert await looked(rig) == []
    assert rig.stage.server.responses == [("a", "decline", True), ("w@2026-12-01", "decline", True)]


async def test_a_revoked_grant_disconnects_and_a_new_one_heals(rig: Rig[GraphStage]) -> None:
    """I11, I12, P15: throttles and refusals by right never do."""
    rig.stage.server.work.put("a", subject="Single", start=at(24), end=at(24, 10))
    await looked(rig)
    rig.stage.server.faults.append(Fault(403, code="ErrorAccessDenied", part="/calendarView"))
    rig.stage.server.faults.append(Fault(429, code="ApplicationThrottled", times=1))
    for _ in range(2):
        await looked(rig)
    assert (await rig.profile()).state is State.CONNECTED
    rig.clock.advance(timedelta(days=2))
    rig.stage.server.tokens.revoke()
    for _ in range(30):
        await looked(rig)
    dead = await rig.profile()
    assert (dead.state, dead.state_reason) == (State.DISCONNECTED, Reason.INVALID_GRANT)
    rig.stage.server.tokens.revoked = False
    rig.stage.server.sign_in(person="another")
    with pytest.raises(OtherPersonError):
        await rig.linking.relink(dead, graph_login(rig.stage.server))
    rig.stage.server.sign_in()
    back = await rig.linking.relink(dead, graph_login(rig.stage.server))
    assert (back.id, back.state) == (dead.id, State.CONNECTED)
    before = set(rig.replay.events)
    await looked(rig)
    assert set(rig.replay.events) >= before
    assert rig.replay.counts["delete"] == 0
