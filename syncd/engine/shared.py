"""Reading a page of a stream once, however many want it (ADR 48)."""

import asyncio

from syncd.model.activity import Activity, Filter, Stream
from syncd.model.ids import Position, ProfileId
from syncd.ports.store import Store

Page = tuple[Stream, tuple[Activity, ...], Position]

_MOST = 32  # pages that are kept


class SharedReads:
    """Reads pages like ``Streams.read``, and keeps the last ones until there is news.

    Whoever hears of news says so (``forget``) before anybody reads for their sake.
    """

    def __init__(self, store: Store) -> None:
        """Read from ``store``."""
        self._store = store
        self._reads = dict[ProfileId, dict[tuple[Position, int, Filter], _Read]]()

    def forget(self, profile: ProfileId | None = None) -> None:
        """Read a profile's pages anew from now on, or everybody's."""
        if profile is None:
            self._reads.clear()
        else:
            self._reads.pop(profile, None)

    async def read(
        self, profile: ProfileId, *, after: Position, limit: int, wanted: Filter
    ) -> Page:
        """Return a page as ``Streams.read`` does."""
        key, reads = (after, limit, wanted), self._reads.setdefault(profile, {})
        while (read := reads.get(key)) is not None:
            await read.ended.wait()
            if read.page is not None:
                return read.page
            if reads.get(key) is read:  # whoever began it was cancelled, or it failed
                del reads[key]
        mine = reads[key] = _Read()
        try:
            mine.page = await self._store.read(profile, after=after, limit=limit, wanted=wanted)
        finally:
            mine.ended.set()
        self._thin_out()
        return mine.page

    def _thin_out(self) -> None:
        """Let go of the oldest pages."""
        while sum(map(len, self._reads.values())) > _MOST:
            profile, reads = next(iter(self._reads.items()))
            del reads[next(iter(reads))]
            if not reads:
                del self._reads[profile]


class _Read:
    """One read; no page before it has ended well."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.page: Page | None = None
