"""A calendar as it was at a retained position of its profile's stream (api.md K18, ``as_of``).

The snapshot holds the present. Whatever an activity behind the position names is left out of it,
and put back as the first such activity tells that it was.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import orjson

from syncd.engine.versions import before, stored_as
from syncd.model.activity import Filter, Kind, Type
from syncd.model.ids import CalendarId, Cursor, EventId, ProfileId, split_event_id
from syncd.model.resource import KeptEvent, StoredEvent
from syncd.ports.store import Store
from syncd.ports.store.snapshots import Window

_PAGE = 200  # records, whose versions keep the loop for some 20 ms
_MOST = 1_000  # rows
_EVENTS = Filter(kinds=frozenset({Kind.EVENT}))


class Past:
    """Obeys ``instances.Rows`` for one calendar; of a window it regards its times and series.

    Everything that was recorded since is read once for each: the further back, the more.
    """

    def __init__(
        self,
        store: Store,
        profile: ProfileId,
        calendar: CalendarId,
        at: Cursor,
        zone: str | None,
    ) -> None:
        """Look back to ``at``, which must be retained; ``zone`` is the calendar's."""
        self._store = store
        self._profile = profile
        self._calendar = calendar
        self._zone = zone
        self._at = at
        self._seen = at.position
        self._touched = set[str]()
        self._versions = dict[EventId, StoredEvent]()

    async def events(self, window: Window) -> Sequence[StoredEvent]:
        """Return one page of events, in order (start, id)."""
        present, behind, limit = list[StoredEvent](), window.behind, window.limit
        while True:
            some = await self._store.events(replace(window, behind=behind, limit=limit))
            await self._catch_up()  # after the rows: what changed them is among the activities
            present = self._untouched([*present, *some])
            if len(some) < limit or len(present) >= window.limit:
                break
            behind, limit = (some[-1].starts_at, some[-1].id), min(2 * limit, _MOST)
        past = [one for one in self._versions.values() if meets(one, window)]
        return sorted([*present, *past], key=_place)[: window.limit]

    async def had_calendar(self) -> bool:
        """Tell whether a calendar that is gone was there: what comes first behind tells."""
        wanted = Filter(kinds=frozenset({Kind.CALENDAR}), calendars=frozenset({self._calendar}))
        stream, found = await self._store.read(
            self._profile, after=self._at.position, limit=1, wanted=wanted
        )
        stream.check(self._at)
        return bool(found) and found[0].type is not Type.ADD

    async def exceptions(
        self, calendar: CalendarId, series: Collection[EventId]
    ) -> Sequence[StoredEvent]:
        """Return every exception to these series."""
        present = await self._store.exceptions(calendar, series)
        await self._catch_up()
        wanted = frozenset(series)
        return [
            *self._untouched(present),
            *(one for one in self._versions.values() if _series_of(one) in wanted),
        ]

    def _untouched(self, some: Collection[StoredEvent]) -> list[StoredEvent]:
        return [one for one in some if one.id not in self._touched]

    async def _catch_up(self) -> None:
        """Read what was recorded since the last look; raises CursorExpiredError if that is gone."""
        while True:
            stream, some = await self._store.read(
                self._profile, after=self._seen, limit=_PAGE, wanted=_EVENTS
            )
            if self._seen < stream.floor:  # retention moves on while we read
                stream.check(self._at)
            for activity in some:
                self._seen = activity.position
                if activity.object_id in self._touched:
                    continue
                self._touched.add(activity.object_id)
                if activity.type is Type.ADD:
                    continue  # it was not there before
                record = orjson.loads(activity.body)
                version = before(activity.object_id, activity.type, record)
                if version is not None and version.calendar == self._calendar:
                    self._versions[version.event] = stored_as(version, self._zone)
            if len(some) < _PAGE:
                return


def _series_of(one: StoredEvent) -> EventId | None:
    whole, slot = split_event_id(one.id)
    return whole if slot else None


def _place(one: StoredEvent) -> tuple[object, EventId]:
    return one.starts_at, one.id


def meets(one: StoredEvent | KeptEvent, window: Window) -> bool:
    """Tell whether a window shows an event, as the store does."""
    begun, after = one.starts_at, window.after
    lasts = after is None or begun >= after or one.ends_at is None or one.ends_at > after
    begins = window.before is None or begun < window.before
    alike = window.series is None or one.series == window.series
    further = window.behind is None or (begun, one.id) > window.behind
    return lasts and begins and alike and further
