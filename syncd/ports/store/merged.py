"""The stream of many profiles at once."""

from typing import Protocol

from syncd.model.activity import Filter
from syncd.model.merged import Ends, MergedActivity, Place
from syncd.model.reach import Reach


class Merged(Protocol):
    """Reading in the order of commits (design decision 11)."""

    async def read_merged(
        self, reach: Reach, *, after: Place | None, limit: int, wanted: Filter, after_auth: bool
    ) -> tuple[Ends, tuple[MergedActivity, ...], Place]:
        """Return the ends, at most ``limit`` wanted activities, and up to where was looked.

        They lie behind ``after``, None for the oldest place of the reader's, and are fewer where
        they are large, but one if there is one. All of it comes from one snapshot (S6). Where
        nothing was found, there is nothing only if the order ``last`` of the ends was reached.
        ``after_auth`` leaves out what lies before the end of each profile's first read. Nothing
        that is committed later comes to lie before the place returned.
        """
        ...
