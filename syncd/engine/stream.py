"""Reading a profile's stream behind a cursor, and waiting for news (I4; api.md K35-K40)."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from syncd.engine.hub import Hub
from syncd.model.activity import Batch, Filter
from syncd.model.ids import Cursor, Position, ProfileId
from syncd.ports.clock import Clock
from syncd.ports.store import Store

AFTER_AUTH = "after-auth"
LATEST = "latest"


class StreamReader:
    """Reads streams; keeps nothing between two reads, so a slow reader costs nothing (F36)."""

    def __init__(self, store: Store, hub: Hub, clock: Clock) -> None:
        """Read from ``store``; ``hub`` tells when to look again."""
        self._store = store
        self._hub = hub
        self._clock = clock

    async def read(
        self,
        profile: ProfileId,
        *,
        cursor: str | None,
        limit: int,
        wanted: Filter,
        wait: timedelta = timedelta(),
    ) -> Batch:
        """Return at most ``limit`` wanted activities behind the cursor, oldest first.

        Fewer are not all that there are, where they are large: only none are.
        ``cursor`` is None (the oldest retained), ``after-auth``, ``latest`` (never waits), or a
        cursor's text. Without news the answer comes after ``wait``, empty, with the end as its
        cursor; the cursor is None while ``after-auth`` lies ahead (K36). Raises
        MalformedCursorError, CursorExpiredError (I4) and NotFoundError.
        """
        deadline = self._clock.monotonic() + wait.total_seconds()
        while True:
            woken = self._hub.next_wake(profile)  # before reading, or news between is lost
            batch = await self._once(profile, cursor, limit, wanted)
            left = deadline - self._clock.monotonic()
            if batch.activities or cursor == LATEST or left <= 0:
                return batch
            if batch.cursor is not None:
                cursor = str(batch.cursor)
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await woken.wait()
            if not woken.is_set():
                return batch

    async def _once(
        self, profile: ProfileId, cursor: str | None, limit: int, wanted: Filter
    ) -> Batch:
        asked: Cursor | None = None
        after = Position(0)
        if cursor in {LATEST, AFTER_AUTH}:
            stream = await self._store.stream(profile)
            if cursor == LATEST:
                return Batch(stream=stream, activities=(), cursor=stream.latest)
            if stream.after_auth is None:
                return Batch(stream=stream, activities=(), cursor=None)
            after = stream.after_auth
        elif cursor is not None:
            asked = Cursor.parse(cursor)
            after = asked.position
        stream, activities, end = await self._store.read(
            profile, after=after, limit=limit, wanted=wanted
        )
        if asked is not None:
            stream.check(asked)  # against the very snapshot that was read: retention moves on
        return Batch(stream=stream, activities=activities, cursor=Cursor(stream.epoch, end))
