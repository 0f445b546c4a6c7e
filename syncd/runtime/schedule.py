"""Ticks; the only user of APScheduler. What is due stands in the database, not here."""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from syncd.ports.clock import Clock

BEAT_EVERY = timedelta(seconds=1)
Tick = Callable[[], Awaitable[None]]


class Schedule:
    """Calls ticks at their intervals, never one of them twice at once, never dropping a late one.

    ``beat_at`` (monotonic seconds) is when the schedule last proved that it runs.
    """

    def __init__(self, clock: Clock) -> None:
        """Prepare; nothing runs before ``start``."""
        self._clock = clock
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self.beat_at: float | None = None
        self._stopped = False
        self._jobs = list[tuple[str, timedelta]]()
        self.every(BEAT_EVERY, self._beat, name="beat")

    def every(self, interval: timedelta, tick: Tick, *, name: str) -> None:
        """Call ``tick`` each ``interval``; a run that takes longer delays the next one."""
        self._jobs.append((name, interval))
        self._scheduler.add_job(
            partial(self._run, tick),
            IntervalTrigger(seconds=interval.total_seconds(), timezone="UTC"),
            id=name,
            name=name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,  # the default drops late runs silently (F39)
        )

    def jobs(self) -> tuple[tuple[str, timedelta], ...]:
        """Return what is called how often, by name."""
        return tuple(self._jobs)

    def hurry(self) -> None:
        """Let all ticks run now; they would wait until a clock that was set back is there again."""
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=self._clock.now())

    def start(self) -> None:
        """Begin ticking on the running loop."""
        self._stopped = False
        self._scheduler.start()

    def stop(self) -> None:
        """Tick no more; runs under way are cancelled."""
        self._stopped = True
        self._scheduler.shutdown(wait=False)

    async def _run(self, tick: Tick) -> None:
        """Call a tick; one that is cut by ``stop`` is no failure, which APScheduler would log."""
        try:
            await tick()
        except CancelledError:
            if not self._stopped:
                raise

    async def _beat(self) -> None:
        self.beat_at = self._clock.monotonic()
