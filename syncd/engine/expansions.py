"""What the series of a listing came to, kept for its next page (ADR 53)."""

import asyncio
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter

from cachetools import TTLCache

from syncd.engine.instances import Expanded
from syncd.engine.occurrences import Occurrence
from syncd.ports.clock import Clock

_LASTS = 60.0  # seconds between two pages; behind it the series are expanded once more
_SPARE = 1.0  # seconds, as clocks round
_IN_ALL = 32 * 2**20  # bytes
_A_ROW = 500  # bytes, with its times and its id
_A_SERIES = 1_000  # bytes beside its document


@dataclass(frozen=True, slots=True)
class _Weighed:
    """Weighing takes milliseconds where there are many rows, and each page keeps them anew."""

    expanded: Expanded
    size: int


class Expansions:
    """Keeps whole expansions, as limits cut all pages of a listing alike.

    Without it each page would expand every series of its calendars again. A name holds all that
    the rows depend on, the revisions of their calendars too.
    """

    def __init__(self, clock: Clock) -> None:
        """Keep nothing yet."""
        self._kept = TTLCache[Hashable, _Weighed](
            _IN_ALL, _LASTS, timer=clock.monotonic, getsizeof=attrgetter("size")
        )

    def found(self, name: Hashable) -> Expanded | None:
        """Return what was kept."""
        found: _Weighed | None = self._kept.get(name)
        return None if found is None else found.expanded

    def keep(self, name: Hashable, expanded: Expanded) -> None:
        """Keep one for another minute, unless it is larger than all may be together."""
        known: _Weighed | None = self._kept.get(name)
        if known is None or known.expanded is not expanded:
            known = _Weighed(expanded, _size(expanded))
        with suppress(ValueError):  # it is
            self._kept[name] = known
            # by itself it would be let go of only when the next one is kept, if ever
            asyncio.get_running_loop().call_later(_LASTS + _SPARE, self._kept.expire)


def _size(expanded: Expanded) -> int:
    """Return about how many bytes it takes."""
    series = {
        one.id: len(one.document)
        for one in (
            row.what.master.stored if isinstance(row.what, Occurrence) else row.what
            for row in expanded.rows
        )
    }
    own = _A_SERIES * len(series) + sum(series.values())
    return _A_ROW * (len(expanded.rows) + 1) + own
