"""Reading the stream of many profiles behind a cursor, and waiting for news (api.md N11)."""

from datetime import timedelta

from syncd.engine.hub import Hub
from syncd.engine.stream import AFTER_AUTH, LATEST
from syncd.model.activity import Filter
from syncd.model.errors import NotFoundError
from syncd.model.ids import ProfileId, UserId
from syncd.model.merged import ORIGIN, Ends, MergedBatch, MergedCursor
from syncd.model.reach import Reach
from syncd.ports.clock import Clock
from syncd.ports.store import Store

_UNSETTLED = timedelta(milliseconds=50)  # until a look at what older transactions hold back
_LONGEST_UNSETTLED = timedelta(seconds=1)


class MergedReader:
    """Reads the stream of all profiles within reach; keeps no reader's place (F36)."""

    def __init__(self, store: Store, hub: Hub, clock: Clock) -> None:
        """Read from ``store``; ``hub`` tells when to look again."""
        self._store = store
        self._hub = hub
        self._clock = clock
        self._owners = dict[ProfileId, UserId]()  # a profile never changes hands

    async def read(
        self,
        reach: Reach,
        *,
        cursor: str | None,
        limit: int,
        wanted: Filter,
        wait: timedelta = timedelta(),
    ) -> MergedBatch:
        """Return at most ``limit`` wanted activities behind the cursor, fewer where they are large.

        One profile's come in its order; between profiles they come in that of commits. ``cursor``
        is None (the oldest place from which nothing is missing), ``after-auth`` (from there,
        without what existed before each profile was connected), ``latest`` (never waits), or a
        cursor's text. Without news the answer comes after ``wait``, empty. Raises
        MalformedCursorError and CursorExpiredError (I4).
        """
        deadline = self._clock.monotonic() + wait.total_seconds()
        pause = _UNSETTLED
        with self._hub.watch(lambda profile: self._concerns(reach, profile)) as watch:
            while True:
                woken = watch.take()
                await self._learn(reach, woken)
                batch = await self._once(reach, cursor, limit, wanted)
                left = timedelta(seconds=deadline - self._clock.monotonic())
                if batch.activities or cursor == LATEST or left <= timedelta():
                    return batch
                cursor = str(batch.cursor)
                if batch.ends.settled:
                    if not await watch.wait(left):
                        return batch
                elif await watch.wait(min(left, pause)):
                    pause = _UNSETTLED
                elif pause >= left:
                    return batch
                else:
                    pause = min(2 * pause, _LONGEST_UNSETTLED)

    async def ends(self, reach: Reach) -> Ends:
        """Return where the stream begins and ends now."""
        ends, _, _ = await self._store.read_merged(
            reach, after=ORIGIN, limit=0, wanted=Filter(), after_auth=False
        )
        return ends

    async def _once(
        self, reach: Reach, cursor: str | None, limit: int, wanted: Filter
    ) -> MergedBatch:
        if cursor == LATEST:
            ends = await self.ends(reach)
            latest = MergedCursor(ends.epoch, ends.latest)
            return MergedBatch(ends=ends, activities=(), cursor=latest)
        asked = None if cursor in {None, AFTER_AUTH} else MergedCursor.parse(cursor or "")
        after_auth = cursor == AFTER_AUTH if asked is None else asked.after_auth
        after = None if asked is None else asked.place
        while True:
            ends, found, place = await self._store.read_merged(
                reach, after=after, limit=limit, wanted=wanted, after_auth=after_auth
            )
            reached = MergedCursor(ends.epoch, place, after_auth=after_auth)
            if asked is not None:
                ends.check(asked)  # against the very snapshot that was read
            if found or place.order >= ends.last:
                return MergedBatch(ends=ends, activities=found, cursor=reached)
            asked, after = reached, place

    def _concerns(self, reach: Reach, profile: ProfileId) -> bool:
        """Tell whether news of a profile may be within reach."""
        if reach.everything or reach.applications or profile in reach.profiles:
            return True
        owner = self._owners.get(profile)
        return bool(reach.users) and (owner is None or owner in reach.users)

    async def _learn(self, reach: Reach, profiles: frozenset[ProfileId]) -> None:
        """Remember whose these are, so that only their users' readers are woken."""
        if not reach.users or reach.everything or reach.applications:
            return
        for profile in profiles - self._owners.keys():
            try:
                self._owners[profile] = (await self._store.profile(profile)).user_id
            except NotFoundError:  # removed: its last record is to be read all the same
                continue
