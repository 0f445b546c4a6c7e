"""Time, handed in so that tests can move it."""

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The only source of time outside ``runtime``."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards; for durations only (F27)."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Return after ``duration``."""
        ...
