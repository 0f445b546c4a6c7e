"""Reading Microsoft Graph, over the fake that the OpenAPI document judges."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from syncd.model.errors import (
    SyncTokenExpiredError,
)
from syncd.model.ids import ResourceKey, SyncToken
from syncd.model.resource import slot
from tests.providers.graph import GraphDesk, graph_desk
from tests.servers.graph import GraphServer, at

WEEKLY: dict[str, Any] = {
    "subject": "Weekly",
    "start": at(24, 10),
    "end": at(24, 11),
    "recurrence": {
        "pattern": {
            "type": "weekly",
            "interval": 1,
            "daysOfWeek": ["tuesday"],
            "firstDayOfWeek": "monday",
        },
        "range": {"type": "numbered", "startDate": "2026-11-24", "numberOfOccurrences": 8},
    },
}
RULE = "RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=8"
SECOND, THIRD = date(2026, 12, 1), date(2026, 12, 8)
EARLY: dict[str, Any] = {"start": {"dateTime": "2020-01-01T09:00:00", "timeZone": "UTC"},
         "end": {"dateTime": "2020-01-01T10:00:00", "timeZone": "UTC"}}  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[GraphServer]:
    async with GraphServer().running() as running:
        yield running
        assert running.complaints == []


@pytest.fixture
async def desk(server: GraphServer) -> AsyncIterator[GraphDesk]:
    async with graph_desk(server) as one:
        yield one


def single(desk: GraphDesk, name: str, summary: str = "", **members: Any) -> None:  # noqa: ANN401
    times = {"start": at(24), "end": at(24, 10)}
    desk.work.put(name, **{"subject": summary or name, **times, **members})


async def test_the_first_read_brings_all_and_the_next_nothing(desk: GraphDesk) -> None:
    """MG2, MG3, MG6."""
    for number in range(7):
        single(desk, f"single{number}")
    single(desk, "early", **EARLY)
    desk.work.put("w", **WEEKLY)
    desk.server.page_size = 3
    read = await desk.read()
    assert len(desk.held) == 9
    assert read.last.complete
    desk.asked()
    again = await desk.read()
    assert again.empty
    assert not again.last.complete
    assert desk.asked() == [f"GET /me/calendars/{desk.key}/calendarView/delta"]


async def test_single_events_come_change_move_and_go(desk: GraphDesk) -> None:
    await desk.read()
    single(desk, "a", "First")
    assert (await desk.read()).changed == {"a"}
    single(desk, "a", "Second", location={"displayName": "Room 1"})
    assert (await desk.read()).changed == {"a"}
    single(desk, "a", "Second", start=at(26), end=at(26, 10))
    await desk.read()
    assert desk.events("a")[0].start == datetime(2026, 11, 26, 8, tzinfo=UTC)
    assert desk.events("a")[0].start_zone == "Europe/Berlin"
    desk.work.remove("a")
    assert (await desk.read()).deleted == {"a"}


async def test_a_series_and_its_exceptions_are_one_resource(desk: GraphDesk) -> None:
    """P8, MG4: occurrences are neither stored nor fetched."""
    desk.work.put("w", **WEEKLY)
    await desk.read()
    assert list(desk.held) == ["w"]
    desk.work.put_exception("w", SECOND, start=at(31, 14), end=at(31, 15), subject="Later")
    assert (await desk.read()).upserts == {"w"}
    series, exception = desk.events("w")
    assert series.recurrence == (RULE,)
    assert (slot(exception), exception.name) == ("20261201T090000Z", "Later")
    assert exception.uid == series.uid
    desk.work.put_exception("w", THIRD, subject="Other")
    await desk.read()
    assert [slot(one) for one in desk.events("w")] == ["", "20261201T090000Z", "20261208T090000Z"]
    whole = desk.held[ResourceKey("w")]
    await desk.read(full=True)
    assert desk.held[ResourceKey("w")] == whole
    desk.work.remove("w")
    assert (await desk.read()).deleted == {"w"}
    assert desk.held == {}


async def test_an_expired_link_asks_for_a_full_read(desk: GraphDesk) -> None:
    """MG9, I8, P2."""
    single(desk, "a")
    await desk.read()
    desk.server.expire()
    with pytest.raises(SyncTokenExpiredError):
        await desk.read()
    assert (await desk.read(full=True)).empty
    desk.follower.token = SyncToken('{"v":0,"p":"x","link":"y"}')
    with pytest.raises(SyncTokenExpiredError):
        await desk.read()
