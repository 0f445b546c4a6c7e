"""Activity streams, one a profile."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from syncd.model.activity import Activity, Filter, Stream
from syncd.model.ids import Position, ProfileId


class Streams(Protocol):
    """Reading, and cutting off the beginning."""

    async def stream(self, profile: ProfileId) -> Stream:
        """Return where a stream begins and ends; raises NotFoundError."""
        ...

    async def read(
        self, profile: ProfileId, *, after: Position, limit: int, wanted: Filter
    ) -> tuple[Stream, tuple[Activity, ...], Position]:
        """Return the stream, wanted activities behind a position, and up to where was looked.

        They are at most ``limit``, and fewer where they are large, but one if there is one: that
        place, the stream's head where nothing wanted follows, alone tells whether to go on. All
        comes from one snapshot, head and rows in one statement (S6).
        """
        ...

    async def behind(self, profile: ProfileId, at: datetime) -> Position | None:
        """Return a position behind which lies all that was recorded at or after ``at``.

        It may lie a little lower than need be. None if the stream no longer reaches back so far.
        """
        ...

    async def prune(
        self, profile: ProfileId, *, before: datetime, keep: int | None, limit: int = 500
    ) -> int:
        """Cut off at most ``limit`` activities recorded before a time or beyond ``keep`` (S9)."""
        ...

    async def stream_ids(
        self, *, after: ProfileId | None = None, limit: int = 1000
    ) -> Sequence[ProfileId]:
        """Return profiles that have a stream, by id; those that were removed keep theirs."""
        ...

    def news(self) -> AsyncIterator[ProfileId | str]:
        """Yield profiles that any process recorded for, as a hint; ends at once on SQLite.

        The ids of subscriptions that another process changed are told too. Raises TransientError
        when the connection is lost: what was said meanwhile is not heard.
        """
        ...
