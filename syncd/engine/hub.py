"""Wakes readers of streams; carries nothing but the hint to look again."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from syncd.model.ids import ProfileId

PATIENCE = timedelta(seconds=30)


class Watch:
    """What was woken of many profiles, for one reader; see ``Hub.watch``."""

    def __init__(self, wanted: Callable[[ProfileId], bool]) -> None:
        """Note the wanted ones."""
        self._wanted = wanted
        self._woken = set[ProfileId]()
        self._news = asyncio.Event()

    def note(self, profile: ProfileId) -> None:
        """Keep that a profile was woken, if it is wanted."""
        if self._wanted(profile):
            self._woken.add(profile)
            self._news.set()

    def take(self) -> frozenset[ProfileId]:
        """Return what was woken since the last call; call it before reading."""
        woken = frozenset(self._woken)
        self._woken.clear()
        self._news.clear()
        return woken

    async def wait(self, longest: timedelta) -> bool:
        """Wait until something was woken that nobody took; False if nothing was."""
        with suppress(TimeoutError):
            async with asyncio.timeout(longest.total_seconds()):
                await self._news.wait()
        return self._news.is_set()


class Hub:
    """One event a profile that somebody waits for; a lost or extra wake costs one empty read."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: dict[ProfileId, asyncio.Event] = {}
        self._watches = set[Watch]()
        self._polled: dict[ProfileId, float] = {}  # since when, by the loop's clock
        self._asked = set[ProfileId]()  # ``later``

    def wake(self, profile: ProfileId) -> None:
        """Wake everyone who took ``next_wake`` before this call."""
        if woken := self._waiting.pop(profile, None):
            woken.set()
        for watch in self._watches:
            watch.note(profile)

    def next_wake(self, profile: ProfileId) -> asyncio.Event:
        """Return the event that the next ``wake`` sets; take it before reading."""
        return self._waiting.setdefault(profile, asyncio.Event())

    @contextmanager
    def polled(self, profile: ProfileId) -> Iterator[None]:
        """Let who would rather read all of a poll at once know that one is running here."""
        self._polled[profile] = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self._polled.pop(profile, None)
            if profile in self._asked:
                self._asked.discard(profile)
                self.wake(profile)

    def later(self, profile: ProfileId) -> bool:
        """Tell whether a poll of the profile is running; if so, it is woken when that has ended.

        A poll that takes long, as a first read does, is waited for no longer than ``PATIENCE``.
        """
        since = self._polled.get(profile)
        if since is None or asyncio.get_running_loop().time() - since > PATIENCE.total_seconds():
            return False
        self._asked.add(profile)
        return True

    @contextmanager
    def watch(self, wanted: Callable[[ProfileId], bool]) -> Iterator[Watch]:
        """Note what is woken of the wanted profiles, as long as the block lasts."""
        watch = Watch(wanted)
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)
