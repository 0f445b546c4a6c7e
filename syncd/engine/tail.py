"""The newest of all streams, for a person who looks on: live, and backwards page by page.

It promises less than a stream with a cursor: who looks away misses what happened meanwhile.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from syncd.engine.hub import Hub
from syncd.model.activity import Activity, Filter, Kind
from syncd.model.content import Json
from syncd.model.errors import NotFoundError
from syncd.model.ids import Position, ProfileId
from syncd.ports.clock import Clock
from syncd.ports.store import Store

EVERYTHING = Filter(kinds=frozenset(Kind))
_AT_ONCE = 200


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


class Tail:
    """Reads the ends of streams."""

    def __init__(self, store: Store, hub: Hub, clock: Clock) -> None:
        """Look again whenever ``hub`` says so."""
        self._store = store
        self._hub = hub
        self._clock = clock

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

    async def follow(
        self, wanted: Filter, *, heartbeat: timedelta, profile: ProfileId | None = None
    ) -> AsyncGenerator[Sequence[Seen]]:
        """Yield what is recorded from now on, of one profile or of all.

        Nothing is yielded at the beginning, and whenever there was no news for a ``heartbeat``.

        A profile's place in its stream is looked up when it is first heard of.
        """
        begun = self._clock.now()
        places = dict[ProfileId, Position]()
        with self._hub.watching() as watch:
            while True:
                yield ()
                with suppress(TimeoutError):
                    async with asyncio.timeout(heartbeat.total_seconds()):
                        await watch.wait()
                for one in watch.take():
                    if profile in {None, one}:
                        async for seen in self._news(one, places, begun, wanted):
                            yield seen

    async def _news(
        self,
        profile: ProfileId,
        places: dict[ProfileId, Position],
        begun: datetime,
        wanted: Filter,
    ) -> AsyncGenerator[Sequence[Seen]]:
        with suppress(NotFoundError):  # removed meanwhile
            if profile not in places:
                behind = await self._store.behind(profile, begun)
                places[profile] = behind or (await self._store.stream(profile)).floor
            while True:
                stream, found = await self._store.read(
                    profile, after=places[profile], limit=_AT_ONCE, wanted=wanted
                )
                whole = len(found) == _AT_ONCE
                places[profile] = found[-1].position if whole else stream.head
                fresh = [_seen(profile, one) for one in found]
                told = [one for one in fresh if one.at >= begun - timedelta(seconds=1)]
                if told:
                    yield told
                if not whole:
                    return


def _seen(profile: ProfileId, activity: Activity) -> Seen:
    return Seen(profile_id=profile, position=activity.position, record=orjson.loads(activity.body))
