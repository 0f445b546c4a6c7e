"""The newest of all streams, for a person who looks on: live, and backwards page by page."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from syncd.engine.merged import MergedReader
from syncd.engine.stream import LATEST
from syncd.model.activity import OF_NO_CALENDAR, Activity, Filter, Kind
from syncd.model.content import Json
from syncd.model.ids import Position, ProfileId
from syncd.model.merged import MergedActivity, behind
from syncd.model.reach import Reach
from syncd.ports.store import Store

EVERYTHING = Filter(kinds=frozenset(Kind))
ALL = Reach(everything=True)
_AT_ONCE = 200
_MOST = 1000
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
        _, found = await self._store.read(profile, after=begin, limit=limit, wanted=wanted)
        mine = [_seen(profile, one) for one in found if one.position <= end]
        older = Position(begin + 1) if begin > stream.floor else None
        return Backwards(seen=tuple(reversed(mine)), older=older)

    async def latest(self, *, limit: int, wanted: Filter) -> Sequence[Seen]:
        """Return about the newest ``limit`` of all profiles, newest first.

        Fewer where commits of other things lie between them.
        """
        ends, found = await self._merged.ends(ALL), list[Seen]()
        for width in _WIDTHS:
            begin = max(ends.floor, behind(max(0, ends.last - width)))
            _, told, _ = await self._store.read_merged(
                ALL, after=begin, limit=_MOST, wanted=wanted, after_auth=False
            )
            found = [_seen(one.place.profile, one.activity) for one in told if _passes(one, wanted)]
            if len(found) >= limit or begin == ends.floor:
                break
        return tuple(reversed(found[-limit:]))

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


def _passes(one: MergedActivity, wanted: Filter) -> bool:
    """Tell whether it is of a wanted calendar, which a merged read does not ask."""
    activity = one.activity
    free = wanted.calendars is None or activity.kind in OF_NO_CALENDAR
    return free or activity.calendar_id in (wanted.calendars or ())


def _seen(profile: ProfileId, activity: Activity) -> Seen:
    return Seen(profile_id=profile, position=activity.position, record=orjson.loads(activity.body))
