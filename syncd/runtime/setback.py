"""A wall clock that is set back: what was to come would be late by as much (F27, ADR 58).

Due times are of the wall clock, in the store and in the schedule; how far it was set is told by
the monotonic clock.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from syncd.model.errors import SyncdError
from syncd.ports.clock import Clock

LOOK_EVERY = timedelta(seconds=1)
LEAST = timedelta(seconds=2)  # back; what is less is soon made up for
TOLD = timedelta(seconds=30)  # in the log, forwards too

log = structlog.get_logger()


async def watch_for_setbacks(
    clock: Clock, set_back: Callable[[timedelta], Awaitable[None]]
) -> None:
    """Call ``set_back`` with how far the clock was set back, whenever it was; until cancelled.

    Where the store does not answer it is called again, for all that it was set back meanwhile.
    """
    now, beat, owed = clock.now(), clock.monotonic(), timedelta()
    while True:
        await clock.sleep(LOOK_EVERY)
        passed = timedelta(seconds=clock.monotonic() - beat)
        ahead = clock.now() - now - passed
        now, beat = clock.now(), clock.monotonic()
        if abs(ahead) > TOLD:
            log.warning("clock.jumped", seconds=round(ahead.total_seconds()))
        if ahead <= -LEAST:
            owed -= ahead
        if owed:
            try:
                await set_back(owed)
            except SyncdError as error:
                log.warning("clock.not_followed", why=str(error))
            else:
                owed = timedelta()
