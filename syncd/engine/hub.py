"""Wakes readers of a profile's stream; carries nothing but the hint to look again."""

import asyncio

from syncd.model.ids import ProfileId


class Hub:
    """One event a profile that somebody waits for; a lost or extra wake costs one empty read."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: dict[ProfileId, asyncio.Event] = {}

    def wake(self, profile: ProfileId) -> None:
        """Wake everyone who took ``next_wake`` before this call."""
        if woken := self._waiting.pop(profile, None):
            woken.set()

    def next_wake(self, profile: ProfileId) -> asyncio.Event:
        """Return the event that the next ``wake`` sets; take it before reading."""
        return self._waiting.setdefault(profile, asyncio.Event())
