"""Listing several calendars at once, series expanded, in order (start, id) (api.md C6, C8)."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.engine.browse import is_cancelled
from syncd.engine.bygone import Bygone, Gone, Past
from syncd.engine.expansions import Expansions
from syncd.engine.instances import Expand, Expanded, Instances, Row
from syncd.engine.occurrences import ListedEvent, Occurrence, computed, listed
from syncd.model.ids import CalendarId, EventId, ProfileId, split_event_id
from syncd.model.resource import StoredEvent
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.store.snapshots import Mine, Since, Window

_MOMENT = timedelta(milliseconds=1)


class Managed(StrEnum):
    """Whether events that the application made are listed: left out, too, or they alone."""

    LEFT_OUT = "left_out"
    ALSO = "also"
    ONLY = "only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A calendar that is listed, and the zone of its all-day events."""

    profile: ProfileId
    calendar: CalendarId
    zone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaQuery:
    """Which events: those that end at or after ``start`` and start before ``end``.

    A bound that is ``usual`` was not named by the caller, and does not hold for events that
    ``application`` made. ``since``: only what was recorded at or after it. ``deleted`` and
    ``moved`` add what was in the window at some retained time. ``behind`` is the (start, id) that
    a page follows.
    """

    calendars: Collection[Listed]
    start: datetime
    end: datetime
    usual_start: bool = False
    usual_end: bool = False
    since: datetime | None = None
    application: str = ""
    managed: Managed = Managed.ALSO
    deleted: bool = False
    moved: bool = False
    behind: tuple[datetime, EventId] | None = None
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaEvent:
    """An event of a page; ``own_id`` is what the application calls it, if it made it."""

    event: ListedEvent
    place: tuple[datetime, EventId]
    deleted: bool = False
    own_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaPage:
    """One page; ``truncated`` if the limits of expansion cut the listing short (K23)."""

    events: tuple[AgendaEvent, ...]
    more: bool
    truncated: bool


class Agenda:
    """Reads the events of many calendars as one listing."""

    def __init__(self, store: Store, expand: Expand, clock: Clock) -> None:
        """Read from ``store``; ``expand`` runs where a costly rule may be ended."""
        self._store = store
        self._instances = Instances(store, expand)
        self._bygone = Bygone(store, expand)
        self._expansions = Expansions(clock)

    async def page(self, query: AgendaQuery) -> AgendaPage:
        """Return one page."""
        if not query.calendars:
            return AgendaPage(events=(), more=False, truncated=False)
        since = await self._since(query)
        zones = {one.calendar: one.zone for one in query.calendars}
        revisions = tuple(sorted((await self._store.revisions(zones)).items()))
        rows, series = list[Row | Gone](), dict[Hashable, Expanded]()
        for window in _windows(query, since):
            # what revisions hold, their zones too, never changes
            whole = (revisions, window.mine, query.start, query.end, query.since)
            series[whole] = self._expansions.found(whole) or await self._expanded(
                window, query, zones
            )
            rows += await self._with_single(window, query, series[whole])
        if query.deleted or query.moved or query.since is not None:
            rows += await self._gone(query, since, {row.id for row in rows})
        rows.sort(key=lambda row: row.place)
        page, more = rows[: query.limit], len(rows) > query.limit
        if more:
            for name, expanded in series.items():
                self._expansions.keep(name, expanded)
        own = await self._store.own_ids(query.application, {_whole(row.id) for row in page})
        return AgendaPage(
            events=tuple(_told(row, own) for row in page),
            more=more,
            truncated=any(one.cut for one in series.values()),
        )

    async def _gone(
        self,
        query: AgendaQuery,
        since: Mapping[ProfileId, Since] | None,
        there: Collection[EventId],
    ) -> list[Gone]:
        """Return what is no longer in the window, or is there again, behind the page before."""
        past = Past(
            start=query.start,
            end=query.end,
            moved=query.moved,
            deleted=query.deleted,
            back=query.since is not None,
        )
        found = await self._bygone.read(query.calendars, past, since)
        own = await self._store.own_ids(query.application, {_whole(one.id) for one in found})
        behind = query.behind
        return [
            one
            for one in found
            if one.id not in there
            and (behind is None or one.place > behind)
            and _is_wanted(query.managed, _whole(one.id) in own)
        ]

    async def _since(self, query: AgendaQuery) -> Mapping[ProfileId, Since] | None:
        if query.since is None:
            return None
        found = dict[ProfileId, Since]()
        for profile in {one.profile for one in query.calendars}:
            behind = await self._store.behind(profile, query.since)
            if behind is not None:
                found[profile] = Since(at=query.since, behind=behind)
        return found

    async def _expanded(
        self, window: Window, query: AgendaQuery, zones: Mapping[CalendarId, str | None]
    ) -> Expanded:
        after = query.start - _MOMENT
        return await self._instances.expanded(
            replace(window, after=after, before=query.end), zones, after=after, before=query.end
        )

    async def _with_single(
        self, window: Window, query: AgendaQuery, expanded: Expanded
    ) -> list[Row]:
        """Return a page and one more of a window, if there are so many, in no order."""

        def shown(one: StoredEvent) -> bool:
            over = one.ends_at is not None and one.ends_at < query.start
            return not (over and window.after is not None) and not (one.slot and is_cancelled(one))

        most = query.limit + 1
        rows = await self._instances.stored(replace(window, series=False), most=most, shown=shown)
        return [*rows, *expanded.following(query.behind, most)]


def _windows(query: AgendaQuery, since: Mapping[ProfileId, Since] | None) -> list[Window]:
    """Return what to read: what the application manages apart, as its bounds may differ."""
    bound = Window(
        calendars=tuple(sorted({one.calendar for one in query.calendars})),
        after=query.start - _MOMENT,
        before=query.end,
        behind=query.behind,
        since=since,
    )
    others = replace(bound, mine=Mine(application=query.application, only=False))
    mine = replace(
        bound,
        after=None if query.usual_start else bound.after,
        before=None if query.usual_end else bound.before,
        mine=Mine(application=query.application, only=True),
    )
    match query.managed:
        case Managed.ONLY:
            return [mine]
        case Managed.LEFT_OUT:
            return [others]
        case Managed.ALSO:
            return [others, mine]


def _is_wanted(managed: Managed, own: bool) -> bool:  # noqa: FBT001 - what is asked about
    return own if managed is Managed.ONLY else managed is Managed.ALSO or not own


def _whole(event: EventId) -> EventId:
    return split_event_id(event)[0]


def _told(row: Row | Gone, own: Mapping[EventId, str]) -> AgendaEvent:
    if isinstance(row, Gone):
        event = row.event
    elif isinstance(row.what, Occurrence):
        event = computed(row.what)
    else:
        event = listed(row.what)
    return AgendaEvent(
        event=event,
        place=row.place,
        deleted=isinstance(row, Gone) and row.deleted,
        own_id=own.get(_whole(row.id)),
    )
