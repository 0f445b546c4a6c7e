"""Writers of one event, or of one series, go to its provider one after another (ADR 55)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from syncd.model.errors import ConflictError
from syncd.model.ids import CalendarId, EventId, split_event_id

PATIENCE_SECONDS = 30.0  # as long as a provider may take for one write (R15)


class Turns:
    """Who waits for which series; nobody who is not there is kept."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._locks = WeakValueDictionary[tuple[CalendarId, EventId], asyncio.Lock]()

    @asynccontextmanager
    async def of(self, calendar: CalendarId, event: EventId) -> AsyncIterator[None]:
        """Hold the series that an event id names; raises ConflictError for who waits too long."""
        series, _ = split_event_id(event)
        lock = self._locks.setdefault((calendar, series), asyncio.Lock())
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await lock.acquire()
        except TimeoutError:
            raise ConflictError("the event is being changed, which takes its time") from None
        try:
            yield
        finally:
            lock.release()
