"""Events of Google that lack what nearly all have, over the fake that is judged."""

from collections.abc import AsyncIterator
from datetime import date

import pytest

from tests.providers.google import GoogleDesk, google_desk
from tests.providers.test_google_reading import SECOND, WEEKLY, single
from tests.servers.google import GoogleServer


@pytest.fixture
async def server() -> AsyncIterator[GoogleServer]:
    async with GoogleServer().running() as one:
        yield one


@pytest.fixture
async def desk(server: GoogleServer) -> AsyncIterator[GoogleDesk]:
    async with google_desk(server) as one:
        yield one
        assert server.complaints == []


async def test_a_day_without_a_length_is_a_day(desk: GoogleDesk) -> None:
    """P9, allenporter/gcal_sync#225: the end is exclusive, and Google keeps what others wrote."""
    day = {"date": "2026-11-24"}
    single(desk.server, "d", start=day, end=day)
    await desk.read()
    (event,) = desk.events("d")
    assert (event.start, event.end) == (date(2026, 11, 24), date(2026, 11, 25))


async def test_a_series_without_a_uid_is_read_all_the_same(desk: GoogleDesk) -> None:
    """P1: who sees free/busy times alone is told little of the events."""
    work = desk.server.work
    await desk.read()
    work.put("w", **WEEKLY)
    await desk.read()
    desk.held.clear()
    desk.follower._raw.clear()
    del work.events["w"]["iCalUID"]
    work.put(SECOND, summary="Other")
    await desk.read()
    assert [one.name for one in desk.events("w")] == ["Weekly", "Other"]


async def test_a_series_of_no_shape_costs_only_itself(server: GoogleServer) -> None:
    """I10: also where it is put together with its cancelled instances."""
    async with google_desk(server) as desk:
        single(server, "a")
        server.work.put("w", **WEEKLY)
        server.work.cancel(SECOND)
        server.work.put("w", recurrence=[*WEEKLY["recurrence"], ["RDATE"]])
        read = await desk.read()
        assert (read.unread, read.upserts) == ({"w"}, {"a"})
    assert server.complaints  # it is none of what the document says
