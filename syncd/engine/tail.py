"""The newest of all streams, for a person who looks on: live, and backwards page by page."""

from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import orjson

from syncd.engine.merged import MergedReader
from syncd.engine.stream import LATEST
from syncd.model.activity import OF_NO_CALENDAR, Activity, Filter, Kind
from syncd.model.content import Json
from syncd.model.ids import Position, ProfileId
from syncd.model.merged import MergedActivity, Place, behind
from syncd.model.reach import Reach
from syncd.ports.store import Store

T = TypeVar("T")
EVERYTHING = Filter(kinds=frozenset(Kind))
ALL = Reach(everything=True)
_AT_ONCE = 200
_MOST = 1000
_LARGEST = 4 << 20  # bytes that are shown at once, or one record
_WIDTHS = (60, 600, 6000)  # of commits, to look for the newest in


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One activity of a profile; ``record`` is api.md K42's object."""

    profile_id: ProfileId
    position: Position
    record: Json

    @property
    def at(self) -> datetime:
        """Return when it was recorded."""
        return datetime.fromisoformat(self.record["recorded_at"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Backwards:
    """A page, newest first; ``older`` is the position before which to go on, None at the end."""

    seen: tuple[Seen, ...]
    older: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What was recorded, oldest first, and the cursor behind it."""

    seen: tuple[Seen, ...]
    cursor: str


class Tail:
    """Reads the ends of streams."""

    def __init__(self, store: Store, merged: MergedReader) -> None:
        """Read single streams from ``store``, all of them by ``merged``."""
        self._store = store
        self._merged = merged

    async def back(
        self,
        profile: ProfileId,
        *,
        before: Position | None = None,
        limit: int,
        wanted: Filter = EVERYTHING,
    ) -> Backwards:
        """Return the newest of ``limit`` positions before one, or of the end.

        Raises NotFoundError for a profile without a stream.
        """
        stream = await self._store.stream(profile)
        end = stream.head if before is None else min(Position(before - 1), stream.head)
        begin = Position(max(stream.floor, end - limit))
        mine, at = deque[Activity](), begin
        while at < end:
            _, found, at = await self._store.read(profile, after=at, limit=limit, wanted=wanted)
            mine += [one for one in found if one.position <= end]
            if _lightened(mine, [len(one.body) for one in mine]):
                begin = Position(mine[0].position - 1)
        older = Position(begin + 1) if begin > stream.floor else None
        seen = tuple(_seen(profile, one) for one in reversed(mine))
        return Backwards(seen=seen, older=older)

    async def latest(self, *, limit: int, wanted: Filter) -> Sequence[Seen]:
        """Return about the newest ``limit`` of all profiles, newest first.

        Fewer where commits of other things lie between them, or where they are large.
        """
        ends, found = await self._merged.ends(ALL), deque[MergedActivity](maxlen=limit)
        for width in _WIDTHS:
            begin = max(ends.floor, behind(max(0, ends.last - width)))
            found.clear()
            light = await self._collect(found, begin, wanted)
            if not light or len(found) >= limit or begin == ends.floor:
                break
        return [_seen(one.place.profile, one.activity) for one in reversed(found)]

    async def _collect(self, found: deque[MergedActivity], begin: Place, wanted: Filter) -> bool:
        """Keep the newest behind a place; return whether none was let go of for its size."""
        at, light = begin, True
        while True:
            ends, told, end = await self._store.read_merged(
                ALL, after=at, limit=_MOST, wanted=wanted, after_auth=False
            )
            found += [one for one in told if _passes(one, wanted)]
            if _lightened(found, [len(one.activity.body) for one in found]):
                light = False
            if end in {at, ends.latest}:
                return light
            at = end

    async def end(self, profile: ProfileId | None = None) -> str:
        """Return the cursor at the end of one profile's news, or of all."""
        end = await self._merged.read(_reach(profile), cursor=LATEST, limit=1, wanted=EVERYTHING)
        return str(end.cursor)

    async def follow(
        self,
        wanted: Filter,
        *,
        cursor: str,
        heartbeat: timedelta,
        profile: ProfileId | None = None,
    ) -> AsyncGenerator[News]:
        """Yield what is recorded behind the cursor, of one profile or of all.

        Nothing, with where it has come to, whenever there was no news for a ``heartbeat``. Raises
        MalformedCursorError and CursorExpiredError (I4).
        """
        while True:
            batch = await self._merged.read(
                _reach(profile), cursor=cursor, limit=_AT_ONCE, wanted=wanted, wait=heartbeat
            )
            cursor = str(batch.cursor)
            yield News(
                seen=tuple(
                    _seen(one.place.profile, one.activity)
                    for one in batch.activities
                    if _passes(one, wanted)
                ),
                cursor=cursor,
            )


def _reach(profile: ProfileId | None) -> Reach:
    return ALL if profile is None else Reach(profiles=frozenset({profile}))


def _lightened(found: deque[T], sizes: Sequence[int]) -> bool:
    """Let go of the oldest of what is too much to show at once; tell whether any was."""
    total, many = sum(sizes), 0
    while total > _LARGEST and len(found) > 1:
        found.popleft()
        total, many = total - sizes[many], many + 1
    return many > 0


def _passes(one: MergedActivity, wanted: Filter) -> bool:
    """Tell whether it is of a wanted calendar, which a merged read does not ask."""
    activity = one.activity
    free = wanted.calendars is None or activity.kind in OF_NO_CALENDAR
    return free or activity.calendar_id in (wanted.calendars or ())


def _seen(profile: ProfileId, activity: Activity) -> Seen:
    return Seen(profile_id=profile, position=activity.position, record=orjson.loads(activity.body))
