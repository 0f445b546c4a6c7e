"""One poll's work at the provider: the list of calendars, then those that may have changed."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime

import structlog

from syncd.engine import policy
from syncd.engine.erase import remove
from syncd.engine.hub import Hub
from syncd.engine.plan import Plan
from syncd.engine.reading import Reading, Terms
from syncd.engine.roster import compare
from syncd.engine.written import Written
from syncd.model.calendar import Calendar, Holds, KnownCalendar, Mode
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    StaleStateError,
    SyncdError,
    SyncTokenExpiredError,
    TransientError,
)
from syncd.model.ids import CalendarId
from syncd.model.profile import Profile
from syncd.model.resource import Change
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.provider import Provider
from syncd.ports.store import Store

log = structlog.get_logger()

AT_ONCE = 2  # calendars of one profile (P13)
LOOKS = 3  # at a calendar that is written meanwhile


class Look:
    """Runs once; afterwards ``told`` counts activities and the rest says what was met.

    ``suspect`` names calendars that hold absences (I7); ``listed`` tells whether the list of
    calendars was read, ``relist`` whether it should be at the next poll. ``living`` are the
    calendars that there are, ``read`` those that could be looked at, ``found`` those with news;
    ``failing`` tells whether any of them fails, or did at the last look.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a poll touches
        self,
        store: Store,
        hub: Hub,
        clock: Clock,
        meter: Meter,
        plan: Plan,
        draw: Callable[[], float],
        written: Written,
        profile: Profile,
    ) -> None:
        """Prepare to look at ``profile``."""
        self.told = 0
        self.suspect = set[CalendarId]()
        self.listed = False
        self.relist = False
        self.living: Sequence[KnownCalendar] = ()
        self.read = set[CalendarId]()
        self.found = set[CalendarId]()
        self.failing = False
        self._store = store
        self._hub = hub
        self._clock = clock
        self._meter = meter
        self._plan = plan
        self._draw = draw
        self._written = written
        self._profile = profile
        self._interval = plan.interval(profile.provider)
        self._errors = dict[CalendarId, tuple[KnownCalendar, SyncdError]]()

    async def run(
        self,
        provider: Provider,
        *,
        listing: bool,
        spared: AbstractSet[CalendarId] = frozenset(),
    ) -> None:
        """Read what is to be read; raises the errors that concern the whole profile.

        What one calendar suffers alone is noted on it, and the others go on (F43). Address books
        are looked at when the list of calendars is due, after the calendars, and whatever they
        suffer is theirs alone (ADR 19). Calendars that are ``spared`` are read only where that is
        due in any case.
        """
        self.living = living = await self._calendars(provider, listing=listing)
        asked = self._ready(living, spared)
        chosen = await self._moved(provider, asked)
        if len(chosen) == 1:  # most polls: a task would cost as much as the rest of this
            await self._one(provider, chosen[0])
        else:
            turn = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as group:
                for one in chosen:
                    group.create_task(self._in_turn(turn, provider, one), name=f"read {one.id}")
        self.read = {one.id for one in asked} - self._errors.keys()
        self.failing = bool(self._errors) or any(one.failures for one in living)
        await self._note_errors()
        if listing:
            await self._contacts(provider)

    async def _calendars(self, provider: Provider, *, listing: bool) -> Sequence[KnownCalendar]:
        """Return what is to be read, compared with the provider's list where that is due."""
        store, profile = self._store, self._profile
        here = await store.calendars(profile.id)
        if not listing and here and not any(one.missing for one in here):
            return here
        known = await store.calendars(profile.id, removed=True, holds=None)
        listed = await provider.calendars()
        self.listed = True
        return await self._compared(Holds.EVENTS, known, listed)

    async def _contacts(self, provider: Provider) -> None:
        """Read the address books that may have changed; their errors are noted on them."""
        self._errors.clear()
        now = self._clock.now()
        known = await self._store.calendars(self._profile.id, removed=True, holds=None)
        here = [one for one in _living(known) if one.holds is Holds.CONTACTS]
        try:
            here = await self._compared(Holds.CONTACTS, known, await provider.address_books())
            for one in await self._moved(provider, self._ready(here)):
                await self._one(provider, one)
        except StaleStateError:
            raise
        except SyncdError as error:
            ready = (one for one in here if one.retry_at is None or one.retry_at <= now)
            self._errors |= {one.id: (one, error) for one in ready}
            log.debug("contacts.failed", profile_id=self._profile.id, reason=str(error))
        for book, failure in self._errors.values():
            if isinstance(failure, StaleStateError):
                raise failure
            if not book.failures:
                log.info("contacts.failing", profile_id=book.profile_id, reason=str(failure))
            await self._fail(book, failure)

    async def _compared(
        self, holds: Holds, known: Sequence[KnownCalendar], listed: Sequence[Calendar]
    ) -> list[KnownCalendar]:
        """Write down what a complete list says; return the calendars, or books, to be read.

        What has become the other kind of collection counts as gone first.
        """
        store, profile = self._store, self._profile
        others = {one.key for one in _living(known) if one.holds is not holds}
        former = [one for one in known if one.key not in others]
        listed = [one for one in listed if one.key not in others]
        roster = compare(
            profile.id,
            former,
            listed,
            now=self._clock.now(),
            interval=self._interval,
            initial=profile.first_read,
        )
        if roster.saved:
            await store.save_calendars(
                profile.id, roster.saved, generation=profile.generation, records=roster.records
            )
            self._count(len(roster.records))
        for gone in roster.gone:
            told = await store.calendar(gone.id, holds=None)
            self._count(await remove(store, told, profile=profile, at=self._clock.now()))
        if roster.saved or roster.gone:
            former = list(await store.calendars(profile.id, holds=holds))
        return [one for one in _living(former) if not one.missing]

    def _ready(
        self, living: Sequence[KnownCalendar], spared: AbstractSet[CalendarId] = frozenset()
    ) -> Sequence[KnownCalendar]:
        """Return the calendars to ask about: what does not back off, and is due or not spared."""
        now = self._clock.now()
        ready = [one for one in living if one.retry_at is None or one.retry_at <= now]
        return [one for one in ready if one.id not in spared or _due(one, now)]

    async def _moved(
        self, provider: Provider, ready: Sequence[KnownCalendar]
    ) -> Sequence[KnownCalendar]:
        """Return the calendars to read: those due in any case, and those that moved."""
        now = self._clock.now()
        others = {one.key: one.token for one in ready if not _due(one, now)}
        moved = await provider.moved(others) if others else frozenset()
        return [one for one in ready if one.key not in others or one.key in moved]

    async def _in_turn(
        self, turn: asyncio.Semaphore, provider: Provider, known: KnownCalendar
    ) -> None:
        async with turn:
            await self._one(provider, known)

    async def _one(self, provider: Provider, known: KnownCalendar) -> None:
        if any(policy.reaches_profile(error) for _, error in self._errors.values()):
            return
        readings, failure = await self._once(provider, known)
        for _ in range(LOOKS - 1):
            if not isinstance(failure, StaleStateError):
                break
            latest = await self._latest(known)
            if latest is None:
                break
            known = latest
            readings, failure = await self._once(provider, known)
        if failure is not None:
            row = readings[-1].calendar if readings else known
            self._errors[known.id] = (row, failure)
        if readings and readings[-1].suspect:
            self.suspect.add(known.id)

    async def _once(
        self, provider: Provider, known: KnownCalendar
    ) -> tuple[Sequence[Reading], SyncdError | None]:
        readings = list[Reading]()
        failure: SyncdError | None = None
        try:
            await self._read(provider, known, readings)
        except SyncdError as error:
            failure = error
        told = sum(reading.told for reading in readings)
        self.told += told
        if told:
            self.found.add(known.id)
        return readings, failure

    async def _latest(self, known: KnownCalendar) -> KnownCalendar | None:
        """Return a calendar to look at once more, as a write was recorded first; else None.

        Otherwise a steady writer would hide for hours what others change.
        """
        try:
            profile = await self._store.profile(self._profile.id)
            latest = await self._store.calendar(known.id, holds=None)
        except NotFoundError:
            return None
        told = (profile.generation, latest.polled_at)
        return latest if told == (self._profile.generation, known.polled_at) else None

    async def _read(
        self, provider: Provider, known: KnownCalendar, readings: list[Reading]
    ) -> None:
        """Read by token where there is one, in full where that is due or the token has died."""
        due = known.reconcile_due_at
        if policy.by_listing(known):
            await self._begin(known, readings).read(provider, None)
        elif due is not None and due <= self._clock.now():
            await self._reconcile(provider, known, readings)
        else:
            try:
                await self._begin(known, readings).read(provider, known.token)
            except SyncTokenExpiredError:
                await self._read_in_full(provider, readings)

    async def _read_in_full(self, provider: Provider, readings: list[Reading]) -> None:
        """Compare a full read with the kept snapshot, once a poll at most (I8)."""
        self._meter.count("full_reads_total", provider=self._profile.provider)
        known = policy.expired(readings[-1].calendar, self._clock.now())
        try:
            await self._begin(known, readings, unsaved=True).read(provider, None)
        except SyncTokenExpiredError as error:
            raise MalformedReplyError("a full read was refused as if it had a token") from error

    async def _reconcile(
        self, provider: Provider, known: KnownCalendar, readings: list[Reading]
    ) -> None:
        """Read the change feed, then list everything: what only the listing found was lost (I9).

        The feed comes first, because its tombstones are explicit: the brake of I7 holds back
        deletions that are known by absence only. One that fails, perhaps whenever it is asked
        with this token, keeps no listing away, and that brings another token.
        """
        try:
            await self._begin(known, readings).read(provider, known.token)
        except SyncTokenExpiredError:
            await self._read_in_full(provider, readings)
            return
        except (TransientError, ForbiddenError, MalformedReplyError) as error:
            if policy.reaches_profile(error):
                raise
            await self._begin(readings[-1].calendar, readings).read(provider, None)
            return
        told = readings[-1].calendar
        listing = self._begin(told, readings)
        await listing.read(provider, None)
        lost = set(listing.changed)
        if lost:  # unless it happened between the two
            again = self._begin(listing.calendar, readings)
            try:
                await again.read(provider, told.token)
            except SyncTokenExpiredError:
                return  # the old token cannot tell; the new one is from the listing
            lost -= again.named
        after = replace(readings[-1].calendar, corrections=known.corrections + 1 if lost else 0)
        if after.corrections == known.corrections:
            return
        if lost:
            self._meter.count(
                "reconcile_corrections_total", len(lost), provider=self._profile.provider
            )
        if policy.tokens_off(after):
            after = replace(after, token=None, mode=Mode.LISTING)
        await self._store.record(after, Change(), generation=self._profile.generation)

    def _begin(
        self, known: KnownCalendar, readings: list[Reading], *, unsaved: bool = False
    ) -> Reading:
        now = self._clock.now()

        def next_at() -> datetime:
            return policy.reconcile_at(self._profile.provider, now, self._plan, self._draw())

        terms = Terms(at=now, interval=self._interval, reconcile_at=next_at)
        parts = (self._store, self._hub, self._profile, known, terms, self._written)
        reading = Reading(*parts, unsaved=unsaved)
        readings.append(reading)
        return reading

    async def _note_errors(self) -> None:
        """Raise what concerns the profile; note on its calendar what that suffers alone.

        If no calendar could be read of those that were asked about, that is the profile's
        trouble, not each one's.
        """
        if not self._errors:
            return
        errors = [error for _, error in self._errors.values()]
        for error in errors:
            if isinstance(error, StaleStateError):
                raise error
        for error in errors:
            if policy.reaches_profile(error):
                raise error
        shared: SyncdError | None = None
        for known, error in self._errors.values():
            self.relist = self.relist or isinstance(error, NotFoundError)
            if not self.read and not isinstance(error, ForbiddenError | NotFoundError):
                shared = error
                continue
            await self._fail(known, error)
        if shared is not None:
            raise shared

    async def _fail(self, known: KnownCalendar, error: SyncdError) -> None:
        failed = policy.calendar_failed(
            *(known, self._profile, error, self._clock.now(), self._plan), draw=self._draw()
        )
        await self._store.record(failed, Change(), generation=self._profile.generation)

    def _count(self, activities: int) -> None:
        if activities:
            self.told += activities
            self._hub.wake(self._profile.id)


def _living(known: Iterable[KnownCalendar]) -> list[KnownCalendar]:
    return [one for one in known if one.removed_at is None]


def _due(known: KnownCalendar, now: datetime) -> bool:
    """Tell whether a calendar is read whether or not it moved."""
    never_well = known.token is None or known.first_read_at is None or known.failures > 0
    due = known.reconcile_due_at
    return never_well or (due is not None and due <= now)
