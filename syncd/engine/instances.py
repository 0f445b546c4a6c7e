"""What the snapshot holds of a window, and what its series come to there (K23)."""

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from syncd.engine.occurrences import Master, Occurrence, master_of, occurrences
from syncd.formats.expand import Expansion, Recurring
from syncd.model.ids import CalendarId, EventId
from syncd.model.resource import StoredEvent
from syncd.ports.store.snapshots import Window

A_SERIES = 2_000  # occurrences
A_LISTING = 20_000
_ROWS = 1_000
_SERIES = 100  # that are read and parsed at once
_AT_ONCE = 1_000  # occurrences that are named before others have a turn
_SPARE = 5_000  # occurrences beyond those of a listing, until they are sorted and cut

Expand = Callable[
    [Sequence[Recurring], datetime, datetime, int], Awaitable[Sequence[Expansion | None]]
]
"""Expands each series within (after, before), at most so many occurrences of each.

None stands for a series that is not expanded: refused, or over its time (reliability.md, limits).
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What stands in a listing, by its place."""

    begins_at: datetime
    id: EventId
    what: StoredEvent | Occurrence

    @property
    def place(self) -> tuple[datetime, EventId]:
        """Return what a listing is ordered by."""
        return self.begins_at, self.id


@dataclass(frozen=True, slots=True)
class Expanded:
    """Occurrences of a window's series, by place; ``cut`` if the limits left some out."""

    rows: Sequence[Row]
    cut: bool

    def following(self, behind: tuple[datetime, EventId] | None, most: int) -> Sequence[Row]:
        """Return the first ``most`` rows behind a place."""
        begin = 0
        if behind is not None:
            begin = bisect_right(self.rows, behind, key=lambda row: row.place)
        return self.rows[begin : begin + most]


class Rows(Protocol):
    """Where events are read from, a page of at most ``Window.limit`` at a time."""

    async def events(self, window: Window) -> Sequence[StoredEvent]:
        """Return one page of events, in order (start, id)."""
        ...

    async def exceptions(
        self, calendar: CalendarId, series: Collection[EventId]
    ) -> Sequence[StoredEvent]:
        """Return every exception to these series, wherever it was moved to."""
        ...


class Instances:
    """Reads windows of one or of several calendars."""

    def __init__(self, rows: Rows, expand: Expand) -> None:
        """Read from ``rows``; ``expand`` runs where a costly rule may be ended."""
        self._rows = rows
        self._expand = expand

    async def stored(
        self, window: Window, *, most: int, shown: Callable[[StoredEvent], bool]
    ) -> list[Row]:
        """Return the first events of a window, ``most`` at least if there are so many."""
        found, behind = list[Row](), window.behind
        limit = min(most, _ROWS)
        while len(found) < most:
            some = await self._rows.events(replace(window, behind=behind, limit=limit))
            found += [Row(one.starts_at, one.id, one) for one in some if shown(one)]
            if len(some) < limit:
                break
            behind = (some[-1].starts_at, some[-1].id)
        return found

    async def expanded(
        self,
        window: Window,
        zones: Mapping[CalendarId, str | None],
        *,
        after: datetime,
        before: datetime,
    ) -> Expanded:
        """Return all occurrences of a window's series, so that limits cut all pages alike.

        They lie within (``after``, ``before``). A series that is not expanded stands for itself.
        """
        rows, cut, behind = list[Row](), False, None
        while True:
            some = await self._rows.events(
                replace(window, series=True, behind=behind, limit=_SERIES)
            )
            masters = [master_of(one, zones.get(one.calendar_id)) for one in some]
            cut = await self._some(masters, rows, after, before) or cut
            done = len(some) < _SERIES
            if done or len(rows) > A_LISTING + _SPARE:
                rows.sort(key=lambda row: row.place)
                cut = cut or len(rows) > A_LISTING
                del rows[A_LISTING:]
            if done:
                return Expanded(rows, cut)
            behind = (some[-1].starts_at, some[-1].id)

    async def _some(
        self, masters: Sequence[Master], rows: list[Row], after: datetime, before: datetime
    ) -> bool:
        """Add what these series come to; return whether one was cut."""
        altered, cut, waited = await self._altered(masters), False, len(rows)
        expansions = await self._expand([one.recurring for one in masters], after, before, A_SERIES)
        for master, expansion in zip(masters, expansions, strict=True):
            if expansion is None:
                rows.append(Row(master.stored.starts_at, master.stored.id, master.stored))
                continue
            cut = cut or expansion.cut
            rows += [
                Row(one.begins_at, one.id, one)
                for one in occurrences(master, expansion)
                if one.id not in altered
            ]
            if len(rows) - waited > _AT_ONCE:
                waited = len(rows)
                await asyncio.sleep(0)  # naming them all would keep the loop
        return cut

    async def _altered(self, masters: Sequence[Master]) -> set[EventId]:
        """Return the exceptions that stand in place of occurrences."""
        by_calendar: dict[CalendarId, list[EventId]] = {}
        for one in masters:
            by_calendar.setdefault(one.stored.calendar_id, []).append(one.stored.id)
        return {
            exception.id
            for calendar, ids in by_calendar.items()
            for exception in await self._rows.exceptions(calendar, ids)
        }
