"""When rooms are taken, as Google adds it up (api.md K28, G16)."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)
from syncd.model.ids import CalendarKey
from tests.providers.google import GoogleDesk, google_desk
from tests.providers.test_google_rooms import meant
from tests.servers.google import Fault, GoogleServer, at
from tests.servers.google_client import google
from tests.servers.raw import RawServer, answer

HALL = CalendarKey("c_hall@resource.calendar.google.com")
YARD = CalendarKey("c_yard@resource.calendar.google.com")
FIRST, LAST = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
async def desk() -> AsyncIterator[GoogleDesk]:
    async with GoogleServer().running() as server, google_desk(server) as desk:
        for name in ("hall", "yard"):
            server.add_room(name)
        yield desk
    assert server.complaints == []


def book(desk: GoogleDesk, room: CalendarKey = HALL) -> None:
    """Book a room for a series, a day and a talk; some of what is there takes no time."""
    truth = desk.server.rooms[room]
    rule = "RRULE:FREQ=DAILY;COUNT=3"
    truth.put("d", summary="Daily", start=at(2), end=at(2, 10), recurrence=[rule])
    truth.cancel("d_20261103T080000Z")
    truth.put("f", summary="Fair", start={"date": "2026-11-10"}, end={"date": "2026-11-11"})
    truth.put("o", summary="Open", start=at(5), end=at(5, 10), transparency="transparent")
    me = {"email": room, "self": True, "responseStatus": "declined"}
    truth.put("n", summary="Not here", start=at(6), end=at(6, 10), attendees=[me])


async def told(desk: GoogleDesk, *rooms: CalendarKey) -> list[tuple[str, str]]:
    found = await desk.provider.room_busy(rooms or (HALL,), FIRST, LAST)
    return sorted((f"{one:%d.%H:%M}", f"{other:%d.%H:%M}") for one, other in found)


async def test_google_says_what_takes_time(desk: GoogleDesk) -> None:
    """In UTC; days last from midnight to midnight in the room's zone."""
    book(desk)
    assert await told(desk) == [("02.08:00", "02.09:00"), ("04.08:00", "04.09:00"),
                                ("09.23:00", "10.23:00")]  # fmt: skip
    desk.server.rooms[YARD].put("t", summary="Talk", start=at(3), end=at(3, 10))
    assert ("03.08:00", "03.09:00") in await told(desk, HALL, YARD)


async def test_a_long_time_and_many_rooms_are_asked_for_in_parts(desk: GoogleDesk) -> None:
    rooms = [CalendarKey(desk.server.add_room(f"r{number}").name) for number in range(60)]
    for room in (rooms[0], rooms[-1]):
        truth = desk.server.rooms[room]
        truth.put("a", summary="A", start=at(2), end=at(2, 10))
        truth.put("b", summary="B", start=at(92), end=at(92, 10))
    desk.server.asked.clear()
    found = await desk.provider.room_busy(rooms, FIRST, FIRST + timedelta(days=100))
    assert len(found) == 4
    assert [one.path.rpartition("/")[2] for one in desk.server.asked] == ["freeBusy"] * 4


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(403, part="freeBusy", reason="forbidden"), ForbiddenError),
        (Fault(404, part="freeBusy", reason="notFound"), ForbiddenError),
        (Fault(401, part="freeBusy", reason="authError", times=9), RelinkRequiredError),
        (Fault(429, part="freeBusy", times=9), TransientError),
        (Fault(503, part="freeBusy", times=9), TransientError),
        (Fault(200, part="freeBusy", text="{}"), MalformedReplyError),
        (Fault(200, part="freeBusy", text='{"calendars": {}}'), MalformedReplyError),
    ],
    ids=lambda one: f"{one.status} {one.text or one.reason}" if isinstance(one, Fault) else "",
)
async def test_what_is_not_told_is_no_free_time(
    desk: GoogleDesk, fault: Fault, error: type[SyncdError]
) -> None:
    """P1."""
    desk.server.faults.append(fault)
    with pytest.raises(error):
        await told(desk)
    desk.server.faults.clear()


@pytest.mark.parametrize(
    ("mine", "error"),
    [
        ({"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}, ForbiddenError),
        ({"errors": [{"domain": "global", "reason": "internalError"}]}, TransientError),
        ({"errors": ["odd"], "busy": []}, MalformedReplyError),
        ({}, MalformedReplyError),
        ({"busy": [{"start": "2026-11-02T08:00:00Z"}]}, MalformedReplyError),
        ({"busy": [{"start": "2026-11-02T08:00:00", "end": "x"}]}, MalformedReplyError),
        ([], MalformedReplyError),
    ],
)
async def test_a_fault_of_one_room_is_told_whatever_others_are(
    desk: GoogleDesk, mine: object, error: type[SyncdError]
) -> None:
    text = json.dumps({"calendars": {HALL: {"busy": []}, YARD: mine}})
    desk.server.faults.append(Fault(200, part="freeBusy", text=text))
    with pytest.raises(error):
        await told(desk, HALL, YARD)


async def test_a_room_that_is_not_shared_is_refused(desk: GoogleDesk) -> None:
    del desk.server.rooms[YARD]
    with pytest.raises(ForbiddenError, match="does not show"):
        await told(desk, HALL, YARD)


async def test_what_passes_is_asked_for_again(desk: GoogleDesk) -> None:
    book(desk)
    desk.server.faults.append(Fault(503, part="freeBusy", times=2))
    assert len(await told(desk)) == 3


@pytest.mark.timeout(120)
@pytest.mark.parametrize("body", [b"", b"[]", b'{"calendars": 1}', b'{"calendars": {}, "x'])
async def test_no_answer_is_free_time(desk: GoogleDesk, body: bytes) -> None:
    """10.4: whatever the status."""
    async with RawServer.running() as raw:
        desk.adapter._settings = {**desk.adapter._settings, "api_url": raw.url}
        async with desk.adapter.open(desk.profile, desk.keys) as provider:
            for status in range(100, 600):
                raw.told = answer(status, body, kind="application/json")
                with pytest.raises(meant(status)):
                    await provider.room_busy((HALL,), FIRST, LAST)


async def test_googles_own_client_is_told_the_same_by_the_fake(desk: GoogleDesk) -> None:
    """10.4, 2."""
    book(desk)
    seen = await asyncio.to_thread(seen_at, desk.server.url, desk.server.tokens.access_token)
    assert sorted(seen) == await told(desk)


def seen_at(url: str, token: str) -> list[tuple[str, str]]:
    with google("calendar", "v3", f"{url}/", token) as service:
        body: dict[str, Any] = {
            "timeMin": "2026-11-01T00:00:00Z",
            "timeMax": "2026-12-01T00:00:00Z",
            "items": [{"id": HALL}],
        }
        told = service.freebusy().query(body=body).execute()["calendars"][HALL]["busy"]
    pairs = [(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"]))
             for one in told]  # fmt: skip
    return [(f"{one:%d.%H:%M}", f"{other:%d.%H:%M}") for one, other in pairs]
