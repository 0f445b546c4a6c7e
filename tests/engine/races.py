"""What tests of racing writes share: one event that somebody else changes too."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from syncd.model.ids import CalendarKey, EventId, ResourceKey
from tests.engine.desk import Desk, desk
from tests.engine.ground import Ground, event
from tests.fakes.calendars import FakeCalendar

KEY = ResourceKey("a.ics")
Hook = Callable[[], Awaitable[None]]


@asynccontextmanager
async def racing(here: Ground) -> AsyncIterator[Desk]:
    here.server.add("/work/").put(KEY, event("Review", uid="a"))
    async with desk(here) as made:
        yield made


def work(at: Desk) -> FakeCalendar:
    return at.ground.server.calendars[CalendarKey("/work/")]


async def review(at: Desk) -> EventId:
    (one,) = [one for one in await at.ground.activities() if b'"Review"' in one.body]
    return EventId(one.object_id)


def theirs(at: Desk, **fields: Any) -> None:  # noqa: ANN401 - of an event
    """Let somebody else change the event at the server."""
    work(at).put(KEY, replace(work(at).resources[KEY].events[0], **fields))
