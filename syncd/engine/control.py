"""What operators and applications do to a profile: pause, resume, remove, confirm (api.md N13)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from syncd.engine.erase import erase
from syncd.engine.hints import Hints
from syncd.engine.hub import Hub
from syncd.engine.leaving import Leaving
from syncd.engine.records import account_record, account_update
from syncd.model.activity import Type
from syncd.model.errors import NotFoundError, StaleStateError
from syncd.model.ids import CalendarId, ProfileId
from syncd.model.profile import Profile, changed
from syncd.ports.clock import Clock
from syncd.ports.store import Store

_TRIES = 5


class Control:
    """Changes a profile and tells its stream; every method repeats on a concurrent change."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        clock: Clock,
        hints: Hints | None = None,
        leaving: Leaving | None = None,
    ) -> None:
        """Write to ``store`` and wake readers by ``hub``; ``hints`` keeps channels (P16)."""
        self._store = store
        self._hub = hub
        self._clock = clock
        self._hints = hints
        self._leaving = leaving

    async def pause(self, profile_id: ProfileId) -> Profile:
        """Stop polling until resumed; raises NotFoundError."""
        return await self._change(profile_id, lambda one, now: changed(one, now, paused=True))

    async def resume(self, profile_id: ProfileId) -> Profile:
        """Poll again, at once; raises NotFoundError."""
        return await self._change(
            profile_id, lambda one, now: changed(one, now, paused=False, next_poll_at=now)
        )

    async def remove(self, profile_id: ProfileId) -> Profile:
        """Erase snapshot and credentials; the stream ends with a delete (api.md K5, K42).

        The provider is told to call no more, and to honour the grant no longer, as long as there
        are credentials to do it with.
        """
        going = await self._store.profile(profile_id)
        if self._hints is not None:
            await self._hints.leave(going)
        if self._leaving is not None:
            await self._leaving.leave(going)
        for _ in range(_TRIES):
            now = self._clock.now()
            after = changed(await self._store.profile(profile_id), now, removed=True)
            record = account_record(Type.DELETE, after, now)
            with suppress(StaleStateError):
                saved = await self._store.save_profile(after, records=[record])
                self._hub.wake(profile_id)
                return saved
        raise StaleStateError(f"profile {profile_id} changes faster than it can be written")

    async def confirm_deletes(
        self, profile_id: ProfileId, calendar: CalendarId | None = None
    ) -> Profile:
        """Turn what is held as suspect into deletes, in one calendar or in all (I7).

        Raises NotFoundError for a calendar that is not the profile's.
        """
        known = [one.id for one in await self._store.calendars(profile_id, holds=None)]
        if calendar is not None and calendar not in known:
            raise NotFoundError(f"profile {profile_id} has no calendar {calendar}")
        for one in known if calendar is None else [calendar]:
            await self._confirm(profile_id, one)
        return await self.settle(profile_id)

    async def settle(self, profile_id: ProfileId) -> Profile:
        """Let ``suspect`` say whether anything is held, and tell the stream if that changed."""
        tallies = await self._store.tallies(profile_id)
        held = any(tally.suspect_deletes for tally in tallies.values())
        return await self._change(profile_id, lambda one, now: changed(one, now, suspect=held))

    async def _confirm(self, profile_id: ProfileId, calendar: CalendarId) -> None:
        for _ in range(_TRIES):
            profile = await self._store.profile(profile_id)
            known = await self._store.calendar(calendar, holds=None)
            keys = [absence.key for absence in await self._store.absences(calendar)]
            with suppress(StaleStateError):  # a poll wrote: look again at what is held now
                await erase(self._store, known, keys, profile=profile, at=self._clock.now())
                return
        raise StaleStateError(f"calendar {calendar} changes faster than it can be written")

    async def _change(
        self, profile_id: ProfileId, change: Callable[[Profile, datetime], Profile]
    ) -> Profile:
        for _ in range(_TRIES):
            now = self._clock.now()
            before = await self._store.profile(profile_id)
            after = change(before, now)
            record = account_update(before, after, now)
            if record is None:
                return before
            with suppress(StaleStateError):
                saved = await self._store.save_profile(after, records=[record])
                self._hub.wake(profile_id)
                return saved
        raise StaleStateError(f"profile {profile_id} changes faster than it can be written")
