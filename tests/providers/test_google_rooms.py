"""The calendars of rooms at Google, read as they are now (api.md K18, K33)."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    MalformedReplyError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)
from syncd.model.ids import CalendarKey
from syncd.ports.rooms import RoomPage, RoomWindow
from tests.providers.google import GoogleDesk, google_desk
from tests.servers.google import Fault, GoogleServer, at
from tests.servers.google_client import google
from tests.servers.google_truth import CalendarTruth
from tests.servers.raw import RawServer, answer

DAY = "2026-11-03"
HALL = CalendarKey("c_hall@resource.calendar.google.com")
NOVEMBER = RoomWindow(
    after=datetime(2026, 11, 1, tzinfo=UTC),
    before=datetime(2026, 12, 1, tzinfo=UTC),
    instances=True,
)
SERIES = RoomWindow(after=NOVEMBER.after, before=NOVEMBER.before, instances=False)


@pytest.fixture
async def desk() -> AsyncIterator[GoogleDesk]:
    async with GoogleServer().running() as server, google_desk(server) as desk:
        server.add_room("hall")
        yield desk
    assert server.complaints == []


def hall(desk: GoogleDesk) -> CalendarTruth:
    return desk.server.rooms[HALL]


async def pages(desk: GoogleDesk, window: RoomWindow) -> Sequence[RoomPage]:
    return [one async for one in desk.provider.room_events(HALL, window)]


async def told(desk: GoogleDesk, window: RoomWindow) -> list[tuple[str, str, str]]:
    return [
        (resource.key, event.name or "", event.start.isoformat())
        for page in await pages(desk, window)
        for resource in page.resources
        for event in resource.events
    ]


def daily(desk: GoogleDesk, count: int = 3) -> None:
    """Book a series from the 2nd on, without its second day; the third is an hour later."""
    rule = f"RRULE:FREQ=DAILY;COUNT={count}"
    hall(desk).put("d", summary="Daily", start=at(2), end=at(2, 10), recurrence=[rule])
    hall(desk).cancel("d_20261103T080000Z")
    hall(desk).put("d_20261104T080000Z", summary="Later", start=at(4, 10), end=at(4, 11))


async def test_google_expands_series_itself_and_gives_them_by_start(desk: GoogleDesk) -> None:
    daily(desk)
    hall(desk).put("a", summary="Talk", start=at(3, 15), end=at(3, 16))
    hall(desk).put("b", summary="Long ago", start=at(-40), end=at(-40, 10))
    assert await told(desk, NOVEMBER) == [
        ("d", "Daily", "2026-11-02T09:00:00+01:00"),
        ("a", "Talk", "2026-11-03T15:00:00+01:00"),
        ("d", "Later", "2026-11-04T10:00:00+01:00"),
    ]
    (page,) = await pages(desk, NOVEMBER)
    assert (page.ordered, page.timezone, page.unread) == (True, "Europe/Berlin", {})
    first, _, last = page.resources
    assert [one.original_start is not None for one in (first.events[0], last.events[0])] == [
        True,
        True,
    ]
    assert last.events[0].original_start != last.events[0].start
    assert b'"Later"' in last.raw
    assert b'"Later"' not in first.raw, "each instance has a body of its own"


async def test_without_instances_a_series_is_whole(desk: GoogleDesk) -> None:
    daily(desk)
    desk.server.page_size = 1
    (page,) = await pages(desk, SERIES)
    (resource,) = page.resources
    series, later = resource.events
    assert len(series.recurrence) == 2
    assert "EXDATE" in series.recurrence[1]
    assert (later.name, page.ordered) == ("Later", False)
    asked = [one for one in desk.server.asked if HALL in one.path]
    assert len(asked) == 3
    assert all(one.query["singleEvents"] == "false" for one in asked)


async def test_pages_are_asked_for_as_they_are_needed(desk: GoogleDesk) -> None:
    daily(desk, 20)
    desk.server.page_size = 5
    read = desk.provider.room_events(HALL, NOVEMBER)
    first = await anext(read)
    assert len(first.resources) == 5
    (asked,) = [one for one in desk.server.asked if HALL in one.path]
    assert dict(asked.query) == {
        "maxResults": "500",
        "singleEvents": "true",
        "orderBy": "startTime",
        "timeMin": "2026-11-01T00:00:00Z",
        "timeMax": "2026-12-01T00:00:00Z",
    }
    assert sum([len(one.resources) async for one in read]) == 14


async def test_the_persons_own_calendars_are_followed_as_before(desk: GoogleDesk) -> None:
    """G2: a window is no first read of a change feed."""
    desk.server.work.put("a", summary="Own", start=at(2), end=at(2, 10))
    await desk.read()
    daily(desk)
    await pages(desk, NOVEMBER)
    await pages(desk, SERIES)
    desk.server.work.put("b", summary="New", start=at(2), end=at(2, 10))
    await desk.read()
    assert desk.events("b")[0].name == "New"


async def test_what_cannot_be_read_costs_itself(desk: GoogleDesk) -> None:
    """I10."""
    odd, good = {"id": "b", "start": {"dateTime": "never"}}, {"id": "a", "start": {"date": DAY}}
    text = json.dumps({"items": [odd, good], "timeZone": "Europe/Berlin"})
    desk.server.faults.append(Fault(200, part="hall", text=text))
    (page,) = await pages(desk, NOVEMBER)
    assert ([one.key for one in page.resources], list(page.unread)) == (["a"], ["b"])


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(404, part="hall", reason="notFound"), ForbiddenError),
        (Fault(403, part="hall", reason="forbidden"), ForbiddenError),
        (Fault(403, part="hall", reason="requiredAccessLevel"), ForbiddenError),
        (Fault(429, part="hall", times=9), TransientError),
        (Fault(401, part="hall", reason="authError", times=9), RelinkRequiredError),
        (Fault(503, part="hall", times=9), TransientError),
        (Fault(200, part="hall", text="{}"), MalformedReplyError),
    ],
    ids=lambda one: f"{one.status} {one.reason}" if isinstance(one, Fault) else "",
)  # fmt: skip
@pytest.mark.parametrize("window", [NOVEMBER, SERIES], ids=["instances", "series"])
async def test_a_calendar_that_is_not_shown_is_refused(
    desk: GoogleDesk, fault: Fault, error: type[SyncdError], window: RoomWindow
) -> None:
    """P1: never an empty listing; Google answers 404 for what is not shared."""
    hall(desk).put("a", summary="Talk", start=at(3), end=at(3, 10))
    desk.server.faults.append(replace(fault))
    with pytest.raises(error):
        await pages(desk, window)


def meant(status: int) -> type[SyncdError] | tuple[type[SyncdError], ...]:
    """Return providers.md's table once more, in other words."""
    exact: dict[int, type[SyncdError]] = {
        401: RelinkRequiredError,
        **dict.fromkeys((403, 404, 410), ForbiddenError),
        **dict.fromkeys((409, 412), ConflictError),
        501: MalformedReplyError,
        **dict.fromkeys((408, 423, 425, 429), TransientError),
    }
    if status < 200:  # it announces another answer, which never comes, or is no HTTP
        return MalformedReplyError, TransientError
    return exact.get(status, TransientError if status >= 500 else MalformedReplyError)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("body", [b"", b"[]", b'{"items": 1}', b'{"items": [], "x'])
