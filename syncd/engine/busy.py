"""When calendars are busy, read from the snapshot: what lies outside of a window is not decoded."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from syncd.engine.availability import Range, united
from syncd.engine.instances import A_LISTING, A_SERIES, Expand
from syncd.engine.occurrences import Master, master_of
from syncd.formats.expand import Expansion, Recurring, recurring_of, zone_of
from syncd.model.calendar import KnownCalendar
from syncd.model.claim import Claim
from syncd.model.event import Status
from syncd.model.ids import CalendarId, EventId, ProfileId, Slot, slot_id
from syncd.model.own import has_declined, own_addresses
from syncd.model.profile import Profile
from syncd.model.when import from_milliseconds, instant, milliseconds, slot_of
from syncd.ports.store import Store
from syncd.ports.store.snapshots import Window

ZONES_APART = timedelta(hours=26)  # how far a date's begin may lie from where it was last stored
_ROWS = 1_000
_TOGETHER = 25  # series that one worker expands before others get their turn
_GAP = 7 * 24 * 60 * 60 * 1000  # windows nearer than this are read together,
_HULL = 92 * 24 * 60 * 60 * 1000  # as long as they are not much longer than one may be

_FIRST = milliseconds(datetime(2, 1, 1, tzinfo=UTC))
_LAST = milliseconds(datetime(9998, 12, 31, tzinfo=UTC))

Whose = Sequence[tuple[Profile, KnownCalendar]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """For each window, in their order, when somebody is busy; in order and disjoint.

    ``cut`` tells that the limits of an expansion were met (K23): the rest of that window is busy.
    """

    windows: tuple[Sequence[Range], ...]
    cut: bool


@dataclass(slots=True, kw_only=True)
class _Series:
    """A series that claims time; ``altered`` are the occurrences that exceptions replace."""

    master: Master
    altered: frozenset[EventId]


@dataclass(slots=True, kw_only=True)
class _Expanded:
    """What a series takes within a window; ``rest`` is where its occurrences were cut."""

    series: _Series
    ranges: list[Range] = field(default_factory=list)
    rest: int | None = None


class BusyReader:
    """Reads what calendars of any profiles take together; keeps nothing."""

    def __init__(self, store: Store, expand: Expand) -> None:
        """Read from ``store``; ``expand`` runs where a costly rule may be ended."""
        self._store = store
        self._expand = expand

    async def read(self, whose: Whose, windows: Sequence[Range]) -> Busy:
        """Return when any of the calendars is busy, for each window as if it were alone (K28)."""
        found = dict[int, Sequence[Range]]()
        cut = False
        for group in groups(windows):
            also = await self._group(whose, {one: windows[one] for one in group}, found)
            cut = cut or also
        return Busy(windows=tuple(found[one] for one in range(len(windows))), cut=cut)

    async def _group(
        self, whose: Whose, windows: Mapping[int, Range], found: dict[int, Sequence[Range]]
    ) -> bool:
        """Find out about windows that lie together; return whether one of them was cut."""
        hull = min(start for start, _ in windows.values()), max(end for _, end in windows.values())
        known = {known.id: (profile, known) for profile, known in whose}
        taken = await self._short(known, hull)
        some, series = await self._lasting(known, hull)
        taken += some
        expanded = await self._expanded(series, hull)
        taken += [one for each in expanded if each.rest is None for one in each.ranges]
        beyond = [each.series for each in expanded if each.rest is not None]
        if not beyond:
            found.update(dict.fromkeys(windows, united(taken)))
            return False
        cut = False
        for place, window in windows.items():  # what was cut in the whole may fit into a part
            mine = list(taken)
            for each in await self._expanded(beyond, window):
                mine += each.ranges
                if each.rest is not None:
                    mine.append((each.rest, window[1]))
                    cut = True
            found[place] = united(mine)
        return cut

    async def _short(
        self, known: Mapping[CalendarId, tuple[Profile, KnownCalendar]], hull: Range
    ) -> list[Range]:
        """Return what single events and exceptions take that are no longer than a month."""
        ends = moments(hull, wider=ZONES_APART)
        taken = list[Range]()
        async for page in self._store.taken(list(known), *ends):
            taken += page
        asked = defaultdict[ProfileId, list[tuple[CalendarId, EventId]]](list)
        async for rows in self._store.asking(list(known), *ends):
            for row in rows:
                asked[known[row[0]][0].id].append(row)
        for some in asked.values():
            taken += await self._asked(known, some)
        return taken

    async def _asked(
        self,
        known: Mapping[CalendarId, tuple[Profile, KnownCalendar]],
        rows: Sequence[tuple[CalendarId, EventId]],
    ) -> list[Range]:
        """Return what events of one profile take whose documents must tell."""
        profile, _ = known[rows[0][0]]
        documents = await self._store.documents(profile.id, [name for _, name in rows])
        taken = list[Range]()
        for calendar, name in rows:
            if name in documents:  # else it is gone since the page was read
                event = orjson.loads(documents[name])
                if _claims(event, profile):
                    taken.append(_range(recurring_of(event, known[calendar][1].calendar.timezone)))
        return taken

    async def _lasting(
        self, known: Mapping[CalendarId, tuple[Profile, KnownCalendar]], hull: Range
    ) -> tuple[list[Range], list[_Series]]:
        """Return what long single events take, and the series that may take something."""
        after, before = moments(hull, wider=ZONES_APART)
        window = Window(
            calendars=tuple(known),
            after=after,
            before=before,
            lasting=True,
            claiming=True,
        )
        taken, masters = list[Range](), list[Master]()
        behind: tuple[datetime, EventId] | None = None
        while True:
            some = await self._store.events(replace(window, behind=behind))
            for one in some:
                profile, calendar = known[one.calendar_id]
                master = master_of(one, calendar.calendar.timezone)
                if one.claim is Claim.ASK and not _claims(orjson.loads(one.document), profile):
                    continue
                if one.series:
                    masters.append(master)
                else:
                    taken.append(_range(master.recurring))
            if len(some) < _ROWS:
                break
            behind = (some[-1].starts_at, some[-1].id)
        ids = [(one.stored.calendar_id, one.stored.id) for one in masters]
        altered = await self._store.altered(ids)
        none = frozenset[EventId]()
        return taken, [
            _Series(master=one, altered=altered.get(one.stored.id, none)) for one in masters
        ]

    async def _expanded(self, series: Sequence[_Series], window: Range) -> list[_Expanded]:
        """Return what each series takes in a window, within the limits of K23."""
        after, before = moments(window)
        # a meeting that many calendars hold is expanded once
        wanted = list(dict.fromkeys(one.master.recurring for one in series))
        known = dict[Recurring, Expansion | None]()

        async def some(recurring: Sequence[Recurring]) -> None:
            told = await self._expand(recurring, after, before, A_SERIES)
            known.update(zip(recurring, told, strict=True))

        async with asyncio.TaskGroup() as group:
            for start in range(0, len(wanted), _TOGETHER):
                group.create_task(some(wanted[start : start + _TOGETHER]), name="expand series")
        found = [_taken(one, known[one.master.recurring], window) for one in series]
        by_calendar = defaultdict[CalendarId, list[_Expanded]](list)
        for each in found:
            by_calendar[each.series.master.stored.calendar_id].append(each)
        for mine in by_calendar.values():
            _cut_listing(mine)
        return found


def groups(windows: Sequence[Range]) -> Iterator[list[int]]:
    """Yield the places of windows that are near enough to be asked about at once."""
    group = list[int]()
    begin = end = 0
    for place in sorted(range(len(windows)), key=windows.__getitem__):
        start, stop = windows[place]
        if group and (start - end > _GAP or max(stop, end) - begin > _HULL):
            yield group
            group = []
        if not group:
            begin, end = start, stop
        group.append(place)
        end = max(end, stop)
    if group:
        yield group


def moments(window: Range, *, wider: timedelta = timedelta()) -> tuple[datetime, datetime]:
    """Return both ends as instants, at the ends of time those that a calendar can hold."""
    start, end = (from_milliseconds(min(max(one, _FIRST), _LAST)) for one in window)
    return start - wider, end + wider


def _taken(series: _Series, expansion: Expansion | None, window: Range) -> _Expanded:
    """Return what a series takes, exceptions left to themselves."""
    stored, recurring = series.master.stored, series.master.recurring
    if expansion is None:  # nobody knows when: all the time that it lasts
        begin = max(window[0], milliseconds(stored.starts_at))
        end = window[1] if stored.ends_at is None else milliseconds(stored.ends_at)
        return _Expanded(series=series, ranges=[(begin, min(end, window[1]))], rest=window[1])
    ranges, zone = list[Range](), zone_of(recurring)
    for first, last in expansion.occurrences:
        if not (series.altered and slot_id(stored.id, Slot(slot_of(first))) in series.altered):
            ranges.append((milliseconds(instant(first, zone)), milliseconds(instant(last, zone))))
    if not expansion.cut:
        return _Expanded(series=series, ranges=ranges)
    known, _ = expansion.occurrences[-1]
    return _Expanded(series=series, ranges=ranges, rest=milliseconds(instant(known, zone)))


def _cut_listing(expanded: Sequence[_Expanded]) -> None:
    """Cut all series of a calendar where they have too many occurrences together (K23)."""
    if sum(len(one.ranges) for one in expanded) <= A_LISTING:
        return
    limit = sorted(start for one in expanded for start, _ in one.ranges)[A_LISTING]
    for one in expanded:
        one.rest = limit if one.rest is None else min(one.rest, limit)


def _claims(event: Mapping[str, Any], profile: Profile) -> bool:
    """Tell whether an event is busy for a profile, from its document (K17)."""
    if event["transparent"] or event["status"] == Status.CANCELLED:
        return False
    answers = ((one["email"], one.get("status")) for one in event["attendees"])
    return not has_declined(answers, own_addresses(profile))


def _range(recurring: Recurring) -> Range:
    """Return the time from start to end; dates begin at 00:00 in the calendar's zone."""
    zone = zone_of(recurring)
    return milliseconds(instant(recurring.start, zone)), milliseconds(instant(recurring.end, zone))
