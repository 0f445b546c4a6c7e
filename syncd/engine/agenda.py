"""Listing several calendars at once, series expanded, in order (start, id) (api.md C6, C8)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.engine.browse import is_cancelled
from syncd.engine.bygone import Bygone, Gone, Past
from syncd.engine.instances import Expand, Instances, Row
from syncd.engine.occurrences import ListedEvent, Occurrence, computed, listed
from syncd.model.ids import CalendarId, EventId, ProfileId, split_event_id
from syncd.model.resource import StoredEvent
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
    """Reads the events of many calendars as one listing; keeps nothing between two pages."""

    def __init__(self, store: Store, expand: Expand) -> None:
        """Read from ``store``; ``expand`` runs where a costly rule may be ended."""
        self._store = store
        self._instances = Instances(store, expand)
        self._bygone = Bygone(store, expand)

    async def page(self, query: AgendaQuery) -> AgendaPage:
        """Return one page."""
        if not query.calendars:
            return AgendaPage(events=(), more=False, truncated=False)
        since = await self._since(query)
        rows, cut = list[Row | Gone](), False
        for window in _windows(query, since):
            more, also = await self._window(window, query)
            rows, cut = rows + more, cut or also
        if query.deleted or query.moved or query.since is not None:
            rows += await self._gone(query, since, {row.id for row in rows})
        rows.sort(key=lambda row: row.place)
        page = rows[: query.limit]
        own = await self._store.own_ids(query.application, {_whole(row.id) for row in page})
        return AgendaPage(
            events=tuple(_told(row, own) for row in page),
            more=len(rows) > query.limit,
            truncated=cut,
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

    async def _window(self, window: Window, query: AgendaQuery) -> tuple[list[Row | Gone], bool]:
        def shown(one: StoredEvent) -> bool:
            over = one.ends_at is not None and one.ends_at < query.start
            return not (over and window.after is not None) and not (one.slot and is_cancelled(one))

        rows = await self._instances.stored(
            replace(window, series=False), most=query.limit + 1, shown=shown
        )
        after = query.start - _MOMENT
        expanded, cut = await self._instances.expanded(
            replace(window, after=after, before=query.end),
            {one.calendar: one.zone for one in query.calendars},
            after=after,
            before=query.end,
        )
        behind = query.behind
        return [*rows, *(row for row in expanded if behind is None or row.place > behind)], cut


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
