"""The calendars of rooms, as their provider shows them now (K18, K28; ADR 57, 59)."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from cachetools import TTLCache

from syncd.engine.availability import Range, united
from syncd.engine.browse import EPOCH, HORIZON, is_cancelled
from syncd.engine.busy import groups, moments
from syncd.engine.diff import Ground, kept_events
from syncd.engine.meaning import INLINE
from syncd.engine.occurrences import ListedEvent
from syncd.engine.past import meets
from syncd.engine.upstream import signed_in, upstream
from syncd.model.errors import NotFoundError
from syncd.model.ids import CalendarId, CalendarKey, EventId, is_room_calendar, room_calendar_id
from syncd.model.profile import Profile
from syncd.model.resource import KeptEvent, RawResource
from syncd.model.when import milliseconds
from syncd.ports.clock import Clock
from syncd.ports.provider import Provider, Providers
from syncd.ports.rooms import RoomPage, RoomWindow, Span
from syncd.ports.store.snapshots import Window

FURTHEST = timedelta(days=1825)  # of instances, from max(start, now), whatever the end
_KNOWN_FOR = 300.0  # seconds that an id is taken for a room's without asking for all rooms
_KNOWN = 10_000
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomQuery:
    """Which events, as ``EventQuery``; ``behind`` and ``until`` are those of the page before."""

    start: datetime = EPOCH
    end: datetime | None = None
    instances: bool = True
    page_size: int = 100
    behind: tuple[datetime, EventId] | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEvent:
    """An event as a listing shows it, with the provider's own body and its place there."""

    event: ListedEvent
    raw: RawResource
    begins_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomListing:
    """One page, read at ``read_at``; ``until`` is where the listing ends, ``more`` follows.

    ``cut`` tells that it ends before the end that was asked for.
    """

    events: tuple[LiveEvent, ...]
    more: bool
    until: datetime | None
    cut: bool
    read_at: datetime


class RoomCalendars:
    """Asks providers while the caller waits; nothing of it is stored."""

    def __init__(self, providers: Providers, clock: Clock) -> None:
        """Ask ``providers``."""
        self._providers = providers
        self._clock = clock
        self._known = TTLCache[CalendarId, CalendarKey](_KNOWN, _KNOWN_FOR, timer=clock.monotonic)

    async def list_events(
        self, profile: Profile, calendar: CalendarId, query: RoomQuery
    ) -> RoomListing:
        """Return one page of a room's calendar, by (start, id).

        Raises NotFoundError for an id that is of no room that the profile is told of,
        ForbiddenError where the provider shows it no rooms or not this one's calendar, and what
        ``signed_in`` and ``upstream`` name.
        """
        able = self._providers.abilities(profile.provider).room_calendars
        if not (able and is_room_calendar(calendar, profile.id)):
            raise _unknown(calendar)
        now = self._clock.now()
        until = query.until or _until(query, max(query.start, now))
        window = Window(calendars=(), after=query.start, before=until, behind=query.behind)
        async with signed_in(self._providers, profile) as provider, upstream():
            key = await self._key(provider, profile, calendar)
            ground = Ground(profile=profile.id, calendar=calendar, at=now)
            found = await _read(provider, key, window, query, ground)
        page = found[: query.page_size]
        return RoomListing(
            events=tuple(page),
            more=len(found) > len(page),
            until=until,
            cut=query.end is not None and until != query.end,
            read_at=now,
        )

    async def busy(
        self, profile: Profile, calendars: Sequence[CalendarId], windows: Sequence[Range]
    ) -> list[Range]:
        """Return when any of these rooms is taken, in order and disjoint; windows near each other.

        What lies between them may be told too. Raises as ``list_events`` does.
        """
        able = self._providers.abilities(profile.provider).room_calendars
        for one in calendars:
            if not (able and is_room_calendar(one, profile.id)):
                raise _unknown(one)
        found = list[Span]()
        async with signed_in(self._providers, profile) as provider, upstream():
            keys = [await self._key(provider, profile, one) for one in calendars]
            for group in groups(windows):
                some = [windows[place] for place in group]
                begin, end = moments((min(one[0] for one in some), max(one[1] for one in some)))
                begin, end = max(begin, EPOCH).replace(microsecond=0), end + _SECOND
                if begin < end:
                    found += await provider.room_busy(keys, begin, end.replace(microsecond=0))
        return united((milliseconds(start), milliseconds(stop)) for start, stop in found)

    async def _key(self, provider: Provider, profile: Profile, calendar: CalendarId) -> CalendarKey:
        """Return the provider's id; only of a room, as other people's calendars are not shown."""
        known: CalendarKey | None = self._known.get(calendar)
        if known is not None:
            return known
        keys = [one.calendar for one in await provider.rooms() if one.calendar is not None]
        named = {room_calendar_id(profile.id, key): key for key in keys}
        self._known.update(named)
        if calendar not in named:
            raise _unknown(calendar)
        return named[calendar]


