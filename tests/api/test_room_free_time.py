"""Free time of rooms, of which the provider is asked while the caller waits (K28, K33)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from syncd.model.abilities import Abilities
from syncd.model.access import Scope
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    RelinkRequiredError,
    SyncdError,
    ThrottledError,
)
from syncd.model.ids import CalendarKey, room_calendar_id
from syncd.model.profile import changed
from syncd.model.room import Room
from syncd.model.when import utc
from tests.api.serving import Api, serving
from tests.engine.ground import event

HALL, YARD = CalendarKey("hall@example.org"), CalendarKey("yard@example.org")
ACCOUNT = "/v1/accounts/me/cal"
WINDOW = {"start": "2026-11-02T08:00:00Z", "end": "2026-11-02T12:00:00Z"}


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    """A profile whose provider shows two rooms and when they are free."""
    async with serving(tmp_path) as api:
        api.ground.server.can = Abilities(rooms=True, room_calendars=True)
        api.ground.server.rooms = [Room(id=key, email=key, calendar=key) for key in (HALL, YARD)]
        yield api


def hour(begin: int, day: int = 2) -> tuple[datetime, datetime]:
    at = datetime(2026, 11, day, begin, tzinfo=UTC)
    return at, at + timedelta(hours=1)


def room(api: Api, key: CalendarKey = HALL) -> str:
    return room_calendar_id(api.ground.profile_id, key)


async def ask(
    api: Api, calendars: object, *windows: dict[str, str], path: str = ACCOUNT, **more: Any  # noqa: ANN401 - of a request
) -> ClientResponse:  # fmt: skip
    body = {
        "calendars": calendars,
        "meeting_duration": "PT1H",
        "time_windows": windows or [WINDOW],
    }
    return await api.send("POST", f"{path}/availability", json=body, **more)


async def free(api: Api, calendars: object, *windows: dict[str, str]) -> list[str]:
    response = await ask(api, calendars, *windows)
    body = await response.json()
    assert response.status == 200, body
    return [f"{one['start'][8:16]} {one['end'][8:16]}" for one in body["time_windows"]]


async def test_a_room_is_free_when_its_provider_says_so(api: Api) -> None:
    api.ground.server.taken[HALL] = [hour(9)]
    assert await free(api, [room(api)]) == ["02T08:00 02T09:00", "02T10:00 02T12:00"]
    api.ground.server.taken[YARD] = [hour(10)]
    assert await free(api, [room(api), room(api, YARD)]) == ["02T08:00 02T09:00",
                                                             "02T11:00 02T12:00"]  # fmt: skip
    assert api.ground.server.busy_reads[-1][0] == (HALL, YARD)
    assert await free(api, [room(api, YARD)]) == ["02T08:00 02T10:00", "02T11:00 02T12:00"]


async def test_rooms_and_own_calendars_are_free_together(api: Api) -> None:
    work = api.ground.server.add("/work/", name="Work", primary=True)
    work.put("a.ics", event("Talk", 2))  # from 9 to 10
    await api.ground.poll(listing=True)
    api.ground.server.taken[HALL] = [hour(11)]
    assert await free(api, ["primary", room(api)]) == ["02T08:00 02T09:00", "02T10:00 02T11:00"]
    assert await free(api, [room(api), room(api)]) == ["02T08:00 02T11:00"]
    slots = {
        "calendars": ["primary", room(api)],
        "meeting_duration": "PT1H",
        "time_slot_increment": 30,
        "time_windows": [WINDOW],
    }
    body = await (await api.send("POST", f"{ACCOUNT}/availability", json=slots)).json()
    assert [one["start"] for one in body["time_windows"]] == [
        "2026-11-02T08:00:00Z",
        "2026-11-02T10:00:00Z",
    ]


async def test_windows_near_each_other_are_asked_about_at_once(api: Api) -> None:
    """Each is answered by itself all the same."""
    api.ground.server.taken[HALL] = [hour(9), hour(9, day=4), hour(9, day=28)]
    days = [
        {"start": f"2026-11-{day:02}T08:00:00Z", "end": f"2026-11-{day:02}T11:00:00Z"}
        for day in (2, 4, 28)
    ]
    assert await free(api, [room(api)], *days) == [
        f"{day:02}T{begin}:00 {day:02}T{end}:00"
        for day in (2, 4, 28)
        for begin, end in (("08", "09"), ("10", "11"))
    ]
    asked = [(utc(after), utc(before)) for _, after, before in api.ground.server.busy_reads]
    assert asked == [
        ("2026-11-02T08:00:00Z", "2026-11-04T11:00:01Z"),
        ("2026-11-28T08:00:00Z", "2026-11-28T11:00:01Z"),
    ]
    old = {"start": "1969-11-02T08:00:00Z", "end": "1969-11-02T11:00:00Z"}
    assert await free(api, [room(api)], old) == ["02T08:00 02T11:00"]
    assert len(api.ground.server.busy_reads) == 2, "nothing before 1970 is asked for"
    for year in ("0001", "9999"):
        window = {"start": f"{year}-01-02T00:00:00Z", "end": f"{year}-01-03T00:00:00Z"}
        assert (await ask(api, [room(api)], window)).status == 200


async def test_the_answer_says_when_it_was_read_and_what_of_the_stream_it_reflects(
    api: Api,
) -> None:
    """R21: of rooms alone there is no place in the stream; the oldest of all times counts."""
    api.ground.server.add("/work/", name="Work", primary=True)
    await api.ground.poll(listing=True)
    polled = utc(api.clock.now())
    api.clock.advance(timedelta(minutes=3))
    alone = (await ask(api, [room(api)])).headers
    assert (alone["X-Syncd-Polled-At"], alone["X-Syncd-State"]) == (
        *(utc(api.clock.now()), "connected"),
    )
    assert "X-Syncd-Cursor" not in alone
    both = (await ask(api, ["primary", room(api)])).headers
    assert both["X-Syncd-Polled-At"] == polled
    own = (await ask(api, ["primary"])).headers
    assert own["X-Syncd-Cursor"] == both["X-Syncd-Cursor"]


async def test_rooms_of_several_accounts_are_asked_for_each_at_its_own(api: Api) -> None:
    api.ground.server.add("/work/", name="Work", primary=True)
    await api.ground.poll(listing=True)
    other = await api.another()
    other.server.can, other.server.rooms = api.ground.server.can, api.ground.server.rooms
    api.ground.server.taken[HALL] = [hour(9)]
    everyone = await api.token(admin=True)
    path = f"/v1/accounts/{api.account},{int(other.profile_id)}/cal"
    calendars = {
        str(api.account): [room(api)],
        str(int(other.profile_id)): [room_calendar_id(other.profile_id, HALL)],
    }
    response = await ask(api, calendars, path=path, token=everyone)
    assert response.status == 200
    assert "X-Syncd-Cursor" not in response.headers
    calendars[str(api.account)] = ["primary"]
    response = await ask(api, calendars, path=path, token=everyone)
    mine = (await api.ground.profile()).public_name
    assert response.headers["X-Syncd-Cursor"].startswith(f"{mine}=")
    assert "," not in response.headers["X-Syncd-Cursor"]


async def test_what_is_no_room_of_the_account_is_an_unknown_calendar(api: Api) -> None:
    """K28: 400, and of nobody else's calendar is anything told."""
    other = await api.another()
    colleague = CalendarKey("bo@example.org")
    api.ground.server.taken[colleague] = [hour(9)]
    for name in (
        room_calendar_id(other.profile_id, HALL),
        room_calendar_id(api.ground.profile_id, colleague),
        "room_x",
        HALL,
    ):
        response = await ask(api, [name])
        problem = await response.json()
        assert (response.status, problem["error_code"]) == (400, "invalid_parameters"), name
    api.ground.server.can = Abilities(rooms=True)
    assert (await ask(api, [room(api)])).status == 400
    assert api.ground.server.busy_reads == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ForbiddenError("not shown"), 403, "upstream_forbidden"),
        (MalformedReplyError("no JSON"), 502, "upstream_error"),
        (ThrottledError("slowly"), 429, "too_many_requests"),
        (RelinkRequiredError("no"), 423, "account_disconnected"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
async def test_a_refusal_of_the_provider_is_no_free_time(
    api: Api, error: SyncdError, status: int, code: str
) -> None:
    api.ground.server.faults.reading = error
    response = await ask(api, [room(api)])
    assert (response.status, (await response.json())["error_code"]) == (status, code)
    assert (await api.ground.profile()).refused is None


async def test_a_disconnected_account_is_told_so_only_where_rooms_are_asked_for(api: Api) -> None:
    """R15, R21: the provider is needed for these; a paused one is answered."""
    api.ground.server.add("/work/", name="Work", primary=True)
    await api.ground.poll(listing=True)
    control = api.parts.control
    await control._change(api.ground.profile_id, lambda one, now: changed(one, now, paused=True))
    assert (await ask(api, [room(api)])).status == 200
    await api.disconnect()
    refused = await ask(api, [room(api)])
    assert refused.status == 423
    assert "/relink/" in (await refused.json())["relink_url"]
    assert (await ask(api, ["primary"])).status == 200


async def test_free_busy_is_all_that_it_takes(api: Api) -> None:
    """R7."""
    narrow = await api.token(Scope.READ_FREE_BUSY)
    assert (await ask(api, [room(api)], token=narrow)).status == 200
    assert (await ask(api, [room(api)], token=await api.token(Scope.LIST_CALENDARS))).status == 403
