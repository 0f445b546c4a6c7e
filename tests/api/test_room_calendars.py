"""The calendars of rooms, read from the provider while the caller waits (K18, K33)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from syncd.api.pages import page_token
from syncd.model.abilities import Abilities
from syncd.model.access import Scope
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    RelinkRequiredError,
    SyncdError,
    ThrottledError,
    TransientError,
)
from syncd.model.event import Event, Status
from syncd.model.ids import CalendarKey, ResourceKey, room_calendar_id, short
from syncd.model.profile import changed
from syncd.model.resource import Resource
from syncd.model.room import Room
from syncd.model.when import utc
from tests.api.serving import Api, serving
from tests.engine.ground import all_day, event, exception, series

HALL = CalendarKey("hall@example.org")
ROOM = Room(id="h", email=HALL, name="Hall", calendar=HALL)
ACCOUNT = "/v1/accounts/me/cal"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A profile whose provider shows rooms and their calendars."""
    async with serving(tmp_path) as api:
        api.ground.server.can = Abilities(rooms=True, room_calendars=True)
        api.ground.server.rooms = [ROOM]
        yield api


def hold(api: Api, *events: Event, raw: bytes = b"") -> None:
    api.ground.server.held[HALL] = [
        Resource(key=ResourceKey(one.uid), events=(one,), etag=f"v{number}", raw=raw)
        for number, one in enumerate(events)
    ]


async def hall(api: Api) -> str:
    (room,) = (await api.json(f"{ACCOUNT}/resources"))["objects"]
    return f"{ACCOUNT}/calendars/{room['calendar']}/events"


async def names(api: Api, query: str = "", size: int = 100) -> list[str]:
    return [one["name"] for one in await api.pages(f"{await hall(api)}{query}", size)]


async def refused(api: Api, path: str, **more: Any) -> tuple[int, str]:  # noqa: ANN401 - of a request
    response = await api.get(path, **more)
    return response.status, (await response.json(content_type=None))["error_code"]


async def test_a_room_has_an_id_for_its_events_that_stays(api: Api) -> None:
    """K33: its own; of a calendar in the account's list it is that of the list."""
    (room,) = (await api.json(f"{ACCOUNT}/resources"))["objects"]
    assert room["calendar"] == room_calendar_id(api.ground.profile_id, HALL)
    assert (await api.json(f"{ACCOUNT}/resources/h"))["calendar"] == room["calendar"]
    hold(api, event("Talk"))
    assert await names(api) == ["Talk"]
    api.ground.server.add(HALL, "Hall")
    await api.ground.poll(listing=True)
    (own,) = (await api.json(f"{ACCOUNT}/calendars"))["objects"]
    (again,) = (await api.json(f"{ACCOUNT}/resources"))["objects"]
    assert again["calendar"] == own["id"] != room["calendar"]
    former = await api.json(f"{ACCOUNT}/calendars/{room['calendar']}/events")
    assert [one["name"] for one in former["objects"]] == ["Talk"]


async def test_what_is_listed_is_read_now_and_told_as_such(api: Api) -> None:
    """R21: no place in the stream, and when it was read; nothing is stored."""
    hold(api, event("Talk"))
    await api.ground.poll(listing=True)
    head = await api.ground.head()
    response = await api.get(await hall(api))
    body = await response.json()
    assert response.status == 200
    assert response.headers["X-Syncd-Polled-At"] == utc(api.clock.now())
    assert response.headers["X-Syncd-State"] == "connected"
    assert not {"X-Syncd-Cursor", "X-Syncd-Truncated"} & response.headers.keys()
    (told,) = body.pop("objects")
    assert body == {
        "count": 1, "total": 1, "page": 1, "next_page": None,
        "type": "object_list", "api": "calendar",
    }  # fmt: skip
    assert told["calendar_id"] == room_calendar_id(api.ground.profile_id, HALL)
    assert (told["name"], told["start"]) == ("Talk", "2026-11-01T09:00:00Z")
    assert "raw" not in told
    hold(api, event("Another"))
    assert await names(api) == ["Another"]
    await api.ground.poll(listing=True)
    assert await api.ground.head() == head
    assert (await api.json(f"{ACCOUNT}/calendars"))["objects"] == []


