"""When rooms are taken, as Microsoft Graph tells it (api.md K28, MG21)."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)
from syncd.model.ids import CalendarKey
from tests.providers.graph import GraphDesk, graph_desk
from tests.providers.test_graph_rooms import DAILY, HALL, meant
from tests.servers.graph import Fault, GraphServer, at
from tests.servers.graph_schema import operation
from tests.servers.graph_truth import CalendarTruth
from tests.servers.raw import RawServer, answer

YARD = CalendarKey("yard@example.org")
PATH = "/me/calendar/getSchedule"
FIRST, LAST = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
async def desk() -> AsyncIterator[GraphDesk]:
    async with GraphServer().running() as server, graph_desk(server) as desk:
        for name in ("hall", "yard"):
            server.add_seen_room(name)
        desk.asked()
        yield desk
    assert server.complaints == []


def book(desk: GraphDesk, room: CalendarKey = HALL) -> CalendarTruth:
    """Book a room for a series and two talks; two entries take no time."""
    truth = desk.server.rooms[room]
    truth.put("D", subject="Daily", start=at(2), end=at(2, 10), recurrence=DAILY)
    truth.drop("D", date(2026, 11, 3))
    truth.put("T", subject="Talk", start=at(5, 15), end=at(5, 16), showAs="tentative")
    truth.put("O", subject="Away", start=at(6), end=at(6, 10), showAs="oof")
    truth.put("F", subject="Open", start=at(7), end=at(7, 10), showAs="free")
    truth.put("W", subject="Elsewhere", start=at(8), end=at(8, 10), showAs="workingElsewhere")
    return truth


BOOKED = [("02.08:00", "02.09:00"), ("04.08:00", "04.09:00"), ("05.14:00", "05.15:00"),
          ("06.08:00", "06.09:00")]  # fmt: skip


async def told(
    desk: GraphDesk, *rooms: CalendarKey, after: datetime = FIRST
) -> list[tuple[str, str]]:
    found = await desk.provider.room_busy(rooms or (HALL,), after, LAST)
    return sorted((f"{one:%d.%H:%M}", f"{other:%d.%H:%M}") for one, other in found)


async def test_graph_says_what_takes_time(desk: GraphDesk) -> None:
    """Neither who is free nor who works elsewhere is in the way; a room is named in any case."""
    book(desk)
    assert await told(desk) == BOOKED
    assert desk.asked() == [f"POST {PATH}"]
    desk.server.rooms[YARD].put("A", subject="Talk", start=at(3), end=at(3, 10))
    assert await told(desk, HALL, YARD) == sorted([*BOOKED, ("03.08:00", "03.09:00")])


async def test_nobodys_rights_to_the_calendar_are_needed(desk: GraphDesk) -> None:
    """Other than for what it holds: the directory's people see when rooms are free."""
    book(desk)
    desk.server.shared = False
    assert await told(desk) == BOOKED


async def test_where_a_room_shows_no_items_its_merged_view_counts(desk: GraphDesk) -> None:
    """In slots of five minutes, however crooked the time that was asked for begins."""
    book(desk)
    desk.server.habits.merged_schedules = True
    for after in (FIRST, FIRST + timedelta(minutes=33, seconds=7)):
        found = await desk.provider.room_busy((HALL,), after, LAST)
        assert all(other - one == timedelta(minutes=5) for one, other in found)
        assert {f"{one:%d.%H}" for one, _ in found} == {one[:5] for one, _ in BOOKED}
        assert len(found) == 12 * len(BOOKED)
    for key in list(desk.server.rooms[HALL].events):
        desk.server.rooms[HALL].remove(key)
    assert await told(desk) == []


