"""Channels through which providers call (providers.md P16)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from syncd.model.channel import Channel
from syncd.model.ids import ProfileId


class Channels(Protocol):
    """Which channels there are, and what calls through them ask for."""

    async def add_channel(self, channel: Channel) -> None:
        """Add one, before its provider is asked for it.

        Raises StaleStateError if the profile was removed or connected anew meanwhile.
        """
        ...

    async def channel(self, channel: str) -> Channel | None:
        """Return one by our id."""
        ...

    async def channels(self, profile: ProfileId) -> Sequence[Channel]:
        """Return those of a profile's calendars, the oldest first."""
        ...

    async def save_channel(self, channel: Channel) -> None:
        """Write what became of one, but what was heard through it; one that is gone stays gone."""
        ...

    async def hear_channel(self, channel: Channel, at: datetime, *, due: datetime | None) -> None:
        """Keep that it called, and with ``due`` have its profile polled by then.

        A back-off is not shortened, and no poll put off. A poll that began before ``due`` does not
        count: ``note_polls`` keeps to it.
        """
        ...

    async def doubt_channel(self, channel: Channel) -> None:
        """Take it for unheard until it calls again."""
        ...

    async def remove_channel(self, channel: Channel) -> None:
        """Remove one; one that is gone is as good."""
        ...
