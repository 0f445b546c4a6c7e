"""A clock that moves only when it is told to."""

from datetime import UTC, datetime, timedelta

BEGIN = datetime(2026, 11, 20, 9, tzinfo=UTC)


class FakeClock:
    """Wall and monotonic time move together; ``sleep`` moves them and returns."""

    def __init__(self, now: datetime = BEGIN) -> None:
        self._now = now
        self._begin = now

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return (self._now - self._begin).total_seconds()

    async def sleep(self, duration: timedelta) -> None:
        self.advance(duration)

    def jump(self, duration: timedelta) -> None:
        """Let the wall clock be set to another time; monotonic time knows nothing of it."""
        self._now += duration
        self._begin += duration

    def advance(self, duration: timedelta) -> None:
        self._now += duration
