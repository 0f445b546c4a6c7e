"""One read of one calendar: pages recorded as they come, deletes and token with the last (I1)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from syncd.engine.brake import judge
from syncd.engine.hub import Hub
from syncd.engine.meaning import meaning
from syncd.engine.policy import tokens_off
from syncd.engine.written import LASTS, Written
from syncd.model.calendar import Holds, KnownCalendar, Mode
from syncd.model.errors import MalformedReplyError
from syncd.model.ids import CalendarId, EventId, ResourceKey, SyncToken
from syncd.model.profile import Profile
from syncd.model.resource import Absence, Change, KnownResource, Resource
from syncd.ports.delta import Delta
from syncd.ports.provider import Provider
from syncd.ports.store import Store

BATCH = 500  # events a transaction; one resource is never split


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """When a read happens and what follows from it."""

    at: datetime
    interval: timedelta  # between two listings that count for I7
    reconcile_at: Callable[[], datetime]  # the next one, if this is complete (I9); rarely asked


class Held:
    """The snapshot of one calendar as adapters may ask for it: obeys ``Known``."""

    def __init__(self, store: Store, calendar: CalendarId) -> None:
        """Ask ``store`` about one calendar."""
        self._store = store
        self._calendar = calendar

    async def etags(self) -> Mapping[ResourceKey, str]:
        """Return the etag of every resource that the snapshot holds."""
        return await self._store.etags(self._calendar)

    async def bodies(self, keys: Collection[ResourceKey]) -> Mapping[ResourceKey, bytes]:
        """Return the raw bodies of those of these resources that the snapshot holds."""
        held = await self._store.raw(self._calendar, frozenset(keys))
        return {key: one.raw for key, one in held.items()}


class Reading:
    """Reads once; afterwards ``calendar`` is as stored, and the rest says what was met.

    ``told`` counts activities; ``changed`` holds the keys they came from; ``named`` the keys that
    the provider spoke of, deleted ones among them.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a read touches
        self,
        store: Store,
        hub: Hub,
        profile: Profile,
        calendar: KnownCalendar,
        terms: Terms,
        written: Written,
        *,
        unsaved: bool = False,
    ) -> None:
        """Prepare to read ``calendar`` as it was stored last; ``unsaved`` if it holds news.

        What is older than something ``written`` is passed over.
        """
        self.calendar = calendar
        self.told = 0
        self.changed = set[ResourceKey]()
        self.suspect = False
        self._store = store
        self._hub = hub
        self._profile = profile
        self._terms = terms
        self._named = set[ResourceKey]()
        self._gone = set[ResourceKey]()
        self._later = dict[ResourceKey, Resource]()
        self._recent = written
        self._outdated = False
        self._written = unsaved
        self._began_empty: bool | None = None  # not known yet
        self._recorded = set[ResourceKey]()  # in what began empty

    @property
    def named(self) -> frozenset[ResourceKey]:
        """Return the keys that the provider spoke of."""
        return frozenset(self._named | self._gone)

    async def read(self, provider: Provider, token: SyncToken | None) -> None:
        """Record what changed since ``token``, or with None a complete listing.

        Raises what the provider raises, and StaleStateError; what was recorded until then stays,
        and the next read finds the rest, as the token stands where it was (F11).
        """
        last: Delta | None = None
        known = Held(self._store, self.calendar.id)
        contacts = self.calendar.holds is Holds.CONTACTS
        read = provider.contacts if contacts else provider.changes
        async for told in read(self.calendar.key, token, known):
            last = told
            if not told.quiet:
                last = self._newer(told)
                self._note(last)
                await self._take(last)
        if last is None:
            raise MalformedReplyError("the provider answered without a page")
        if self._named or self._gone or not self._is_as_before(last):
            await self._finish(last)

    def _is_as_before(self, last: Delta) -> bool:
        """Tell whether a healthy calendar is where it was: most polls end here."""
        here = self.calendar
        stands = last.token in {None, here.token} and last.mode in {None, here.mode}
        healthy = not here.failures and here.last_error is None and here.retry_at is None
        tended = here.reconcile_due_at is not None and here.first_read_at is not None
        news = self._written or self._outdated or self._profile.suspect or tokens_off(here)
        return last.quiet and stands and healthy and tended and not news

    def _newer(self, page: Delta) -> Delta:
        """Return a page without versions from before a write of ours (F6)."""
        here = self.calendar.id
        older = {one.key for one in page.upserts if self._recent.outdates(here, one.key, one.etag)}
        if not older:
            return page
        self._outdated = True
        newer = tuple(one for one in page.upserts if one.key not in older)
        return replace(page, upserts=newer, present=page.present | older)

    def _note(self, page: Delta) -> None:
        """Keep what the pages said of each key last (P4)."""
        here = page.named
        self._named |= here
        self._named -= page.deleted
        self._gone |= page.deleted
        self._gone -= here
        for key in (*page.deleted, *here) if self._later else ():
            self._later.pop(key, None)

    async def _take(self, page: Delta) -> None:
        """Record what a page brings; deletes, and what may have moved, wait for the last one."""
        upserts = {one.key: one for one in page.upserts}
        for some in _batches(list(upserts.values())):
            if await self._is_first(some):
                await self._write(Delta(upserts=tuple(some)), {}, first=True)
                continue
            seen = await self._store.seen(self.calendar.id, [one.key for one in some])
            twins = await self._twins([one for one in some if one.key not in seen])
            self._later |= {one.key: one for one in some if one.key in twins}
            now = tuple(one for one in some if one.key not in twins)
            await self._write(Delta(upserts=now), seen)
        if page.unread:
            await self._write(Delta(unread=page.unread), {})

    async def _is_first(self, some: Sequence[Resource]) -> bool:
        """Tell without a look at each that the snapshot holds nothing these could be, or touch.

        It was empty when this began, and has none of these since. Who writes meanwhile moves its
        revision, and nothing of this is recorded (I5).
        """
        if self._began_empty is None:
            never = self.calendar.first_read_at is None
            self._began_empty = never and not await self._store.etags(self.calendar.id)
        if not self._began_empty or self._gone:
            return False
        keys = {one.key for one in some}
        first = self._recorded.isdisjoint(keys)
        self._recorded |= keys
        return first

    async def _twins(self, new: Sequence[Resource]) -> Mapping[ResourceKey, KnownResource]:
        """Return known resources that new ones may have been: same UID, not named so far (P7)."""
        uids = {one.uid for one in new if one.uid}
        if not uids:
            return {}
        found = await self._store.seen_uids(self.calendar.id, uids)
        free = {one.uid: one for one in found if one.key not in self._named}
        return {one.key: free[one.uid] for one in new if one.uid in free}

    async def _finish(self, last: Delta) -> None:
        gone = set(self._gone)
        held = await self._held(last)
        still = tuple(one for one in held if one.key not in self._named | self._gone)
        absent, total = set[ResourceKey](), 0
        if last.complete and not self._began_empty:  # else all that it holds has been named
            etags = await self._store.etags(self.calendar.id)
            absent, total = set(etags) - self._named - gone, len(etags)
        moved = await self._settle_later(gone | absent)
        absent -= moved
        if last.complete:
            terms = self._terms
            verdict = judge(absent, total, held, now=terms.at, interval=terms.interval)
            young = {key for key in absent if self._recent.made(self.calendar.id, key)}
            self._outdated = self._outdated or bool(young)
            gone |= verdict.gone - young  # which may not be listed yet (F5)
            still = verdict.held
        await self._delete(sorted(gone - moved))
        self.suspect = bool(still)
        await self._close(last, None if still == held else still)

    async def _held(self, last: Delta) -> tuple[Absence, ...]:
        """Return what is held absent; a quiet look at a healthy profile need not ask for it."""
        if not (last.complete or self._named or self._gone or self._profile.suspect):
            return ()
        return tuple(await self._store.absences(self.calendar.id))

    async def _settle_later(self, free: AbstractSet[ResourceKey]) -> AbstractSet[ResourceKey]:
        """Record what was put off; return the old keys of what has moved (P7)."""
        moved = set[ResourceKey]()
        for some in _batches(list(self._later.values())):
            twins = await self._twins(some)
            former = {
                twins[one.key].key: twins[one.key]
                for one in some
                if one.key in twins and twins[one.key].key in free - moved
            }
            page = Delta(upserts=tuple(some), deleted=frozenset(former))
            await self._write(page, former)
            moved |= former.keys()
        return moved

    async def _delete(self, keys: Sequence[ResourceKey]) -> None:
        for start in range(0, len(keys), BATCH):
            some = keys[start : start + BATCH]
            seen = await self._store.seen(self.calendar.id, some)
            await self._write(Delta(deleted=frozenset(some)), seen)

    async def _close(self, last: Delta, absences: tuple[Absence, ...] | None) -> None:
        """Write the calendar's own row with the token, unless nothing of it is news."""
        before, terms = self.calendar, self._terms
        off = tokens_off(before)
        due = before.reconcile_due_at
        after = replace(
            before,
            token=None if off else last.token if last.token or last.complete else before.token,
            mode=Mode.LISTING if off else last.mode or before.mode,
            first_read_at=before.first_read_at or (terms.at if last.complete else None),
            failures=0,
            retry_at=None,
            last_error=None,
        )
        healed = await self._absent_faults() if last.complete else ()
        change = Change(absences=absences, healed=healed)
        listed = last.complete and (due is None or due <= terms.at or self.suspect)
        news = self._written or listed or last.reconcile or self._outdated
        if after == before and change.empty and not news:
            return
        if self._outdated:  # unless it was no index that is behind: somebody took our write back
            due = terms.at + LASTS
        elif last.reconcile:
            due = terms.at
        elif self.suspect:
            due = terms.at + terms.interval
        elif last.complete or due is None:
            due = terms.reconcile_at()
        after = replace(
            after,
            polled_at=terms.at,
            reconciled_at=terms.at if last.complete else before.reconciled_at,
            reconcile_due_at=due,
        )
        await self._record(after, change)

    async def _absent_faults(self) -> tuple[ResourceKey, ...]:
        """Return bodies that could not be understood and that a complete listing misses."""
        faults = await self._store.faults(self._profile.id)
        mine = {fault.key for calendar, fault in faults if calendar == self.calendar.id}
        return tuple(sorted(mine - self._named))

    async def _write(
        self, page: Delta, known: Mapping[ResourceKey, KnownResource], *, first: bool = False
    ) -> None:
        change = await meaning(
            self._store,
            self.calendar,
            page,
            known,
            at=self._terms.at,
            initial=self._profile.first_read,
            first=first,
        )
        if change.empty:
            return
        owners = {one.id: key for key, kept in known.items() for one in kept.events.values()}
        owners |= {one.id: one.key for one in change.events}
        self.changed |= {owners[EventId(one.object_id)] for one in change.records}
        await self._record(self.calendar, change)

    async def _record(self, calendar: KnownCalendar, change: Change) -> None:
        self.calendar = await self._store.record(
            calendar, change, generation=self._profile.generation
        )
        self._written = True
        self.told += len(change.records)
        if change.records:
            self._hub.wake(self._profile.id)


def _batches(resources: Sequence[Resource]) -> Iterator[Sequence[Resource]]:
    """Cut so that a transaction has at most ``BATCH`` events; a resource is never split."""
    some, events = list[Resource](), 0
    for resource in resources:
        if some and events + len(resource.objects) > BATCH:
            yield some
            some, events = [], 0
        some.append(resource)
        events += len(resource.objects)
    if some:
        yield some
