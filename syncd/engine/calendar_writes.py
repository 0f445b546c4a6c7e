"""Writing calendars: at the provider first, then in the list, with the activities (R13, K42)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from syncd.engine.erase import remove
from syncd.engine.event_writes import writable
from syncd.engine.hub import Hub
from syncd.engine.records import calendar_record, calendar_update
from syncd.engine.settle import settle_calendar
from syncd.engine.upstream import signed_in, upstream
from syncd.model.activity import Type
from syncd.model.calendar import Calendar, KnownCalendar
from syncd.model.edit import CalendarEdit
from syncd.model.errors import NotFoundError, PreconditionError, StaleStateError
from syncd.model.ids import CalendarId, Cursor, calendar_id
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.provider import Provider, Providers
from syncd.ports.store import Store

TRIES = 8
CalendarCheck = Callable[[KnownCalendar], bool]
"""Tells whether the calendar still is the version that the caller means (R18)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarOutcome:
    """Of a write, already recorded (R13). ``cursor`` is a position that the calendar reflects."""

    calendar: KnownCalendar
    cursor: Cursor
    ignored: frozenset[str] = frozenset()


class CalendarWrites:
    """Each method is one write from beginning to end; whoever calls sees that it is not cut."""

    def __init__(self, store: Store, providers: Providers, hub: Hub, clock: Clock) -> None:
        """Write at ``providers`` and in ``store``."""
        self._store = store
        self._providers = providers
        self._hub = hub
        self._clock = clock

    async def create(self, profile: Profile, edit: CalendarEdit, *, name: str) -> CalendarOutcome:
        """Make a calendar, at once ready for events; the next poll reads it for the first time."""
        able = self._providers.abilities(profile.provider)
        edit, ignored = settle_calendar(edit, able, create=True)
        async with signed_in(self._providers, profile) as provider, upstream():
            wrote = await provider.create_calendar(edit, name=name)
        known = await self._enter(profile, wrote.calendar)
        return await self._outcome(profile, known, ignored | wrote.ignored)

    async def update(
        self,
        profile: Profile,
        calendar: CalendarId,
        edit: CalendarEdit,
        *,
        check: CalendarCheck | None,
    ) -> CalendarOutcome:
        """Change a calendar's properties."""
        able = self._providers.abilities(profile.provider)
        known = await self._store.calendar(calendar)
        _hold(check, known)
        edit, ignored = settle_calendar(edit, able, create=False)
        writable(known)
        if edit == CalendarEdit():
            return await self._outcome(profile, known, ignored)
        async with signed_in(self._providers, profile) as provider:
            try:
                async with upstream():
                    wrote = await provider.update_calendar(known.key, edit)
            except NotFoundError as error:
                raise NotFoundError(f"there is no calendar {calendar}") from error
            known = await self._change(profile, known, wrote.calendar, provider)
        return await self._outcome(profile, known, ignored | wrote.ignored)

    async def delete(
        self, profile: Profile, calendar: CalendarId, *, check: CalendarCheck | None
    ) -> Cursor:
        """Delete a calendar; its events are told first, then itself."""
        known = await self._store.calendar(calendar)
        _hold(check, known)
        writable(known)
        async with signed_in(self._providers, profile) as provider, upstream():
            await provider.delete_calendar(known.key)
        await self._remove(profile, known)
        return await self._cursor(profile)

    async def _enter(self, profile: Profile, made: Calendar) -> KnownCalendar:
        """Add a calendar's row, unless a poll was first: its knowledge may be newer."""
        for _ in range(TRIES):
            rows = await self._store.calendars(profile.id, removed=True)
            former = next((one for one in rows if one.key == made.key), None)
            if former is not None and former.removed_at is None:
                return former
            fresh = KnownCalendar(
                id=calendar_id(profile.id, made.key),
                profile_id=profile.id,
                calendar=made,
                revision=former.revision if former else 0,
            )
            record = calendar_record(Type.ADD, fresh, self._clock.now())
            try:
                await self._store.save_calendars(
                    profile.id, [fresh], generation=profile.generation, records=[record]
                )
            except StaleStateError:
                profile = await self._store.profile(profile.id)
                continue
            self._hub.wake(profile.id)
            return fresh
        raise StaleStateError(f"calendar {made.key} changes faster than it can be written")

    async def _change(
        self, profile: Profile, known: KnownCalendar, told: Calendar, provider: Provider
    ) -> KnownCalendar:
        """Record what the provider told after ``known`` was read; else ask it again (I5)."""
        for _ in range(TRIES):
            after = replace(known, calendar=told, missing=0, missing_at=None)
            record = calendar_update(known, after, self._clock.now())
            try:
                await self._store.save_calendars(
                    profile.id,
                    [after],
                    generation=profile.generation,
                    records=[] if record is None else [record],
                )
            except StaleStateError:
                profile = await self._store.profile(profile.id)
                known = await self._store.calendar(known.id)
                told = await _listed(provider, known)
                continue
            self._hub.wake(profile.id)
            return after
        raise StaleStateError(f"calendar {known.id} changes faster than it can be written")

    async def _remove(self, profile: Profile, known: KnownCalendar) -> None:
        for _ in range(TRIES):
            with suppress(StaleStateError):  # a poll wrote: what is left is seen next time
                await remove(self._store, known, profile=profile, at=self._clock.now())
                self._hub.wake(profile.id)
                return
            profile = await self._store.profile(profile.id)
            try:
                known = await self._store.calendar(known.id)
            except NotFoundError:  # a poll noticed, and was first
                return
        raise StaleStateError(f"calendar {known.id} changes faster than it can be written")

    async def _outcome(
        self, profile: Profile, known: KnownCalendar, ignored: frozenset[str]
    ) -> CalendarOutcome:
        cursor = await self._cursor(profile)  # first, so that the row is never behind it (R21)
        shown = await self._store.calendar(known.id)
        return CalendarOutcome(calendar=shown, cursor=cursor, ignored=ignored)

    async def _cursor(self, profile: Profile) -> Cursor:
        return (await self._store.stream(profile.id)).latest


def _hold(check: CalendarCheck | None, known: KnownCalendar) -> None:
    if check is not None and not check(known):
        raise PreconditionError("this is no longer the version that If-Match names")


async def _listed(provider: Provider, known: KnownCalendar) -> Calendar:
    async with upstream():
        found = {one.key: one for one in await provider.calendars()}
    if known.key not in found:
        raise NotFoundError(f"there is no calendar {known.id}")
    return found[known.key]