async def test_a_window_and_instances_mean_what_they_mean_elsewhere(api: Api) -> None:
    """K18, K23, K24: bounds are exclusive, days count in the room's zone, cancelled ones go."""
    hold(
        api,
        all_day("Fair", 3),
        series("Daily", 2),
        exception("Moved", 4, uid="Daily"),
        exception("Off", 5, uid="Daily", status=Status.CANCELLED),
        event("Talk", 6),
    )
    assert await names(api) == ["Fair", "Moved", "Talk"]
    assert await names(api, "?instances=false") == ["Daily", "Fair", "Moved", "Off", "Talk"]
    assert await names(api, "?start=2026-11-04T10:00:00Z&end=2026-11-06T09:00:00Z") == []
    assert await names(api, "?start=2026-11-04T09:59:59Z&end=2026-11-06T09:00:01Z") == [
        "Moved",
        "Talk",
    ]
    # in Berlin the 3rd begins at 23:00 UTC of the 2nd
    assert await names(api, "?end=2026-11-02T23:00:01Z") == ["Fair"]
    assert await names(api, "?end=2026-11-02T23:00:00Z") == []
    assert await names(api, "?start=2026-11-06T09:30:00Z&end=2026-11-06T09:30:00Z") == ["Talk"]
    (moved,) = [
        one for one in (await api.json(await hall(api)))["objects"] if one["name"] == "Moved"
    ]
    assert moved["recurrence_type"] == "recurring"
    assert moved["id"] == f"{moved['recurring_master_id']}_20261104T090000Z"


async def test_the_provider_is_asked_for_the_window_only(api: Api) -> None:
    """Without an end instances do not go on for ever; one far away is cut, and that is told."""
    place, server = await hall(api), api.ground.server
    now, year = api.clock.now(), timedelta(days=366)
    await api.json(place)
    await api.json(f"{place}?instances=false")
    await api.json(f"{place}?start=2026-11-04T10:00:00Z&end=2026-11-05T10:00:00Z")
    first, plain, window = server.room_reads
    assert first.before is not None
    assert first.before - (now + year) == timedelta(seconds=1)
    assert (first.after.year, first.instances) == (1970, True)
    assert (plain.before, plain.instances) == (None, False)
    assert (utc(window.after), window.before and utc(window.before)) == (
        "2026-11-04T09:59:59Z",
        "2026-11-05T10:00:01Z",
    )
    for end, told in (("2031-01-01", False), ("2099-01-01", True), ("9999-12-31", True)):
        response = await api.get(f"{place}?start=0001-01-01&end={end}")
        assert response.status == 200
        assert ("X-Syncd-Truncated" in response.headers) == told
        before = server.room_reads[-1].before
        assert before is not None
        assert before.year <= 2031
    assert (await api.get(f"{place}?start=9998-11-01&end=9999-12-31")).status == 200
    assert (await api.get(f"{place}?start=9998-11-01")).status == 200
    assert (await api.get(f"{place}?start=9999-12-31")).status == 200


@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_pages_neither_repeat_nor_hide_an_event(api: Api, size: int) -> None:
    """R11: whatever begins together, and whatever happens between two pages."""
    events = [event(f"{day}{letter}", day) for day in range(1, 8) for letter in "abc"]
    late = api.clock.now() + timedelta(days=376)
    far = event("far", start=late, end=late + timedelta(hours=1))
    hold(api, *events, far)
    wanted = await names(api)
    assert sorted(wanted) == sorted(one.uid for one in events)
    assert await names(api, size=size) == wanted
    place, found, page = await hall(api), list[str](), "1"
    while page:
        body = await api.json(f"{place}?page_size={size}&page={page}")
        found += [one["name"] for one in body["objects"]]
        page = body["next_page"]
        assert body["total"] is None
        hold(api, event("new", 1), *events[1:], far)  # the first has gone, another one came
        api.clock.advance(timedelta(days=30))  # the page behind still ends where the first one did
    assert "far" not in found
    same = {one.uid for one in events[1:]}
    assert [one for one in found if one in same] == [one for one in wanted if one in same]


async def test_no_more_is_read_than_a_page_needs(api: Api) -> None:
    hold(api, *(event(f"{day}", day) for day in range(1, 29)))
    api.ground.server.page_size = 4
    place = await hall(api)
    body = await api.json(f"{place}?page_size=3")
    assert [one["name"] for one in body["objects"]] == ["1", "2", "3"]
    assert body["total"] is None
    assert api.ground.server.room_pages == 2
    await api.json(f"{place}?page_size=3&page={body['next_page']}")
    assert utc(api.ground.server.room_reads[-1].after) == "2026-11-02T08:59:59Z"


async def test_a_page_belongs_to_its_listing(api: Api) -> None:
    hold(api, event("a", 1), event("b", 2))
    place = await hall(api)
    page = (await api.json(f"{place}?page_size=1"))["next_page"]
    name = short(place.split("/")[-2], "1970-01-01 00:00:00+00:00", "None", "True")
    forged = [
        page_token(of=name, number=2, behind=behind, cursor=None)
        for behind in ([10**18, "x", None], ["x", "x", 1], [1, "x"], [1, "x", "y"])
    ]
    for one in (f"{page}&end=2026-12-01", "x", f"{page}x", *forged):
        path = f"{place}?page={one}"
        assert await refused(api, path) == (400, "invalid_page")
    for query in ("start=2026-12-02&end=2026-12-01", "as_of=x", "page_size=0", "start=x"):
        assert (await api.get(f"{place}?{query}")).status == 400


