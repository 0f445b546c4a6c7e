"""Feeds: provider calendars that are published as ICS (api.md N21, N22)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncd.model.ids import ApplicationId, CalendarId, ProfileId, ResourceKey, Slot, UserId
from syncd.model.published import Feed, Noticed
from syncd.model.resource import RawResource


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """An event by its place in a calendar; ``document`` as in ``KeptEvent``."""

    key: ResourceKey
    slot: Slot
    document: bytes


class Feeds(Protocol):
    """Which feeds there are, and whose."""

    async def add_feed(self, feed: Feed) -> None:
        """Add one."""
        ...

    async def feeds(
        self,
        *,
        user: UserId | None = None,
        profile: ProfileId | None = None,
        application: ApplicationId | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Sequence[Feed]:
        """Return feeds by id, those of a user, profile or application if one is named."""
        ...

    async def feed(self, feed: str) -> Feed:
        """Return one; raises NotFoundError."""
        ...

    async def feed_at(self, digest: bytes, at: datetime) -> Feed | None:
        """Return the one whose path has this digest, as long as its people allow it.

        Of an application, or of its users, that is while it is registered; of its users also while
        they have a consent that was not revoked, or a living token of the command line.
        """
        ...

    async def save_feed(self, feed: Feed) -> Feed:
        """Write a changed feed; return it as stored. Raises StaleStateError."""
        ...

    async def notice_feed(self, feed: str, noticed: Noticed) -> None:
        """Keep which version was served."""
        ...

    async def remove_feed(self, feed: str) -> None:
        """Remove one; one that is gone is as good."""
        ...

    async def revisions(self, calendars: Collection[CalendarId]) -> Mapping[CalendarId, int]:
        """Return how often each calendar was written; those that are gone are left out."""
        ...

    async def bodies(
        self, calendar: CalendarId, *, after: ResourceKey | None, limit: int
    ) -> Sequence[RawResource]:
        """Return a page of a calendar's resources as their provider wrote them, by key."""
        ...

    async def contents(
        self, calendar: CalendarId, *, after: tuple[ResourceKey, Slot] | None, limit: int
    ) -> Sequence[Content]:
        """Return a page of a calendar's events, those of a resource beside each other."""
        ...
