"""Listing a calendar from its snapshot, series expanded, page by page (K18, K20, K23, R11)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

from syncd.engine import pages
from syncd.engine.occurrences import (
    ListedEvent,
    Master,
    Occurrence,
    computed,
    listed,
    master_of,
    occurrences,
    slot_instant,
)
from syncd.formats.expand import Expansion, Recurring
from syncd.model.errors import InvalidError, NotFoundError
from syncd.model.ids import CalendarId, Cursor, EventId, ProfileId, short, split_event_id
from syncd.model.resource import StoredEvent
from syncd.model.when import slot_of
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.store.snapshots import Window

HORIZON = timedelta(days=366)  # of an expansion without an end, from max(start, now)
A_SERIES = 2_000  # occurrences
A_LISTING = 20_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONLY_SERIES = frozenset({"graph", "ews"})  # these list no exceptions beside their series (K23)
_ROWS = 1_000
_SECOND = timedelta(seconds=1)

Expand = Callable[
    [Sequence[Recurring], datetime, datetime, int], Awaitable[Sequence[Expansion | None]]
]
"""Expands each series within (after, before), at most so many occurrences of each.

None stands for a series that is not expanded: refused, or over its time (reliability.md, limits).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events: ending after ``start``, starting before ``end``; ``page`` as it was given."""

    start: datetime = EPOCH
    end: datetime | None = None
    instances: bool = True
    page: str | None = None
    page_size: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EventListing:
    """One page. ``cursor`` is the stream's position that the first page reflects (R21)."""

    events: tuple[ListedEvent, ...]
    next_page: str | None
    page_number: int
    total: int | None
    cursor: Cursor
    truncated: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """What stands in a listing, by its place."""

    begins_at: datetime
    id: EventId
    what: StoredEvent | Occurrence

    @property
    def place(self) -> tuple[datetime, EventId]:
        return self.begins_at, self.id


