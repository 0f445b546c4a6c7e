"""Events that move to the calendar of a new organizer, and stay themselves (K26)."""

from collections.abc import Mapping
from dataclasses import replace

from syncd.engine.hub import Hub
from syncd.engine.meaning import meaning
from syncd.engine.recorder import TRIES
from syncd.engine.upstream import upstream
from syncd.engine.written import Written
from syncd.model.calendar import KnownCalendar
from syncd.model.errors import InvalidError, StaleStateError
from syncd.model.event import Person
from syncd.model.ids import ResourceKey
from syncd.model.profile import Profile
from syncd.model.resource import KnownResource, RawResource
from syncd.ports.clock import Clock
from syncd.ports.delta import Delta
from syncd.ports.provider import Provider
from syncd.ports.store import Store


class Moves:
    """Moves whole resources between two calendars of a profile."""

    def __init__(self, store: Store, hub: Hub, clock: Clock, written: Written) -> None:
        """Record in ``store`` and wake readers by ``hub``; tell ``written`` for the polls (F6)."""
        self._store = store
        self._hub = hub
        self._clock = clock
        self._written = written

    async def destination(
        self, profile: Profile, organizer: Person, here: KnownCalendar
    ) -> KnownCalendar | None:
        """Return whose calendar the event goes to, None if it is there already.

        Raises InvalidError for somebody who has no calendar that this profile may write.
        """
        wanted = organizer.email.casefold()
        if here.key.casefold() == wanted:
            return None
        for one in await self._store.calendars(profile.id):
            if one.key.casefold() == wanted and not one.calendar.read_only:
                return one
        raise InvalidError(
            "must be whose calendar this profile has, and may write to", field="organizer"
        )

    async def move(
        self,
        profile: Profile,
        provider: Provider,
        resource: RawResource,
        *,
        source: KnownCalendar,
        target: KnownCalendar,
    ) -> frozenset[str]:
        """Move at the provider and record it; return the members that it ignored."""
        source = await self._store.calendar(source.id)  # as they are before the provider is asked
        target = await self._store.calendar(target.id)
        async with upstream():
            wrote = await provider.move_event(source.key, resource, target.key)
        self._written.note(source.id, wrote.key, before=resource.etag, after=None)
        for one in wrote.upserts:
            self._written.note(target.id, one.key, before=None, after=one.etag)
        page = Delta(upserts=wrote.upserts)
        for _ in range(TRIES):
            try:
                await self._record(profile, source, target, wrote.key, page)
            except StaleStateError:
                profile = await self._store.profile(profile.id)
                source = await self._store.calendar(source.id)
                target = await self._store.calendar(target.id)
                page = await _held(provider, target, wrote.key)
            else:
                return wrote.ignored
        raise StaleStateError(f"calendar {target.id} changes faster than it can be written")

    async def _record(
        self,
        profile: Profile,
        source: KnownCalendar,
        target: KnownCalendar,
        key: ResourceKey,
        page: Delta,
    ) -> None:
        """Write both calendars, unless a poll of one of them has told of the move already."""
        there = await self._store.seen(target.id, [key])
        here = await self._store.seen(source.id, [key])
        change = await meaning(
            *(self._store, target, page, there or _unlike(here)), at=self._clock.now()
        )
        gone = [] if there else list(here)
        await self._store.move(source, gone, target, change, generation=profile.generation)
        if change.records:
            self._hub.wake(profile.id)


def _unlike(known: Mapping[ResourceKey, KnownResource]) -> Mapping[ResourceKey, KnownResource]:
    """Return what is known with no content: that it stands elsewhere is a change in any case."""
    return {
        key: replace(
            one, events={at: replace(seen, content=b"") for at, seen in one.events.items()}
        )
        for key, one in known.items()
    }


async def _held(provider: Provider, target: KnownCalendar, key: ResourceKey) -> Delta:
    async with upstream():
        return await provider.resources(target.key, [key])
