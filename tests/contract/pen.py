"""Writes one profile's calendar Work through the Writer, and looks at what comes of it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic

import orjson

from syncd.engine.draft import EventDraft
from syncd.engine.event_writes import Outcome
from syncd.model.calendar import KnownCalendar
from syncd.model.ids import EventId
from tests.contract.rig import Json, Rig, S
from tests.witness import Neutral

NAME = "Zm9vYmFyYmF6cXV4cXV1eA"
BERLIN = "Europe/Berlin"


@dataclass(frozen=True)
class Pen(Generic[S]):
    """Writes as an application does; the rest of the world is ``rig.stage``."""

    rig: Rig[S]

    @classmethod
    async def at(cls, rig: Rig[S]) -> "Pen[S]":
        """Connect the rig's profile and read what is there."""
        await rig.connect()
        assert (await rig.poll()).error is None
        await rig.agree()
        return cls(rig)

    async def calendar(self, name: str = "Work") -> KnownCalendar:
        found = await self.rig.store.calendars(self.rig.profile_id)
        return next(one for one in found if one.calendar.name == name)

    async def create(self, key: str = NAME, **fields: Any) -> Json:  # noqa: ANN401 - of a draft
        given = {"name": "Review", "start": at(10), "end": at(11), "start_zone": BERLIN}
        draft = EventDraft(**{**given, **fields})
        return shown(
            await self.rig.writer.create_event(
                await self.rig.profile(), await self.calendar(), draft, name=key
            )
        )

    async def update(self, event: str, **fields: Any) -> Json:  # noqa: ANN401 - of a draft
        return shown(
            await self.rig.writer.update_event(
                await self.rig.profile(),
                await self.calendar(),
                EventId(event),
                EventDraft(**fields),
            )
        )

    async def delete(self, event: str) -> None:
        await self.rig.writer.delete_event(
            await self.rig.profile(), await self.calendar(), EventId(event)
        )

    async def settled(self, **expected: int) -> Neutral:
        """The stream told exactly these; the witness agrees; two polls find nothing."""
        told = await self.rig.drain()
        assert told == {"add": 0, "update": 0, "delete": 0, **expected}
        await self.rig.step()
        return await self.rig.step()


async def weekly(pen: Pen[S]) -> Json:
    """Make a series on Tuesdays at ten in Berlin."""
    made = await pen.create(
        start=wall(10), end=wall(11), end_zone=BERLIN, recurrence=("RRULE:FREQ=WEEKLY;COUNT=8",)
    )
    assert made["recurrence_type"] == "recurring_master"
    return made


def at(hour: int, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def wall(hour: int, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour)  # noqa: DTZ001 - wall time is what is meant


def shown(outcome: Outcome) -> Json:
    document: Json = orjson.loads(outcome.event.document)
    return document