class Browser:
    """Reads listings and single events; keeps nothing between two pages."""

    def __init__(self, store: Store, expand: Expand, clock: Clock) -> None:
        """Read from ``store``; ``expand`` runs where a costly rule may be ended."""
        self._store = store
        self._expand = expand
        self._clock = clock

    async def list_events(
        self, profile: ProfileId, calendar: CalendarId, query: EventQuery
    ) -> EventListing:
        """Return one page of a calendar, by (start, id).

        Raises NotFoundError for a calendar that is not the profile's, InvalidError (``page``) for
        a page of another listing or of a store that was restored since.
        """
        zone = await self._zone(profile, calendar)
        name = short(calendar, str(query.start), str(query.end), str(query.instances))
        place = await self._place(profile, query, name)
        if query.instances:
            rows, cut = await self._instances(calendar, query, place, zone)
        else:
            rows, cut = await self._plain(profile, calendar, query, place), False
        page, more = rows[: query.page_size], rows[query.page_size :]
        following = pages.Place(
            number=place.number + 1,
            cursor=place.cursor,
            horizon=place.horizon,
            behind=page[-1].place if page else None,
        )
        return EventListing(
            events=tuple(_shown(row.what) for row in page),
            next_page=following.text(name) if more else None,
            page_number=place.number,
            total=len(page) if place.behind is None and not more else None,
            cursor=place.cursor,
            truncated=cut,
        )

    async def event(
        self, profile: ProfileId, calendar: CalendarId, event_id: EventId
    ) -> ListedEvent:
        """Return one event, exception or occurrence; raises NotFoundError."""
        zone = await self._zone(profile, calendar)
        series, slot = split_event_id(event_id)
        try:
            found = await self._store.event(profile, event_id)
        except NotFoundError:
            if not slot:
                raise
            found = await self._store.event(profile, series)
        if found.calendar_id != calendar:
            raise NotFoundError(f"there is no event {event_id}")
        if found.id == event_id:
            return listed(found)
        master = master_of(found, zone)
        at = slot_instant(slot, master) if found.series else None
        if at is not None:
            (near,) = await self._expand([master.recurring], at - _SECOND, at + _SECOND, A_SERIES)
            for one in occurrences(master, near) if near else ():
                if slot_of(one.start) == slot:
                    return computed(one)
        raise NotFoundError(f"there is no event {event_id}")

    async def _zone(self, profile: ProfileId, calendar: CalendarId) -> str | None:
        known = await self._store.calendar(calendar)
        if known.profile_id != profile:
            raise NotFoundError(f"there is no calendar {calendar}")
        return known.calendar.timezone

    async def _place(self, profile: ProfileId, query: EventQuery, name: str) -> pages.Place:
        """Return where the page begins; the cursor is taken before anything is read (R21)."""
        stream = await self._store.stream(profile)
        if query.page is not None and query.page != pages.FIRST:
            place = pages.parse(query.page, name)
            if place.cursor.epoch != stream.epoch:
                raise InvalidError("this page is from before a restore", field="page")
            return place
        horizon = query.end or max(query.start, self._clock.now()) + HORIZON
        return pages.Place(number=1, cursor=stream.latest, horizon=horizon)

    async def _plain(
        self, profile: ProfileId, calendar: CalendarId, query: EventQuery, place: pages.Place
    ) -> list[_Row]:
        """Return what is stored, series unexpanded."""
        only = (await self._store.profile(profile)).provider in ONLY_SERIES
        return await self._stored(
            calendar, query, place, series=None, shown=lambda one: not (only and one.slot)
        )

    async def _instances(
        self, calendar: CalendarId, query: EventQuery, place: pages.Place, zone: str | None
    ) -> tuple[list[_Row], bool]:
        """Return single events, exceptions and occurrences; and whether some were cut (K23)."""

        def shown(one: StoredEvent) -> bool:
            if not one.slot:
                return True
            cancelled = orjson.loads(one.document)["status"] == "cancelled"
            return one.starts_at < place.horizon and not cancelled

        rows = await self._stored(calendar, query, place, series=False, shown=shown)
        expanded, cut = await self._expanded(calendar, query, place, zone)
        rows += [row for row in expanded if place.behind is None or row.place > place.behind]
        return sorted(rows, key=lambda row: row.place), cut

    async def _stored(
        self,
        calendar: CalendarId,
        query: EventQuery,
        place: pages.Place,
        *,
        series: bool | None,
        shown: Callable[[StoredEvent], bool],
    ) -> list[_Row]:
        """Return stored events behind the place: a page and one more, if there are so many."""
        found, behind = list[_Row](), place.behind
        while len(found) <= query.page_size:
            some = await self._store.events(
                Window(
                    calendars=(calendar,),
                    after=query.start,
                    before=query.end,
                    behind=behind,
                    series=series,
                    limit=min(query.page_size + 1, _ROWS),
                )
            )
            found += [_Row(one.starts_at, one.id, one) for one in some if shown(one)]
            if len(some) <= query.page_size and len(some) < _ROWS:
                break
            behind = (some[-1].starts_at, some[-1].id)
        return found

    async def _expanded(
        self, calendar: CalendarId, query: EventQuery, place: pages.Place, zone: str | None
    ) -> tuple[list[_Row], bool]:
        """Return the occurrences of the whole listing, so that its limits cut all pages alike."""
        rows, cut = list[_Row](), False
        behind: tuple[datetime, EventId] | None = None
        while True:
            some = await self._store.events(
                Window(
                    calendars=(calendar,),
                    after=query.start,
                    before=place.horizon,
                    behind=behind,
                    series=True,
                    limit=_ROWS,
                )
            )
            masters = [master_of(one, zone) for one in some]
            more, also = await self._expand_some(calendar, masters, query, place)
            rows, cut = rows + more, cut or also
            if len(some) < _ROWS:
                break
            behind = (some[-1].starts_at, some[-1].id)
        rows.sort(key=lambda row: row.place)
        return rows[:A_LISTING], cut or len(rows) > A_LISTING

    async def _expand_some(
        self,
        calendar: CalendarId,
        masters: Sequence[Master],
        query: EventQuery,
        place: pages.Place,
    ) -> tuple[list[_Row], bool]:
        rows, cut = list[_Row](), False
        ids = [one.stored.id for one in masters]
        altered = {one.id for one in await self._store.exceptions(calendar, ids)} if ids else set()
        expansions = await self._expand(
            [one.recurring for one in masters], query.start, place.horizon, A_SERIES
        )
        for master, expansion in zip(masters, expansions, strict=True):
            if expansion is None:  # not expanded: the series stands for itself
                rows.append(_Row(master.stored.starts_at, master.stored.id, master.stored))
                continue
            cut = cut or expansion.cut
            rows += [
                _Row(one.begins_at, one.id, one)
                for one in occurrences(master, expansion)
                if one.id not in altered
            ]
        return rows, cut


def _shown(what: StoredEvent | Occurrence) -> ListedEvent:
    return listed(what) if isinstance(what, StoredEvent) else computed(what)
