"""Writes of applications: each runs to its end in a task of its own, whoever waits for it."""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

from syncd.engine.browse import Browser
from syncd.engine.calendar_writes import CalendarCheck, CalendarOutcome, CalendarWrites
from syncd.engine.draft import EventDraft
from syncd.engine.event_writes import EventCheck, EventWrites, Outcome
from syncd.engine.hub import Hub
from syncd.engine.moves import Moves
from syncd.engine.recorder import Recorder
from syncd.engine.turns import Turns
from syncd.engine.written import Written
from syncd.model.calendar import KnownCalendar
from syncd.model.edit import CalendarEdit
from syncd.model.errors import TransientError
from syncd.model.ids import Cursor, EventId
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.provider import Providers
from syncd.ports.store import Store

T = TypeVar("T")

log = structlog.get_logger()


class Writer:
    """Writes at providers and records it: enter it (``async with``) before the first write.

    A caller that is cancelled leaves; what it began goes on, so that a change that reached the
    provider is recorded too. Leaving the Writer cancels what still runs: then the next poll tells.

    Every method takes a calendar of the profile and raises, beside what is named there:
    RelinkRequiredError for a disconnected profile, ReadOnlyError, InvalidError and
    UnsupportedError before the provider is asked; what it answers as UpstreamError,
    UpstreamTimeoutError, ThrottledError, RejectedError, ForbiddenError, NotFoundError and
    ConflictError; and PreconditionError if ``check`` says that this is another version, or the
    provider holds one (R18).
    """

    def __init__(  # noqa: PLR0913 - what a write touches
        self,
        store: Store,
        providers: Providers,
        browser: Browser,
        hub: Hub,
        clock: Clock,
        *,
        written: Written | None = None,
    ) -> None:
        """Write at ``providers`` and record in ``store``; tell ``written`` for the polls (F6)."""
        recorder = Recorder(store, hub, clock)
        written = written or Written(clock)
        moves = Moves(store, hub, clock, written)
        self._events = EventWrites(store, providers, browser, recorder, moves, written)
        self._calendars = CalendarWrites(store, providers, hub, clock)
        self._turns = Turns()
        self._group = asyncio.TaskGroup()
        self._running = set[asyncio.Task[Any]]()

    async def __aenter__(self) -> Self:
        """Begin."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Cancel what runs and wait until it has ended."""
        for task in self._running:
            task.cancel()
        await self._group.__aexit__(kind, error, traceback)

    async def settled(self) -> None:
        """Return when no write runs."""
        while self._running:
            await asyncio.wait(self._running)

    async def create_event(
        self, profile: Profile, calendar: KnownCalendar, draft: EventDraft, *, name: str
    ) -> Outcome:
        """Make an event; ``name`` as in ``Writing``: a second call makes no second event."""
        return await self._whole(self._events.create(profile, calendar.id, draft, name=name))

    async def update_event(
        self,
        profile: Profile,
        calendar: KnownCalendar,
        event: EventId,
        draft: EventDraft,
        *,
        check: EventCheck | None = None,
    ) -> Outcome:
        """Change a single event, a series, or one occurrence, which becomes an exception."""

        async def update() -> Outcome:
            async with self._turns.of(calendar.id, event):
                return await self._events.update(profile, calendar.id, event, draft, check=check)

        return await self._whole(update())

    async def delete_event(
        self,
        profile: Profile,
        calendar: KnownCalendar,
        event: EventId,
        *,
        check: EventCheck | None = None,
    ) -> Cursor:
        """Delete a single event, a series with its exceptions, or one occurrence."""

        async def delete() -> Cursor:
            async with self._turns.of(calendar.id, event):
                return await self._events.delete(profile, calendar.id, event, check=check)

        return await self._whole(delete())

    async def create_calendar(
        self, profile: Profile, edit: CalendarEdit, *, name: str
    ) -> CalendarOutcome:
        """Make a calendar; ``name`` as in ``create_event``."""
        return await self._whole(self._calendars.create(profile, edit, name=name))

    async def update_calendar(
        self,
        profile: Profile,
        calendar: KnownCalendar,
        edit: CalendarEdit,
        *,
        check: CalendarCheck | None = None,
    ) -> CalendarOutcome:
        """Change a calendar's properties."""
        return await self._whole(self._calendars.update(profile, calendar.id, edit, check=check))

    async def delete_calendar(
        self, profile: Profile, calendar: KnownCalendar, *, check: CalendarCheck | None = None
    ) -> Cursor:
        """Delete a calendar with all that it holds."""
        return await self._whole(self._calendars.delete(profile, calendar.id, check=check))

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Await a write that goes on when the caller is cancelled."""
        task = self._group.create_task(_caught(work), name="write")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            done = await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise TransientError("syncd is stopping") from None
            task.add_done_callback(_tell)
            raise
        if isinstance(done, _Failed):
            raise done.error
        return done


class _Failed:
    """An error as a value, so that no write ends the group of all."""

    def __init__(self, error: Exception) -> None:
        """Keep the error for who waits."""
        self.error = error


async def _caught(work: Coroutine[Any, Any, T]) -> T | _Failed:
    try:
        return await work
    except Exception as error:  # noqa: BLE001 - raised again by who waits
        return _Failed(error)


def _tell(task: asyncio.Task[Any]) -> None:
    """Log how a write ended that nobody waits for."""
    if not task.cancelled() and isinstance(task.result(), _Failed):
        log.warning("write.failed", outcome=type(task.result().error).__name__)
