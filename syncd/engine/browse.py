"""Listing a calendar from its snapshot, series expanded, page by page (K18, K20, K23, R11)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import orjson

from syncd.engine import pages
from syncd.engine.expansions import Expansions
from syncd.engine.instances import A_SERIES, Expand, Expanded, Instances, Row, Rows
from syncd.engine.occurrences import (
    ListedEvent,
    Occurrence,
    computed,
    listed,
    master_of,
    occurrences,
    slot_instant,
)
from syncd.engine.past import Past
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import InvalidError, NotFoundError
from syncd.model.ids import CalendarId, Cursor, EventId, ProfileId, short, split_event_id
from syncd.model.resource import KeptEvent, StoredEvent
from syncd.model.when import slot_of
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.store.snapshots import Window

HORIZON = timedelta(days=366)  # of an expansion without an end, from max(start, now)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONLY_SERIES = frozenset({"graph", "ews"})  # these list no exceptions beside their series (K23)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events: ending after ``start``, starting before ``end``; ``page`` as it was given.

    ``as_of`` is a cursor of the profile: the calendar as it was there.
    """

    start: datetime = EPOCH
    end: datetime | None = None
    instances: bool = True
    page: str | None = None
    page_size: int = 100
    as_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventListing:
    """One page. ``cursor`` is the stream's position that the first page reflects (R21)."""

    events: tuple[ListedEvent, ...]
    next_page: str | None
    page_number: int
    total: int | None
    cursor: Cursor
    truncated: bool


class Browser:
    """Reads listings and single events."""

    def __init__(self, store: Store, expand: Expand, clock: Clock) -> None:
        """Read from ``store``; ``expand`` runs where a costly rule may be ended."""
        self._store = store
        self._expand = expand
        self._clock = clock
        self._expansions = Expansions(clock)

    async def list_events(
        self, profile: ProfileId, calendar: CalendarId, query: EventQuery
    ) -> EventListing:
        """Return one page of a calendar, by (start, id).

        Raises NotFoundError for a calendar that is not the profile's, or is gone and was not there
        at ``as_of``, InvalidError (``page``) for a page of another listing or of a store that was
        restored since, MalformedCursorError and CursorExpiredError for an ``as_of`` that is not
        retained.
        """
        known = await self._calendar(profile, calendar, removed=query.as_of is not None)
        zone = known.calendar.timezone
        asked = (str(query.start), str(query.end), str(query.instances), query.as_of or "")
        name = short(calendar, *asked)
        place = await self._place(profile, query, name)
        rows_of: Rows = self._store
        if query.as_of is not None:
            past = Past(self._store, profile, calendar, place.cursor, zone)
            if known.removed_at is not None and not await past.had_calendar():
                raise NotFoundError(f"there was no calendar {calendar}")
            rows_of = past
        instances = Instances(rows_of, self._expand)
        cut = False
        if query.instances:
            window = _window(calendar, query, place)
            # what a revision holds, its zone too, never changes; a cursor's past neither
            whole = (calendar, known.revision, query.as_of, query.start, place.horizon)
            expanded = self._expansions.found(whole) or await instances.expanded(
                replace(window, before=place.horizon),
                {calendar: zone},
                after=query.start,
                before=place.horizon,
            )
            rows, cut = await _with_single(instances, expanded, window, query, place), expanded.cut
            if len(rows) > query.page_size:
                self._expansions.keep(whole, expanded)
        else:
            rows = await self._plain(instances, profile, calendar, query, place)
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
        zone = (await self._calendar(profile, calendar)).calendar.timezone
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

    async def _calendar(
        self, profile: ProfileId, calendar: CalendarId, *, removed: bool = False
    ) -> KnownCalendar:
        """Return a calendar of the profile, one that is gone only if that is asked for."""
        if removed:
            for each in await self._store.calendars(profile, removed=True):
                if each.id == calendar:
                    return each
        known = await self._store.calendar(calendar)
        if known.profile_id != profile:
            raise NotFoundError(f"there is no calendar {calendar}")
        return known

    async def _place(self, profile: ProfileId, query: EventQuery, name: str) -> pages.Place:
        """Return where the page begins; the cursor is taken before anything is read (R21)."""
        stream = await self._store.stream(profile)
        at = stream.latest
        if query.as_of is not None:
            at = Cursor.parse(query.as_of)
            stream.check(at)
        if query.page is not None and query.page != pages.FIRST:
            place = pages.parse(query.page, name)
            if place.cursor.epoch != stream.epoch:
                raise InvalidError("this page is from before a restore", field="page")
            return place
        horizon = query.end or max(query.start, self._clock.now()) + HORIZON
        return pages.Place(number=1, cursor=at, horizon=horizon)

    async def _plain(
        self,
        instances: Instances,
        profile: ProfileId,
        calendar: CalendarId,
        query: EventQuery,
        place: pages.Place,
    ) -> list[Row]:
        """Return what is stored, series unexpanded: a page and one more, if there are so many."""
        only = (await self._store.profile(profile)).provider in ONLY_SERIES
        return await instances.stored(
            _window(calendar, query, place),
            most=query.page_size + 1,
            shown=lambda one: not (only and one.slot),
        )


async def _with_single(
    instances: Instances,
    expanded: Expanded,
    window: Window,
    query: EventQuery,
    place: pages.Place,
) -> list[Row]:
    """Return a page and one more, if there are so many: occurrences, exceptions, single events."""

    def shown(one: StoredEvent) -> bool:
        if not one.slot:
            return True
        return one.starts_at < place.horizon and not is_cancelled(one)

    most = query.page_size + 1
    rows = await instances.stored(replace(window, series=False), most=most, shown=shown)
    rows += expanded.following(place.behind, most)
    return sorted(rows, key=lambda row: row.place)


def is_cancelled(one: StoredEvent | KeptEvent) -> bool:
    """Tell whether a stored event says of itself that it is off."""
    return bool(orjson.loads(one.document)["status"] == "cancelled")


def _window(calendar: CalendarId, query: EventQuery, place: pages.Place) -> Window:
    return Window(calendars=(calendar,), after=query.start, before=query.end, behind=place.behind)


def _shown(what: StoredEvent | Occurrence) -> ListedEvent:
    return listed(what) if isinstance(what, StoredEvent) else computed(what)
