"""Writes of events: at the provider first, in the stream before the answer (R13, ADR 11)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from syncd.engine.draft import Guest
from syncd.model.abilities import EVENT_MEMBERS, Abilities
from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ReadOnlyError,
    RejectedError,
    RelinkRequiredError,
    SyncdError,
    ThrottledError,
    TransientError,
    UpstreamError,
)
from syncd.model.event import Answer
from syncd.model.ids import CalendarKey
from syncd.model.profile import Reason, changed
from tests.engine.desk import Desk, desk, shown
from tests.engine.ground import Ground, exception, series


@pytest.fixture
async def at(here: Ground) -> AsyncIterator[Desk]:
    async with desk(here) as made:
        yield made


async def test_a_new_event_is_in_the_stream_when_the_call_returns(at: Desk) -> None:
    before = await at.ground.head()
    made = await at.create(description="with Bo")
    assert shown(made)["description"] == "with Bo"
    assert await at.ground.told(before) == ["add event Review"]
    assert made.cursor.position == await at.ground.head()
    await at.agree()


async def test_a_create_that_is_repeated_makes_no_second_event(at: Desk) -> None:
    made = await at.create()
    head = await at.ground.head()
    again = await at.create()
    assert again.event.id == made.event.id
    assert await at.ground.head() == head
    assert len(at.ground.server.calendars[CalendarKey("/work/")].resources) == 1


async def test_a_change_tells_what_changed_once(at: Desk) -> None:
    made = await at.create(location="Room 2")
    before = await at.ground.head()
    after = await at.update(made.event.id, name="Review (moved)")
    assert (shown(after)["name"], shown(after)["location"]) == ("Review (moved)", "Room 2")
    (told,) = await at.ground.activities(before)
    assert b'"changes":{"name":{"old":"Review","new":"Review (moved)"}}' in told.body
    await at.agree()


async def test_a_change_of_nothing_asks_nobody(at: Desk) -> None:
    made = await at.create()
    writes = at.ground.server.writes
    assert shown(await at.update(made.event.id)) == shown(made)
    assert at.ground.server.writes == writes


async def test_an_event_is_deleted_with_its_exceptions(at: Desk) -> None:
    work = at.ground.server.calendars[CalendarKey("/work/")]
    work.put("a.ics", series("Stand-up", uid="a"), exception("Long", 3, uid="a"))
    await at.ground.poll()
    (master,) = [one for one in await at.ground.activities() if b"Stand-up" in one.body]
    before = await at.ground.head()
    await at.delete(master.object_id)
    assert await at.ground.told(before) == ["delete event Long", "delete event Stand-up"]
    with pytest.raises(NotFoundError):
        await at.delete(master.object_id)
    await at.agree()


async def test_an_occurrence_becomes_an_exception_and_then_an_excluded_start(at: Desk) -> None:
    made = await at.create(recurrence=("RRULE:FREQ=DAILY;COUNT=4",))
    name = f"{made.event.id}_20261106T090000Z"
    before = await at.ground.head()
    altered = await at.update(name, name="Longer review")
    assert altered.event.id == name
    assert shown(altered)["original_start"] == "2026-11-06T10:00:00+01:00"
    assert shown(altered)["recurring_master_id"] == made.event.id
    assert await at.ground.told(before) == ["add event Longer review"]
    await at.agree()
    before = await at.ground.head()
    await at.delete(name)
    assert sorted(await at.ground.told(before)) == [
        "delete event Longer review",
        "update event Review",
    ]
    with pytest.raises(NotFoundError):
        await at.update(name, name="Gone")
    with pytest.raises(NotFoundError):
        await at.update(f"{made.event.id}_20261110T090000Z", name="Never was")
    await at.agree()


async def test_an_answer_changes_only_ones_own_status(at: Desk) -> None:
    people = [Guest(email="bo@example.org", name="Bo"), Guest(email="ada@example.org", name="Ada")]
    made = await at.create(attendees=tuple(people))
    told = await at.update(
        made.event.id,
        attendees=(Guest(email="Ada@Example.org", name="Ada", answer=Answer.ACCEPTED),),
    )
    assert {one["email"]: one["status"] for one in shown(told)["attendees"]} == {
        "bo@example.org": "pending",
        "ada@example.org": "accepted",
    }


async def test_what_the_provider_cannot_store_is_left_out_and_named(at: Desk) -> None:
    at.ground.server.can = Abilities(event=EVENT_MEMBERS - {"visibility", "color"})
    made = await at.create(color="#AABBCC", visibility=None)
    assert made.ignored == {"visibility", "color"}
    assert shown(made)["color"] is None


async def test_a_read_only_calendar_is_refused_before_the_provider_is_asked(at: Desk) -> None:
    work = at.ground.server.calendars[CalendarKey("/work/")]
    made = await at.create()
    work.calendar = replace(work.calendar, read_only=True)
    await at.ground.poll(listing=True)
    writes = at.ground.server.writes
    with pytest.raises(ReadOnlyError):
        await at.create(key="m" * 22)
    with pytest.raises(ReadOnlyError):
        await at.update(made.event.id, name="Other")
    with pytest.raises(ReadOnlyError):
        await at.delete(made.event.id)
    assert at.ground.server.writes == writes


async def test_a_disconnected_profile_is_not_asked_and_a_paused_one_is(at: Desk) -> None:
    profile, now = await at.ground.profile(), at.ground.clock.now()
    await at.ground.store.save_profile(changed(profile, now, paused=True))
    await at.create()
    profile = await at.ground.profile()
    lost = changed(profile, now, refused=Reason.CREDENTIALS_REFUSED, refused_at=now)
    await at.ground.store.save_profile(lost)
    with pytest.raises(RelinkRequiredError):
        await at.create(key="m" * 22)


async def test_a_refused_login_says_so_and_is_no_proof(at: Desk) -> None:
    at.ground.server.faults.writing = RelinkRequiredError("401")
    for number in range(5):
        with pytest.raises(RelinkRequiredError):
            await at.create(key=f"{number}" * 22)
    profile = await at.ground.profile()
    assert profile.refused is None
    assert profile.proof is None


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (TransientError("503"), UpstreamError),
        (TransientError("429", retry_after=timedelta(seconds=9)), ThrottledError),
        (ForbiddenError("not yours"), ForbiddenError),
        (ConflictError("taken"), ConflictError),
        (NotFoundError("no calendar"), NotFoundError),
        (InvalidError("too long for us"), RejectedError),
    ],
)  # fmt: skip
async def test_what_the_provider_answers_keeps_its_meaning(
    at: Desk, theirs: SyncdError, ours: type[SyncdError]
) -> None:
    at.ground.server.faults.writing = theirs
    with pytest.raises(ours, match=str(theirs)):
        await at.create()
    assert not [one for one in await at.ground.told() if "event" in one]
