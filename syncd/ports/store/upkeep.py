"""The store's own health, backups and checks (S7, S8)."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the store is doing; None where the database has no such thing."""

    database: str  # product and version
    writable: bool
    writer_wait: timedelta
    wal_bytes: int | None = None
    free_bytes: int | None = None


class Upkeep(Protocol):
    """Looking after the database."""

    async def health(self) -> Health:
        """Ask the writer and a reader for an answer; raises TransientError if none comes."""
        ...

    def duty(self) -> AbstractAsyncContextManager[Callable[[], Awaitable[None]] | None]:
        """Be, inside, the one process on this database that does what one must do.

        Yields None if another one is. Else it yields a check to be made now and then: it raises
        TransientError when that is over, as the connection is lost.
        """
        ...

    async def turn_back(self, by: timedelta, *, now: datetime) -> None:
        """Let what is due later than ``now`` be due so much earlier: polls, attempts, replays."""
        ...

    async def check(self) -> Sequence[str]:
        """Return what is wrong, one sentence a fault: integrity, gaps, dangling rows."""
        ...

    async def backup(self, target: Path) -> None:
        """Write a marked copy: opened in place of this one, it gives new epochs (I4).

        Raises UnsupportedError on PostgreSQL, whose own tools do it.
        """
        ...

    async def close(self) -> None:
        """End all work and let go of the database."""
        ...
