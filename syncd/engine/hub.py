"""Wakes readers of a profile's stream; carries nothing but the hint to look again."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from syncd.model.ids import ProfileId


class Watch:
    """Which profiles were woken since this was last asked, for who follows all of them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._woken = set[ProfileId]()
        self._news = asyncio.Event()

    def note(self, profile: ProfileId) -> None:
        """Remember a profile until it is taken."""
        self._woken.add(profile)
        self._news.set()

    async def wait(self) -> None:
        """Return when there is a profile to take."""
        await self._news.wait()

    def take(self) -> frozenset[ProfileId]:
        """Return the profiles that were woken, and forget them."""
        woken, self._woken = frozenset(self._woken), set()
        self._news.clear()
        return woken


class Hub:
    """One event a profile that somebody waits for; a lost or extra wake costs one empty read."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: dict[ProfileId, asyncio.Event] = {}
        self._watches = set[Watch]()

    def wake(self, profile: ProfileId) -> None:
        """Wake everyone who took ``next_wake`` before this call, and everyone who watches."""
        if woken := self._waiting.pop(profile, None):
            woken.set()
        for watch in self._watches:
            watch.note(profile)

    def next_wake(self, profile: ProfileId) -> asyncio.Event:
        """Return the event that the next ``wake`` sets; take it before reading."""
        return self._waiting.setdefault(profile, asyncio.Event())

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        """Hear of every profile inside of this."""
        watch = Watch()
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)
