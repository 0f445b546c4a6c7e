"""Events that an application writes under names of its own (api.md C10-C12)."""

from collections.abc import Collection
from contextlib import suppress

from syncd.engine.draft import EventDraft
from syncd.engine.event_writes import Outcome
from syncd.engine.hub import Hub
from syncd.engine.write import Writer
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import NotFoundError, SyncdError
from syncd.model.ids import CalendarId
from syncd.model.managed import ManagedEvent, ManagedKey
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.store import Store

_PAGE = 200


class ManagedEvents:
    """Upserts and deletes by own ids; no crash between provider and store makes an event twice."""

    def __init__(self, store: Store, writer: Writer, hub: Hub, clock: Clock) -> None:
        """Keep names in ``store`` and write by ``writer``; wake by ``hub`` who waits for a name."""
        self._store = store
        self._writer = writer
        self._hub = hub
        self._clock = clock

    async def upsert(
        self,
        profile: Profile,
        calendar: KnownCalendar,
        key: ManagedKey,
        draft: EventDraft,
        *,
        name: str,
    ) -> Outcome:
        """Change the application's event of that id, or make it; ``name`` as in ``Writing``.

        One that was deleted at the provider is made anew. Raises what ``Writer`` does.
        """
        claimed = await self._claim(key, name)
        if claimed.event is not None:
            try:
                return await self._writer.update_event(profile, calendar, claimed.event, draft)
            except NotFoundError:
                await self._store.release(claimed)
                claimed = await self._claim(key, name)
        outcome = await self._writer.create_event(profile, calendar, draft, name=claimed.name)
        event = outcome.event.id
        await self._store.bind(claimed, event, self._clock.now())
        self._hub.wake(profile.id)  # what was recorded before it had its name is told by now
        if claimed.name == name:
            return outcome
        # An earlier attempt may have made it, of an older draft.
        return await self._writer.update_event(profile, calendar, event, draft)

    async def delete(self, profile: Profile, calendar: KnownCalendar, key: ManagedKey) -> None:
        """Delete the application's event of that id; one that is gone is a success.

        Its name is kept for the retention time, so that the deleted event is known by it.
        """
        found = await self._store.managed_event(key)
        if found is not None and found.event is not None:
            with suppress(NotFoundError):
                await self._writer.delete_event(profile, calendar, found.event)

    async def delete_all(
        self, places: Collection[tuple[Profile, KnownCalendar]], *, application: str
    ) -> None:
        """Delete what the application manages in these calendars, and nothing else.

        An error does not stop the rest; the first one is raised in the end.
        """
        homes = {calendar.id: (profile, calendar) for profile, calendar in places}
        first: SyncdError | None = None
        after: tuple[CalendarId, str] | None = None
        while True:
            some = await self._store.managed_events(application, homes, after=after, limit=_PAGE)
            for one in some:
                profile, calendar = homes[one.key.calendar]
                try:
                    await self.delete(profile, calendar, one.key)
                except SyncdError as error:
                    first = first or error
            if len(some) < _PAGE:
                break
            after = (some[-1].key.calendar, some[-1].key.own_id)
        if first is not None:
            raise first

    async def _claim(self, key: ManagedKey, name: str) -> ManagedEvent:
        return await self._store.claim(key, name=name, at=self._clock.now())
