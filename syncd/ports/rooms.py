"""Which rooms a profile may book (api.md K30, K33)."""

from collections.abc import Sequence
from typing import Protocol

from syncd.model.room import Room


class Rooms(Protocol):
    """What an adapter overrides if ``Abilities.rooms`` says that its provider has such."""

    async def rooms(self) -> Sequence[Room]:
        """Return all rooms of the profile's organisation; errors as in ``Provider``."""
        return ()
