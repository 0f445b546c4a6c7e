"""A Writer over the fake provider, and what must hold of the stream after each write."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from syncd.engine.browse import Browser
from syncd.engine.draft import EventDraft
from syncd.engine.event_writes import Outcome
from syncd.engine.write import Writer
from syncd.model.calendar import KnownCalendar
from syncd.model.ids import EventId
from tests.api.serving import inline
from tests.engine.ground import Ground
from tests.engine.replay import Replay, truth

NAME = "n" * 22


@dataclass
class Desk:
    """One profile's writer."""

    ground: Ground
    writer: Writer
    replay: Replay = field(default_factory=Replay)

    async def calendar(self, name: str = "Work") -> KnownCalendar:
        found = await self.ground.store.calendars(self.ground.profile_id)
        return next(one for one in found if one.calendar.name == name)

    async def create(self, name: str = "Review", *, key: str = NAME, **fields: Any) -> Outcome:  # noqa: ANN401 - of a draft
        return await self.writer.create_event(
            await self.ground.profile(), await self.calendar(), draft(name, **fields), name=key
        )

    async def update(self, event: str, *, check: Any = None, **fields: Any) -> Outcome:  # noqa: ANN401 - of a draft
        return await self.writer.update_event(
            await self.ground.profile(),
            await self.calendar(),
            EventId(event),
            EventDraft(**fields),
            check=check,
        )

    async def delete(self, event: str, *, check: Any = None) -> None:  # noqa: ANN401 - a check
        await self.writer.delete_event(
            await self.ground.profile(), await self.calendar(), EventId(event), check=check
        )

    async def agree(self) -> None:
        """Check that stream and provider tell the same, now and after the next poll."""
        self.replay.apply(await self.ground.activities(self.replay.position))
        assert self.replay.shape() == truth(self.ground.server)
        head = await self.ground.head()
        polled = await self.ground.poll(listing=True)
        assert polled.error is None
        assert await self.ground.head() == head, await self.ground.told(head)


def draft(name: str = "Review", day: int = 5, **fields: Any) -> EventDraft:  # noqa: ANN401 - any field
    start = datetime(2026, 11, day, 9, tzinfo=UTC)
    return EventDraft(**{"name": name, "start": start, "end": start.replace(hour=10), **fields})


def shown(outcome: Outcome) -> dict[str, Any]:
    """Return the event's document."""
    document: dict[str, Any] = orjson.loads(outcome.event.document)
    return document


@asynccontextmanager
async def desk(here: Ground) -> AsyncIterator[Desk]:
    """Poll a server with the calendar ``/work/`` and sit down to write."""
    if not here.server.calendars:
        here.server.add("/work/")
    await here.poll()
    browser = Browser(here.store, inline, here.clock)
    async with Writer(
        here.store, here.server, browser, here.hub, here.clock, written=here.written
    ) as writer:
        yield Desk(here, writer)
