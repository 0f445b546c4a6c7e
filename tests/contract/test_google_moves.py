"""Google events that change their organizer (K26), through the writer into a real store."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from syncd.engine.draft import EventDraft
from syncd.model.activity import Filter
from syncd.model.errors import InvalidError
from syncd.model.event import Person
from syncd.model.ids import CalendarKey, EventId, Position
from tests.contract.cloud import GoogleRig, google_rig
from tests.servers.google import OWNER, Fault, at

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


async def stands(rig: GoogleRig, *names: str) -> bool:
    """Tell whether the stream has these events in the team's calendar, and nothing else."""
    calendars = {one.key: one.id for one in await rig.store.calendars(rig.connected.id)}
    told = {(one["name"], one["calendar_id"]) for one in rig.replay.events.values()}
    return told == {(name, calendars[CalendarKey(TEAM)]) for name in names}


TEAM = "team@example.org"
Told = tuple[str, dict[str, Any]]


async def written(rig: GoogleRig) -> list[Told]:
    """Return what a write left in the stream: type and what changed."""
    after = Position(rig.replay.position)
    _, found, _ = await rig.store.read(rig.connected.id, after=after, limit=500, wanted=Filter())
    records = [orjson.loads(one.body) for one in found]
    rig.replay.apply(records)
    return [(one["type"], one.get("changes", {})) for one in records]


async def given_away(rig: GoogleRig, event: str, to: str = TEAM, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """Change the organizer of an event of Ada's calendar; return the event as it is answered."""
    calendars = {one.key: one for one in await rig.store.calendars(rig.connected.id)}
    made = await rig.writer.update_event(
        await rig.profile(),
        calendars[CalendarKey(OWNER)],
        EventId(rig.named(event)["id"]),
        EventDraft(organizer=Person(email=to), **more),
    )
    told: dict[str, Any] = orjson.loads(made.event.document)
    return told


async def test_an_event_moves_to_its_new_organizers_calendar_and_stays_itself(
    rig: GoogleRig,
) -> None:
    """K26: one update with the calendar in it, then nothing; the discovery document judges."""
    team = rig.server.add_calendar(TEAM, summary="Team")
    rig.server.work.put("a", summary="Review", start=at(24), end=at(24, 10))
    await rig.step()
    before = rig.named("Review")["id"]
    told = await given_away(rig, "Review", TEAM.upper())
    assert (told["id"], told["organizer"]["email"]) == (before, TEAM)
    ((kind, changes),) = await written(rig)
    assert kind == "update"
    assert changes.keys() == {"calendar_id", "organizer"}
    assert changes["calendar_id"]["new"] == told["calendar_id"] != changes["calendar_id"]["old"]
    assert [one["summary"] for one in team.events.values()] == ["Review"]
    for _ in range(3):
        assert await rig.step() == []
    assert await stands(rig, "Review")
    assert rig.server.asked[-1].method == "GET"
    (moved,) = (one for one in rig.server.asked if one.path.endswith("/move"))
    assert dict(moved.query) == {"destination": TEAM, "sendUpdates": "all"}


async def test_a_series_moves_with_its_exceptions(rig: GoogleRig) -> None:
    """K26, P8."""
    rig.server.add_calendar(TEAM, summary="Team")
    rig.server.work.put("w", **WEEKLY)
    rig.server.work.put("w_20261201T090000Z", summary="Other")
    await rig.step()
    await given_away(rig, "Weekly")
    assert [kind for kind, _ in await written(rig)] == ["update", "update"]
    assert await rig.step() == []
    assert await stands(rig, "Weekly", "Other")


async def test_what_else_is_given_is_changed_before_the_move(rig: GoogleRig) -> None:
    rig.server.add_calendar(TEAM, summary="Team")
    rig.server.work.put("a", summary="Review", start=at(24), end=at(24, 10))
    await rig.step()
    told = await given_away(rig, "Review", name="Plan", use_default_reminder=False)
    assert (told["name"], told["use_default_reminder"]) == ("Plan", False)
    updates = await written(rig)
    assert [changes.keys() for _, changes in updates] == [
        {"name", "use_default_reminder"},
        {"calendar_id", "organizer"},
    ]
    assert await rig.step() == []


async def test_an_organizer_without_a_calendar_here_is_refused_before_google_is_asked(
    rig: GoogleRig,
) -> None:
    """K26: it must be a writable calendar of the profile; an occurrence goes with its series."""
    rig.server.add_calendar(TEAM, summary="Team")
    rig.server.add_calendar("read@example.org", summary="Read", role="reader")
    rig.server.work.put("w", **WEEKLY)
    rig.server.work.put("w_20261201T090000Z", summary="Other")
    await rig.step()
    asked = len(rig.server.asked)
    for name, who in (("Weekly", "read@example.org"), ("Weekly", "bo@x.org"), ("Other", TEAM)):
        with pytest.raises(InvalidError) as caught:
            await given_away(rig, name, who)
        assert caught.value.field == "organizer"
    assert len(rig.server.asked) == asked
    assert (await given_away(rig, "Weekly", OWNER))["name"] == "Weekly"
    assert await written(rig) == []


async def test_a_move_that_was_done_before_its_answer_was_lost_is_recorded(rig: GoogleRig) -> None:
    """P11."""
    rig.server.add_calendar(TEAM, summary="Team")
    rig.server.work.put("a", summary="Review", start=at(24), end=at(24, 10))
    await rig.step()
    rig.server.faults.append(Fault(0, part="/move", method="POST", after=True))
    await given_away(rig, "Review")
    assert [kind for kind, _ in await written(rig)] == ["update"]
    assert await rig.step() == []
