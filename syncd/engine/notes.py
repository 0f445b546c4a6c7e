"""Notes of deliveries, those of many subscriptions in one transaction (ADR 48)."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

from syncd.model.errors import ConflictError, NotFoundError, StaleStateError
from syncd.ports.store import Store
from syncd.ports.store.subscriptions import Note

AT_ONCE = 200  # attempts in a transaction; who has more waits until they are written
LONGEST = timedelta(milliseconds=25)  # that a note waits for others


class Notes:
    """Keeps notes for a moment, until there are some, and writes them.

    Enter it (``async with``); leaving it writes what is left. What was not written when the
    process dies is sent again, with the same ids (I14).
    """

    def __init__(self, store: Store) -> None:
        """Write to ``store``."""
        self._store = store
        self._group = asyncio.TaskGroup()
        self._next = _Batch()
        self._last = dict[str, _Batch]()  # of each subscription, until somebody asks for it
        self._writer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin with none."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write what is left."""
        try:
            while self._writer is not None:
                await asyncio.wait({self._writer})
        finally:
            await self._group.__aexit__(kind, error, traceback)

    async def add(self, note: Note) -> None:
        """Keep a note; raises what became of earlier ones of its subscription."""
        before = self._last.get(note.subscription_id)
        if before is not None and note.subscription_id in before.faults:
            await self.written(note.subscription_id)
        batch = self._next
        batch.notes.append(note)
        batch.size += max(1, len(note.deliveries))
        self._last[note.subscription_id] = batch
        if self._writer is None:
            self._writer = self._group.create_task(self._write_all(), name="notes of deliveries")
        if batch.size >= AT_ONCE:
            batch.full.set()
            await batch.ended.wait()

    async def written(self, subscription: str) -> None:
        """Return when all that was kept of a subscription is in the store, or raise why not."""
        if (batch := self._last.get(subscription)) is None:
            return
        await batch.ended.wait()
        if self._last.get(subscription) is batch:
            del self._last[subscription]
        if subscription in batch.faults:
            raise batch.faults[subscription]

    async def _write_all(self) -> None:
        while self._next.notes:
            batch = self._next
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST.total_seconds()):
                    await batch.full.wait()
            self._next = _Batch()
            await self._write(batch, batch.notes)
            batch.ended.set()
        self._writer = None

    async def _write(self, batch: "_Batch", notes: Sequence[Note]) -> None:
        """Write notes together; where one of them is refused, each subscription's by themselves."""
        try:
            ended = await self._store.note_deliveries(notes)
            batch.faults |= {one: ConflictError("its grant has ended") for one in ended}
        except Exception as error:  # noqa: BLE001 - whoever waits for it is told
            each = _by_subscription(notes)
            if len(each) > 1 and isinstance(error, StaleStateError | NotFoundError):
                for some in each.values():
                    await self._write(batch, some)
            else:
                batch.faults |= dict.fromkeys(each, error)


class _Batch:
    """Notes that are written together; ``faults`` is what became of them, by subscription."""

    def __init__(self) -> None:
        self.notes = list[Note]()
        self.size = 0
        self.full = asyncio.Event()
        self.ended = asyncio.Event()
        self.faults = dict[str, Exception]()


def _by_subscription(notes: Sequence[Note]) -> dict[str, list[Note]]:
    found = dict[str, list[Note]]()
    for note in notes:
        found.setdefault(note.subscription_id, []).append(note)
    return found