async def test_no_answer_is_an_empty_listing(desk: GoogleDesk, body: bytes) -> None:
    """10.4: whatever the status."""
    async with RawServer.running() as raw:
        desk.adapter._settings = {**desk.adapter._settings, "api_url": raw.url}
        async with desk.adapter.open(desk.profile, desk.keys) as provider:
            for status in range(100, 600):
                raw.told = answer(status, body, kind="application/json")
                with pytest.raises(meant(status)):
                    _ = [one async for one in provider.room_events(HALL, NOVEMBER)]


async def test_googles_own_client_reads_the_fake_alike(desk: GoogleDesk) -> None:
    """10.4, 2: windows and instances of the fake are what Google's client asks for."""
    daily(desk)
    seen = await asyncio.to_thread(seen_at, desk.server.url, desk.server.tokens.access_token)
    assert seen == [name for _, name, _ in await told(desk, NOVEMBER)]


def seen_at(url: str, token: str) -> list[str]:
    with google("calendar", "v3", f"{url}/", token) as service:
        asked: dict[str, Any] = {
            "calendarId": HALL,
            "singleEvents": True,
            "orderBy": "startTime",
            "timeMin": "2026-11-01T00:00:00Z",
            "timeMax": "2026-12-01T00:00:00Z",
        }
        return [one["summary"] for one in service.events().list(**asked).execute()["items"]]
