"""The schedule's tick: which profiles are due, and how many are polled at once (F39)."""

import asyncio
import math
from contextlib import nullcontext, suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

import structlog

from syncd.engine.diary import FINE, Diary
from syncd.engine.plan import Plan
from syncd.engine.poll import Polled, Poller
from syncd.model.errors import ConflictError, RelinkRequiredError, SyncdError
from syncd.model.ids import ProfileId
from syncd.model.profile import LastError, Profile
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.store import Store
from syncd.ports.store.profiles import PollNote

AFTER_A_FAULT = timedelta(minutes=5)  # when to poll again a profile whose poll broke off
ONE_A_SECOND = 1.0  # polls of a profile on demand (N13)

log = structlog.get_logger()


class Ticker:
    """Starts polls and owns them: enter it (``async with``) before the first tick.

    Leaving it cancels what runs; a poll may end anywhere, as its writes are whole.
    """

    def __init__(  # noqa: PLR0913 - what the schedule touches
        self,
        store: Store,
        poller: Poller,
        clock: Clock,
        meter: Meter,
        plan: Plan,
        *,
        shard: int | None = None,
    ) -> None:
        """Poll by ``plan`` what is due, of one shard if that is named."""
        self._store = store
        self._poller = poller
        self._clock = clock
        self._meter = meter
        self._plan = plan
        self._shard = shard
        self._group = asyncio.TaskGroup()
        self._turn = asyncio.Semaphore(plan.polls_at_once)
        self._running = dict[ProfileId, asyncio.Task[Polled]]()
        self._ended = dict[ProfileId, tuple[float, Polled]]()
        self._notes = list[PollNote]()
        self.diary = Diary()
        self._allowance = plan.polls_per_second
        self._looked = clock.monotonic()

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
        for task in self._running.values():
            task.cancel()
        await self._group.__aexit__(kind, error, traceback)
        with suppress(SyncdError):  # what is not noted is polled again
            await self._write_notes()

    async def tick(self) -> None:
        """Start polls of profiles that are due, as many as the plan allows; return at once.

        What polls since the last tick came to is written first, in one transaction (design
        decision 2: the schedule is a column): a crash in between repeats polls that found nothing.
        """
        await self._write_notes()
        now = self._clock.monotonic()
        rate = self._plan.polls_per_second
        self._allowance = min(rate, self._allowance + (now - self._looked) * rate)
        self._looked = now
        most = max(self._plan.polls_at_once, math.ceil(rate))  # a second's polls, some of them wait
        room = min(int(self._allowance), most - len(self._running))
        if room <= 0:
            return
        due = await self._store.due(
            self._clock.now(), limit=room + len(self._running), shard=self._shard
        )
        # what has ended since was due when that was read
        busy = self._running.keys() | {note.profile_id for note in self._notes}
        for profile in [one for one in due if one.id not in busy][:room]:
            self._allowance -= 1
            self._start(profile, listing=False)

    async def poll_now(self, profile: ProfileId, *, wait: timedelta | None) -> int | None:
        """Poll now, joining a poll that runs; return its activities if it ends within ``wait``.

        A poll that ended less than a second ago counts as now. Raises NotFoundError,
        ConflictError for a paused profile and RelinkRequiredError for a disconnected one.
        """
        await self._write_notes()  # an older one would be written over what this poll leaves
        found = await self._store.profile(profile)
        if found.paused:
            raise ConflictError("the profile is paused")
        if found.refused is not None:
            raise RelinkRequiredError("the profile is disconnected", reason=found.refused)
        ended = self._ended.get(profile)
        if ended is not None and self._clock.monotonic() - ended[0] < ONE_A_SECOND:
            return None if wait is None else ended[1].activities
        task = self._running.get(profile) or self._start(found, listing=True)
        if wait is None:
            return None
        with suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                polled = await asyncio.shield(task)
                await self._write_notes()
                return polled.activities
        return None

    async def noted(self) -> None:
        """Return when what ended polls came to is in the store."""
        await self._write_notes()

    async def settled(self) -> None:
        """Return when no poll runs and everything is noted."""
        while self._running:
            await asyncio.wait(self._running.values())
        await self._write_notes()

    def _start(self, profile: Profile, *, listing: bool) -> asyncio.Task[Polled]:
        task = self._group.create_task(
            self._poll(profile, listing=listing), name=f"poll {profile.id}"
        )
        self._running[profile.id] = task
        task.add_done_callback(lambda _: self._running.pop(profile.id, None))
        return task

    async def _poll(self, profile: Profile, *, listing: bool) -> Polled:
        polled, broken, begun = Polled(activities=0), False, self._clock.monotonic()
        try:
            async with nullcontext() if listing else self._turn:  # who asks for one does not wait
                begun = self._clock.monotonic()
                polled = await self._poller.poll(profile, listing=listing, keep=self._keep)
        except Exception:
            # a fault of ours in one profile must not stop the others; it is loud and rare
            log.exception("poll.broken", profile_id=profile.id, provider=profile.provider)
            self._meter.count("polls_total", provider=profile.provider, outcome="broken")
            await self._put_off(profile)
            broken = True
        ended = self._clock.monotonic()
        self._ended[profile.id] = (ended, polled)
        self.diary.note(
            profile.id,
            ended=ended,
            seconds=ended - begun,
            activities=polled.activities,
            outcome="internal_error" if broken else polled.error.code if polled.error else FINE,
        )
        return polled

    async def _put_off(self, profile: Profile) -> None:
        now = self._clock.now()
        message = "a fault in syncd broke the poll off: the operator finds it in the log"
        note = PollNote(
            profile_id=profile.id,
            generation=profile.generation,
            next_poll_at=now + AFTER_A_FAULT,
            failures=profile.failures + 1,
            last_error=LastError(at=now, code="internal_error", message=message),
            proof=profile.proof,
        )
        with suppress(SyncdError):
            await self._store.note_polls([note])

    def _keep(self, note: PollNote) -> None:
        self._notes.append(note)

    async def _write_notes(self) -> None:
        if not self._notes:
            return
        notes, self._notes = self._notes, []
        try:
            await self._store.note_polls(notes)
        except SyncdError:
            self._notes = notes + self._notes
            raise
