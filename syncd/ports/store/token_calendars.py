"""Calendars of expiring tokens (api.md M3-M14)."""

from collections.abc import Collection, Sequence
from typing import Protocol

from syncd.model.ids import TokenId, UserId
from syncd.model.published import Label, Noticed, TokenCalendar, Watch, Watched


class TokenCalendars(Protocol):
    """Which calendars a user has, which tokens they show, and the labels they bear."""

    async def add_token_calendar(self, calendar: TokenCalendar) -> None:
        """Add one; raises ConflictError if the user has one of this name."""
        ...

    async def token_calendars(self, user: UserId) -> Sequence[TokenCalendar]:
        """Return the user's, in the order of their making."""
        ...

    async def token_calendar(self, calendar: str) -> TokenCalendar:
        """Return one by its id; raises NotFoundError."""
        ...

    async def token_calendar_named(self, user: UserId, name: str) -> TokenCalendar:
        """Return the user's of that id, else of that name; raises NotFoundError."""
        ...

    async def token_calendar_at(self, digest: bytes) -> TokenCalendar | None:
        """Return the one whose path has this digest."""
        ...

    async def save_token_calendar(self, calendar: TokenCalendar) -> None:
        """Write description and labels; one that is gone stays gone."""
        ...

    async def notice_token_calendar(self, calendar: str, noticed: Noticed) -> None:
        """Keep which version was served."""
        ...

    async def remove_token_calendar(self, calendar: str) -> None:
        """Remove one with its watches; one that is gone is as good."""
        ...

    async def watch(self, watch: Watch) -> None:
        """Add a watch, or replace the comment of the one that is there.

        Raises ConflictError if the calendar is gone.
        """
        ...

    async def unwatch(self, calendar: str, token: TokenId) -> None:
        """Remove a watch; one that is gone is as good."""
        ...

    async def watched(self, calendars: Collection[str]) -> Sequence[Watched]:
        """Return what these calendars show, oldest watch first, revoked tokens too."""
        ...

    async def watch_by_code(self, digest: bytes) -> Watch | None:
        """Return the watch that one of its two codes names."""
        ...

    async def labels(self, user: UserId) -> Sequence[Label]:
        """Return the user's, by name."""
        ...

    async def add_label(self, label: Label) -> None:
        """Add one; raises ConflictError if the user has one of this name."""
        ...

    async def save_label(self, label: Label) -> None:
        """Write name and colour; raises ConflictError if the name is taken."""
        ...

    async def remove_label(self, label: str) -> None:
        """Remove one; one that is gone is as good."""
        ...