def _until(query: RoomQuery, begin: datetime) -> datetime | None:
    """Return where the listing ends; instances do so although no end was given, or a late one."""
    if not query.instances:
        return query.end
    if query.end is None:
        return begin + HORIZON
    return begin + FURTHEST if query.end - begin > FURTHEST else query.end


async def _read(
    provider: Provider, key: CalendarKey, window: Window, query: RoomQuery, ground: Ground
) -> list[LiveEvent]:
    """Return a page and one more, if there are so many, in order; read no further than needed."""
    rows, unread = dict[EventId, LiveEvent](), 0
    reached = EPOCH
    async for page in provider.room_events(key, _asked(window, query)):
        unread += len(page.unread)
        some = await _kept(page, ground)
        for one, raw in some:
            if meets(one, window) and not (query.instances and one.slot and is_cancelled(one)):
                rows.setdefault(one.id, _live(one, raw, ground.calendar))
        if page.ordered:
            reached = max((reached, *(one.starts_at for one, _ in some)))
            if sum(row.begins_at < reached - _DAY for row in rows.values()) > query.page_size:
                break
    if unread:
        log.info(
            "event.unread", profile_id=ground.profile, calendar_id=ground.calendar, count=unread
        )
    return sorted(rows.values(), key=lambda row: (row.begins_at, row.event.id))


def _asked(window: Window, query: RoomQuery) -> RoomWindow:
    """Return what to ask for: providers cut instants to seconds, and all-day events have no zone.

    What a page before has shown is left out as far as its times tell.
    """
    after = query.start if window.behind is None else max(query.start, window.behind[0] - _DAY)
    after = max(after, EPOCH + _SECOND) - _SECOND
    before = None if window.before is None else max(window.before, after) + _SECOND
    return RoomWindow(after=after, before=before, instances=query.instances)


async def _kept(page: RoomPage, ground: Ground) -> Sequence[tuple[KeptEvent, RawResource]]:
    """Return the events of a page as they would be stored, and the bodies that they came in."""
    if len(page.resources) <= INLINE:
        return list(_events(page, ground))
    # a thread gives the loop its turn every few milliseconds (F42)
    return await asyncio.to_thread(lambda: list(_events(page, ground)))


def _events(page: RoomPage, ground: Ground) -> Iterator[tuple[KeptEvent, RawResource]]:
    placed = replace(ground, zone=page.timezone)
    for one in page.resources:
        raw = RawResource(key=one.key, etag=one.etag, raw=one.raw)
        yield from ((kept, raw) for kept in kept_events(one, placed))


def _live(one: KeptEvent, raw: RawResource, calendar: CalendarId) -> LiveEvent:
    event = ListedEvent(
        id=one.id,
        calendar_id=calendar,
        key=one.key,
        content=one.content,
        document=one.document,
    )
    return LiveEvent(event=event, raw=raw, begins_at=one.starts_at)


def _unknown(calendar: CalendarId) -> NotFoundError:
    return NotFoundError(f"there is no calendar {calendar}")
