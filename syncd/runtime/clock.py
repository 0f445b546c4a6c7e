"""The system's time; the only file that asks for it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """Obeys ``ports.clock.Clock``."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        """Return after ``duration``."""
        await asyncio.sleep(duration.total_seconds())
