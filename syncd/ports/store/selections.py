"""Selections: calendars through which a profile's stream is read (api.md K43)."""

from collections.abc import Sequence
from typing import Protocol

from syncd.model.ids import ProfileId
from syncd.model.selection import Selection


class Selections(Protocol):
    """Those that somebody made or changed; they go with their profile."""

    async def selections(
        self, profile: ProfileId, *, after: str = "", limit: int = 1000
    ) -> Sequence[Selection]:
        """Return a profile's by id, all but its default one."""
        ...

    async def selection(self, profile: ProfileId, selection: str) -> Selection | None:
        """Return one of a profile."""
        ...

    async def save_selection(
        self, selection: Selection, *, generation: int, most: int | None = None
    ) -> Selection:
        """Write one, a new one if its revision is 0; return it as stored.

        Raises LimitError for a new one if the profile has ``most`` already, without its default.
        Raises StaleStateError if it has changed meanwhile, or is there already, and if its profile
        was removed or has credentials of another ``generation``.
        """
        ...

    async def remove_selection(self, selection: Selection) -> None:
        """Remove one; one that is gone is as good."""
        ...