async def test_a_long_time_and_many_rooms_are_asked_for_in_parts(desk: GraphDesk) -> None:
    rooms = [CalendarKey(f"r{number}@example.org") for number in range(25)]
    for room in rooms:
        truth = desk.server.add_seen_room(room.partition("@")[0])
        if room in (rooms[0], rooms[-1]):
            truth.put("A", subject="A", start=at(2), end=at(2, 10))
            truth.put("B", subject="B", start=at(58), end=at(58, 10))
    found = await desk.provider.room_busy(rooms, FIRST, FIRST + timedelta(days=92))
    assert len(found) == 4
    assert desk.asked() == [f"POST {PATH}"] * 4


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(403, part="getSchedule", code="ErrorAccessDenied"), ForbiddenError),
        (Fault(404, part="getSchedule", code="MailboxNotEnabledForRESTAPI"), ForbiddenError),
        (Fault(401, part="getSchedule", times=9), RelinkRequiredError),
        (Fault(429, part="getSchedule", times=9), TransientError),
        (Fault(503, part="getSchedule", times=9), TransientError),
        (Fault(400, part="getSchedule", code="ErrorTimeIntervalTooBig"), MalformedReplyError),
        (Fault(200, part="getSchedule", text="{}"), MalformedReplyError),
        (Fault(200, part="getSchedule", text='{"value": []}'), MalformedReplyError),
    ],
    ids=lambda one: f"{one.status} {one.text or one.code}" if isinstance(one, Fault) else "",
)
async def test_what_is_not_told_is_no_free_time(
    desk: GraphDesk, fault: Fault, error: type[SyncdError]
) -> None:
    """P1."""
    desk.server.faults.append(fault)
    with pytest.raises(error):
        await told(desk)


async def test_a_room_that_is_not_shown_is_refused(desk: GraphDesk) -> None:
    desk.server.hidden.add(YARD)
    with pytest.raises(ForbiddenError, match="ErrorNoFreeBusyAccess"):
        await told(desk, HALL, YARD)
    del desk.server.rooms[YARD]
    with pytest.raises(ForbiddenError, match="ErrorMailRecipientNotFound"):
        await told(desk, HALL, YARD)


@pytest.mark.parametrize(
    ("mine", "error"),
    [
        ({"error": {"responseCode": "ErrorServerBusy"}}, TransientError),
        ({"error": "odd"}, MalformedReplyError),
        ({}, MalformedReplyError),
        ({"scheduleItems": [], "availabilityView": ""}, MalformedReplyError),
        ({"scheduleItems": [{"status": "busy"}]}, MalformedReplyError),
        ({"scheduleItems": 7, "availabilityView": "0"}, MalformedReplyError),
    ],
)
async def test_a_fault_of_one_room_is_told_whatever_others_are(
    desk: GraphDesk, mine: dict[str, object], error: type[SyncdError]
) -> None:
    hall = {"scheduleId": HALL, "scheduleItems": [], "availabilityView": "0"}
    text = json.dumps({"value": [hall, {"scheduleId": YARD, **mine}]})
    desk.server.faults.append(Fault(200, part="getSchedule", text=text))
    with pytest.raises(error):
        await told(desk, HALL, YARD)


async def test_names_and_states_are_known_in_any_case(desk: GraphDesk) -> None:
    """Microsoft's own examples write them in two ways."""
    times = [{"dateTime": f"2026-11-0{day}T09:00:00.0000000", "timeZone": "UTC"} for day in (2, 3)]
    items = [{"status": one, "start": times[0], "end": times[1]} for one in ("Free", "Busy")]
    mine = {"scheduleId": HALL.upper(), "scheduleItems": items, "availabilityView": "02"}
    text = json.dumps({"value": [mine]})
    desk.server.faults.append(Fault(200, part="getSchedule", text=text))
    assert await told(desk) == [("02.09:00", "03.09:00")]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("body", [b"", b"[]", b'{"value": 1}', b'{"value": [], "x'])
async def test_no_answer_is_free_time(desk: GraphDesk, body: bytes) -> None:
    """10.4: whatever the status."""
    async with RawServer.running() as raw:
        desk.provider._client._base = raw.url.rstrip("/")  # type: ignore[attr-defined]
        for status in range(100, 600):
            raw.told = answer(status, body, kind="application/json")
            with pytest.raises(meant(status)):
                await told(desk)


def test_the_judge_notices_what_the_document_does_not_know() -> None:
    """10.4: negative controls."""
    known = operation("POST", PATH)
    assert known is not None
    body = {"schedules": [HALL], "startTime": {"dateTime": "x", "timeZone": "UTC"}}
    assert not known.faults({}, body)
    assert known.faults({}, {**body, "rooms": []})
    assert known.answer_faults({"value": [{"scheduleId": HALL, "busy": []}]})
