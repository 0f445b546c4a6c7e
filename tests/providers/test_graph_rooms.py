"""The calendars of rooms at Microsoft Graph, read as they are now (api.md K18, K33, MG20)."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime

import pytest

from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    MalformedReplyError,
    RelinkRequiredError,
    SyncdError,
    SyncTokenExpiredError,
    TransientError,
)
from syncd.model.event import Answer
from syncd.model.ids import CalendarKey
from syncd.model.when import slot_of
from syncd.ports.rooms import RoomPage, RoomWindow
from tests.providers.graph import GraphDesk, graph_desk
from tests.servers.graph import Fault, GraphServer, at, error_body
from tests.servers.graph_schema import operation
from tests.servers.graph_truth import CalendarTruth
from tests.servers.raw import RawServer, answer

HALL = CalendarKey("hall@example.org")
EVENT = "/users/hall%40example.org/calendar/events"
VIEW = "/users/hall%40example.org/calendar/calendarView"
NOVEMBER = RoomWindow(
    after=datetime(2026, 11, 1, tzinfo=UTC),
    before=datetime(2026, 12, 1, tzinfo=UTC),
    instances=True,
)
SERIES = RoomWindow(after=NOVEMBER.after, before=NOVEMBER.before, instances=False)
DAILY = {
    "pattern": {"type": "daily", "interval": 1},
    "range": {"type": "numbered", "startDate": "2026-11-02", "numberOfOccurrences": 3},
}


@pytest.fixture
async def desk() -> AsyncIterator[GraphDesk]:
    async with GraphServer().running() as server, graph_desk(server) as desk:
        server.add_seen_room("hall")
        desk.asked()
        yield desk
    assert server.complaints == []


def hall(desk: GraphDesk) -> CalendarTruth:
    return desk.server.rooms[HALL]


async def pages(desk: GraphDesk, window: RoomWindow) -> Sequence[RoomPage]:
    return [one async for one in desk.provider.room_events(HALL, window)]


async def told(desk: GraphDesk, window: RoomWindow) -> list[tuple[str, str, str]]:
    return [
        (resource.key, event.name or "", event.start.isoformat())
        for page in await pages(desk, window)
        for resource in page.resources
        for event in resource.events
    ]


def daily(desk: GraphDesk, key: str = "D") -> None:
    """Book a series from the 2nd on, without its second day; the third is an hour later."""
    hall(desk).put(key, subject="Daily", start=at(2), end=at(2, 10), recurrence=DAILY)
    hall(desk).drop(key, date(2026, 11, 3))
    later = {"subject": "Later", "start": at(4, 10), "end": at(4, 11)}
    hall(desk).put_exception(key, date(2026, 11, 4), **later)


async def test_graph_expands_series_itself_and_gives_them_by_start(desk: GraphDesk) -> None:
    daily(desk)
    hall(desk).put("A", subject="Talk", start=at(3, 15), end=at(3, 16))
    assert await told(desk, NOVEMBER) == [
        ("D", "Daily", "2026-11-02T09:00:00+01:00"),
        ("A", "Talk", "2026-11-03T15:00:00+01:00"),
        ("D", "Later", "2026-11-04T10:00:00+01:00"),
    ]
    assert desk.asked() == [f"GET {VIEW.replace('%40', '@')}", f"GET {EVENT}/D"]
    (page,) = await pages(desk, NOVEMBER)
    first, _, last = page.resources
    assert page.ordered
    originals = [slot_of(one.events[0].original_start or date.min) for one in (first, last)]
    assert originals == ["20261102T080000Z", "20261104T080000Z"]
    assert first.uid == last.uid == hall(desk).events["D"]["iCalUId"]
    assert b'"Later"' in last.raw
    assert b'"Later"' not in first.raw, "each instance has a body of its own"


async def test_without_instances_singles_and_series_are_listed(desk: GraphDesk) -> None:
    daily(desk)
    hall(desk).put("A", subject="Talk", start=at(3, 15), end=at(3, 16))
    assert await told(desk, SERIES) == [
        ("D", "Daily", "2026-11-02T09:00:00+01:00"),
        ("A", "Talk", "2026-11-03T15:00:00+01:00"),
    ]
    assert desk.asked() == [f"GET {EVENT.replace('%40', '@')}"]


async def test_pages_are_asked_for_as_they_are_needed_and_each_series_once(desk: GraphDesk) -> None:
    daily(desk)
    for number in range(5):
        hall(desk).put(f"A{number}", subject="Talk", start=at(3, 10 + number), end=at(3, 16))
    desk.server.page_size = 2
    read = desk.provider.room_events(HALL, NOVEMBER)
    assert len((await anext(read)).resources) == 2
    asked = next(one for one in desk.server.asked if one.path.endswith("/calendarView"))
    assert dict(asked.query) == {
        "startDateTime": "2026-10-31T00:00:00Z",
        "endDateTime": "2026-12-02T00:00:00Z",
        "$top": "500",
        "$orderby": "start/dateTime",
    }
    assert len(desk.asked()) == 2
    assert sum([len(one.resources) async for one in read]) == 5
    assert not [one for one in desk.asked() if one.endswith("/D")]


async def test_a_view_is_never_longer_than_graph_takes(desk: GraphDesk) -> None:
    hall(desk).put("A", subject="Talk", start=at(3, 15), end=at(3, 16))
    window = RoomWindow(
        after=datetime(1970, 1, 1, tzinfo=UTC),
        before=datetime(2031, 1, 1, tzinfo=UTC),
        instances=True,
    )
    assert [name for _, name, _ in await told(desk, window)] == ["Talk"]
    assert len(desk.asked()) == 13


@pytest.mark.parametrize("habit", ["no_original_start", "no_day_in_uid"])
async def test_an_exception_stands_for_the_start_that_it_names(desk: GraphDesk, habit: str) -> None:
    """MG8: by either of the two."""
    daily(desk)
    setattr(desk.server.habits, habit, True)
    found = [one for page in await pages(desk, NOVEMBER) for one in page.resources]
    assert slot_of(found[-1].events[0].original_start or date.min) == "20261104T080000Z"


async def test_the_answer_of_the_room_is_its_own(desk: GraphDesk) -> None:
    """MG13: of the mailbox that is looked at, not of who looks."""
    people = [{"emailAddress": {"address": one}} for one in ("HALL@example.org", "ada@example.org")]
    told = {"response": "accepted", "time": "2026-11-01T00:00:00Z"}
    host = {"emailAddress": {"address": "bo@example.org", "name": "Bo"}}
    hall(desk).put(
        "A", start=at(3), end=at(3, 10), attendees=people, responseStatus=told, organizer=host
    )
    (page,) = await pages(desk, NOVEMBER)
    (event,) = page.resources[0].events
    assert [one.answer for one in event.attendees] == [Answer.ACCEPTED, Answer.PENDING]


async def test_what_cannot_be_read_costs_itself(desk: GraphDesk) -> None:
    """I10."""
    daily(desk)
    hall(desk).put("A", subject="Talk", start=at(3, 15), end=at(3, 16))
    whole = {**hall(desk).events["D"], "start": None}
    batch = {"responses": [{"id": "0", "status": 200, "body": whole}]}
    desk.server.batches.append(batch)
    (page,) = await pages(desk, NOVEMBER)
    assert ([one.key for one in page.resources], list(page.unread)) == (["A"], ["D"])
    gone = {"responses": [{"id": "0", "status": 404, "body": error_body("ErrorItemNotFound")}]}
    desk.server.batches.append(gone)
    (page,) = await pages(desk, NOVEMBER)
    assert ([one.key for one in page.resources], list(page.unread)) == (["A"], [])


async def test_who_may_not_see_a_room_is_told_so(desk: GraphDesk) -> None:
    """P1: never an empty listing; 403 without Calendars.Read.Shared, 404 for no right to it."""
    for window in (NOVEMBER, SERIES):
        desk.server.shared = False
        with pytest.raises(ForbiddenError, match="ErrorAccessDenied"):
            await pages(desk, window)
        desk.server.shared = True
        held = desk.server.rooms.pop(HALL)
        with pytest.raises(ForbiddenError, match="does not show"):
            await pages(desk, window)
        desk.server.rooms[HALL] = held


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, ForbiddenError), (429, TransientError), (503, TransientError)],
)
async def test_a_series_that_is_refused_is_no_series_that_is_gone(
    desk: GraphDesk, status: int, error: type[SyncdError]
) -> None:
    daily(desk)
    fault = Fault(status, part="/events/D", code="ErrorAccessDenied", times=9)
    desk.server.faults.append(fault)
    with pytest.raises(error):
        await pages(desk, NOVEMBER)


def meant(status: int) -> type[SyncdError] | tuple[type[SyncdError], ...]:
    """Return providers.md's table once more, in other words."""
    exact: dict[int, type[SyncdError]] = {
        401: RelinkRequiredError,
        **dict.fromkeys((403, 404), ForbiddenError),
        410: SyncTokenExpiredError,
        **dict.fromkeys((409, 412), ConflictError),
        501: MalformedReplyError,
        **dict.fromkeys((408, 423, 425, 429), TransientError),
    }
    if status < 200:  # it announces another answer, which never comes, or is no HTTP
        return MalformedReplyError, TransientError
    return exact.get(status, TransientError if status >= 500 else MalformedReplyError)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("body", [b"", b"[]", b'{"value": 1}', b'{"value": [], "x'])
async def test_no_answer_is_an_empty_listing(desk: GraphDesk, body: bytes) -> None:
    """10.4: whatever the status."""
    async with RawServer.running() as raw:
        desk.provider._client._base = raw.url.rstrip("/")  # type: ignore[attr-defined]
        for status in range(100, 600):
            raw.told = answer(status, body, kind="application/json")
            with pytest.raises(meant(status)):
                await pages(desk, NOVEMBER)


def test_the_judge_notices_what_the_document_does_not_know() -> None:
    """10.4: negative controls."""
    view = operation("GET", VIEW)
    assert view is not None
    assert operation("GET", "/users/hall%40example.org/calendarViews") is None
    window = {"startDateTime": "x", "endDateTime": "y"}
    assert not view.faults({**window, "$orderby": "start/dateTime", "$top": "500"}, None)
    assert view.faults({**window, "orderBy": "start"}, None)
    assert view.answer_faults({"value": [{"id": "A", "summary": "x"}]})