async def test_an_event_has_its_raw_object_where_that_is_asked_for_k11(api: Api) -> None:
    hold(api, event("Talk"), raw=b'{"kind":"x"}')
    asked = {"X-Kloudless-Raw-Data": "true"}
    (told,) = (await api.json(await hall(api), headers=asked))["objects"]
    assert told["raw"] == {"id": "Talk", "object": {"kind": "x"}}


async def test_what_cannot_be_read_costs_itself_and_is_logged(api: Api) -> None:
    """I10."""
    hold(api, event("Odd"), event("Talk"))
    api.ground.server.faults.unread = {ResourceKey("Odd")}
    with capture_logs() as lines:
        assert await names(api) == ["Talk"]
    assert [one["count"] for one in lines if one["event"] == "event.unread"] == [1]


async def test_only_rooms_of_the_profile_are_read(api: Api) -> None:
    """Not those of others, nor whose calendar a provider would show besides: 404."""
    place = await hall(api)
    colleague = CalendarKey("bo@example.org")
    api.ground.server.held[colleague] = [Resource(key=ResourceKey("x"), events=(event("x"),))]
    other = await api.another()
    api.ground.server.room_reads.clear()
    for name in (
        room_calendar_id(other.profile_id, HALL),
        room_calendar_id(api.ground.profile_id, colleague),
        "room_x",
        "room_",
        HALL,
    ):
        path = f"{ACCOUNT}/calendars/{name}/events"
        assert await refused(api, path) == (404, "not_found")
    assert api.ground.server.room_reads == []
    stranger = await api.token(profile_id=other.profile_id)
    mine = place.replace("/me/", f"/{api.account}/")
    assert (await api.get(mine, token=stranger)).status in {403, 404}
    assert (await api.get(place, token=stranger)).status == 404
    assert (await api.get(place, token="")).status == 401
    narrow = await api.token(Scope.LIST_CALENDARS)
    assert (await api.get(place, token=narrow)).status == 403


async def test_a_room_that_was_found_is_not_looked_for_again_for_a_while(api: Api) -> None:
    place = await hall(api)
    await api.json(place)
    lists = api.ground.server.room_lists
    await api.json(place)
    assert api.ground.server.room_lists == lists
    api.ground.server.rooms = ()
    api.clock.advance(timedelta(minutes=6))
    assert await refused(api, place) == (404, "not_found")


async def test_a_provider_that_does_not_show_them_has_none(api: Api) -> None:
    place = await hall(api)
    api.ground.server.can = Abilities(rooms=True)
    (room,) = (await api.json(f"{ACCOUNT}/resources"))["objects"]
    assert room["calendar"] is None
    assert await refused(api, place) == (404, "not_found")
    assert api.ground.server.room_reads == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ForbiddenError("not shared"), 403, "upstream_forbidden"),
        (MalformedReplyError("no JSON"), 502, "upstream_error"),
        (TransientError("away"), 502, "upstream_error"),
        (ThrottledError("slowly"), 429, "too_many_requests"),
        (RelinkRequiredError("no"), 423, "account_disconnected"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
@pytest.mark.parametrize("place", ["listing", "reading"])
async def test_a_refusal_of_the_provider_is_told_in_the_words_of_the_dialect(
    api: Api, error: SyncdError, status: int, code: str, place: str
) -> None:
    """R15: of its rooms (who is no administrator), or of this one's calendar."""
    path = await hall(api)
    setattr(api.ground.server.faults, place, error)
    assert await refused(api, path) == (status, code)
    assert (await api.ground.profile()).refused is None


async def test_a_disconnected_account_is_told_so_and_a_paused_one_is_answered(api: Api) -> None:
    """R15, R21: there is nothing stored to answer with."""
    place = await hall(api)
    control = api.parts.control
    await control._change(api.ground.profile_id, lambda one, now: changed(one, now, paused=True))
    response = await api.get(place)
    assert (response.status, response.headers["X-Syncd-State"]) == (200, "paused")
    await api.disconnect()
    assert await refused(api, place) == (423, "account_disconnected")


async def test_of_a_rooms_calendar_nothing_but_a_listing_is_served(api: Api) -> None:
    """K14, K20 and writes: a clear 404; its free time is another test's."""
    hold(api, event("Talk"))
    place = await hall(api)
    (told,) = (await api.json(place))["objects"]
    for method, path in (
        ("GET", place.removesuffix("/events")),
        ("GET", f"{place}/{told['id']}"),
        ("PATCH", f"{place}/{told['id']}"),
        ("DELETE", f"{place}/{told['id']}"),
        ("DELETE", place.removesuffix("/events")),
    ):
        response = await api.send(method, path, json={"name": "x"} if method == "PATCH" else None)
        problem = await response.json(content_type=None)
        assert (response.status, problem["error_code"]) == (404, "not_found"), path
        assert "can be listed" in problem["message"]
    assert api.ground.server.writes == 0
