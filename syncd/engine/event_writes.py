"""Writing events: the provider first, then our record of what it answered (R13, R18, ADR 11)."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import orjson

from syncd.engine.browse import Browser
from syncd.engine.draft import EventDraft
from syncd.engine.moves import Moves
from syncd.engine.occurrences import ListedEvent
from syncd.engine.recorder import Recorder
from syncd.engine.settle import Scene, Settled, settle
from syncd.engine.upstream import signed_in, upstream
from syncd.engine.written import Written
from syncd.model.abilities import Abilities
from syncd.model.calendar import KnownCalendar
from syncd.model.content import event_of
from syncd.model.edit import UNSET, Reply
from syncd.model.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    PreconditionError,
    ReadOnlyError,
    UpstreamError,
)
from syncd.model.event import Answer, Person
from syncd.model.ids import (
    WHOLE,
    CalendarId,
    Cursor,
    EventId,
    ResourceKey,
    Slot,
    split_event_id,
)
from syncd.model.own import own_addresses, own_email
from syncd.model.profile import Profile
from syncd.model.resource import RawResource
from syncd.ports.delta import Delta
from syncd.ports.provider import Provider, Providers
from syncd.ports.store import Store
from syncd.ports.writing import Wrote

EventCheck = Callable[[ListedEvent, RawResource], bool]
"""Tells whether the event still is the version that the caller means (R18)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of a write, already recorded (R13). ``cursor`` is a position that the event reflects."""

    event: ListedEvent
    cursor: Cursor
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a write is about: the calendar's row, read first, then what the snapshot holds."""

    calendar: KnownCalendar
    event: ListedEvent
    resource: RawResource
    slot: Slot


class EventWrites:
    """Each method is one write from beginning to end; whoever calls sees that it is not cut."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a write touches
        self,
        store: Store,
        providers: Providers,
        browser: Browser,
        recorder: Recorder,
        moves: Moves,
        written: Written,
    ) -> None:
        """Write at ``providers`` and by ``recorder`` and ``moves``."""
        self._moves = moves
        self._written = written
        self._store = store
        self._providers = providers
        self._browser = browser
        self._recorder = recorder

    async def create(
        self, profile: Profile, calendar: CalendarId, draft: EventDraft, *, name: str
    ) -> Outcome:
        """Make an event."""
        known = writable(await self._store.calendar(calendar))
        settled = settle(draft, self._scene(profile, known))
        async with signed_in(self._providers, profile) as provider:
            try:
                async with upstream():
                    wrote = await provider.create_event(known.key, settled.edit, name=name)
            except NotFoundError as error:
                raise NotFoundError(f"there is no calendar {calendar}") from error
            await self._record(profile, known, wrote, provider, before=None)
        seen = await self._store.seen(known.id, [wrote.key])
        made = seen[wrote.key].events.get(wrote.slot) if wrote.key in seen else None
        if made is None:
            raise UpstreamError("the provider took the event and holds nothing that can be read")
        return await self._outcome(profile, known, made.id, settled.ignored | wrote.ignored)

    async def update(
        self,
        profile: Profile,
        calendar: CalendarId,
        event: EventId,
        draft: EventDraft,
        *,
        check: EventCheck | None,
    ) -> Outcome:
        """Change an event; what the provider holds by now is read once if it is another version."""
        target = await self._target(profile, calendar, event)
        writable(target.calendar)
        _hold(check, target)
        settled = self._settled(profile, target, draft)
        organizer = settled.edit.organizer
        if isinstance(organizer, Person) and self._abilities(profile).organizer_moves:
            return await self._give(profile, target, draft, organizer, check=check)
        if settled.empty:
            return await self._outcome(profile, target.calendar, event, settled.ignored)
        async with signed_in(self._providers, profile) as provider:
            try:
                wrote = await self._update(provider, target, settled)
            except NotFoundError:
                await self._refresh(profile, target, provider)
                raise
            except ConflictError as error:
                await self._refresh(profile, target, provider)
                target = await self._target(profile, calendar, event)
                if check is not None:
                    raise PreconditionError("the provider holds another version") from error
                settled = self._settled(profile, target, draft)
                wrote = await self._update(provider, target, settled)
            before = target.resource.etag
            await self._record(profile, target.calendar, wrote, provider, before=before)
        ignored = settled.ignored | wrote.ignored
        try:
            return await self._outcome(profile, target.calendar, event, ignored)
        except NotFoundError:
            reply = settled.edit.reply
            if reply is UNSET or reply.answer is not Answer.DECLINED:
                raise
            left = _declined(target.event, reply)  # who declines has it no more (MG13)
            return Outcome(event=left, cursor=await self._cursor(profile), ignored=ignored)

    async def _give(
        self,
        profile: Profile,
        target: Target,
        draft: EventDraft,
        organizer: Person,
        *,
        check: EventCheck | None,
    ) -> Outcome:
        """Change what else is given, then move the event to its new organizer's calendar (K26)."""
        event, here = target.event.id, target.calendar
        goal = await self._moves.destination(profile, organizer, here)
        if goal is not None and target.slot:
            raise InvalidError("an occurrence goes where its series goes", field="organizer")
        rest = replace(draft, organizer=UNSET)
        outcome = await self.update(profile, here.id, event, rest, check=check)
        if goal is None:
            return outcome
        target = await self._target(profile, here.id, event)
        async with signed_in(self._providers, profile) as provider:
            try:
                ignored = await self._moves.move(
                    profile, provider, target.resource, source=here, target=goal
                )
            except NotFoundError:
                await self._refresh(profile, target, provider)
                raise
        known = await self._store.seen(goal.id, [target.resource.key])
        for one in known.values():
            event = one.events[WHOLE].id  # its own, unless a poll of that calendar was faster
        return await self._outcome(profile, goal, event, outcome.ignored | ignored)

    async def delete(
        self,
        profile: Profile,
        calendar: CalendarId,
        event: EventId,
        *,
        check: EventCheck | None,
    ) -> Cursor:
        """Delete an event; one that went meanwhile is a success."""
        target = await self._target(profile, calendar, event)
        writable(target.calendar)
        _hold(check, target)
        async with signed_in(self._providers, profile) as provider:
            try:
                wrote = await self._delete(provider, target)
            except NotFoundError:
                await self._refresh(profile, target, provider)
                return await self._cursor(profile)
            except ConflictError as error:
                await self._refresh(profile, target, provider)
                try:
                    target = await self._target(profile, calendar, event)
                except NotFoundError:
                    return await self._cursor(profile)
                if check is not None:
                    raise PreconditionError("the provider holds another version") from error
                wrote = await self._delete(provider, target)
            before = target.resource.etag
            await self._record(profile, target.calendar, wrote, provider, before=before)
        return await self._cursor(profile)

    async def _target(self, profile: Profile, calendar: CalendarId, event: EventId) -> Target:
        """Read what is to be written, the revision first; raises NotFoundError."""
        known = await self._store.calendar(calendar)
        listed = await self._browser.event(profile.id, calendar, event)
        held = await self._store.raw(calendar, [listed.key])
        if listed.key not in held:
            raise NotFoundError(f"there is no event {event}")
        return Target(
            calendar=known,
            event=listed,
            resource=held[listed.key],
            slot=split_event_id(event)[1],
        )

    def _scene(self, profile: Profile, known: KnownCalendar) -> Scene:
        return Scene(
            abilities=self._abilities(profile),
            calendar_zone=known.calendar.timezone,
            own=own_addresses(profile),
            email=own_email(profile),
        )

    def _abilities(self, profile: Profile) -> Abilities:
        return self._providers.abilities(profile.provider)

    def _settled(self, profile: Profile, target: Target, draft: EventDraft) -> Settled:
        before = event_of(orjson.loads(target.event.document))
        scene = self._scene(profile, target.calendar)
        return settle(draft, replace(scene, before=before, occurrence=bool(target.slot)))

    async def _update(self, provider: Provider, target: Target, settled: Settled) -> Wrote:
        try:
            async with upstream():
                return await provider.update_event(
                    target.calendar.key, target.resource, target.slot, settled.edit
                )
        except NotFoundError as error:
            raise NotFoundError(f"there is no event {target.event.id}") from error

    async def _delete(self, provider: Provider, target: Target) -> Wrote:
        async with upstream():
            return await provider.delete_event(target.calendar.key, target.resource, target.slot)

    async def _record(
        self,
        profile: Profile,
        known: KnownCalendar,
        wrote: Wrote,
        provider: Provider,
        *,
        before: str | None,
    ) -> None:
        """Record what a write came to; ``before`` is the etag that it replaced."""
        for one in wrote.upserts:
            was = before if one.key == wrote.key else None
            self._written.note(known.id, one.key, before=was, after=one.etag)
        for key in wrote.deleted:
            self._written.note(known.id, key, before=before, after=None)
        keys = frozenset(one.key for one in wrote.upserts) | wrote.deleted
        page = Delta(upserts=wrote.upserts, deleted=wrote.deleted)
        await self._recorder.record(profile, known, page, _asking(provider, known, keys))

    async def _refresh(self, profile: Profile, target: Target, provider: Provider) -> None:
        """Record what the provider holds of a resource now; nothing if its calendar is gone."""
        known = await self._store.calendar(target.calendar.id)
        ask = _asking(provider, known, frozenset({target.resource.key}))
        with suppress(NotFoundError):
            await self._recorder.record(profile, known, await ask(), ask)

    async def _outcome(
        self, profile: Profile, known: KnownCalendar, event: EventId, ignored: frozenset[str]
    ) -> Outcome:
        cursor = await self._cursor(profile)  # first, so that the event is never behind it (R21)
        listed = await self._browser.event(profile.id, known.id, event)
        return Outcome(event=listed, cursor=cursor, ignored=ignored)

    async def _cursor(self, profile: Profile) -> Cursor:
        return (await self._store.stream(profile.id)).latest


def writable(known: KnownCalendar) -> KnownCalendar:
    """Return a calendar that takes writes; raises ReadOnlyError before anybody is asked."""
    if known.calendar.read_only:
        raise ReadOnlyError(f"calendar {known.id} is read-only")
    return known


def _declined(event: ListedEvent, reply: Reply) -> ListedEvent:
    """Return an event as it was last, with the answer that removed it."""
    document = orjson.loads(event.document)
    for person in document["attendees"]:
        if person["email"].casefold() == reply.email.casefold():
            person["status"] = reply.answer
    return replace(event, document=orjson.dumps(document))


def _hold(check: EventCheck | None, target: Target) -> None:
    if check is not None and not check(target.event, target.resource):
        raise PreconditionError("this is no longer the version that If-Match names")


def _asking(
    provider: Provider, known: KnownCalendar, keys: frozenset[ResourceKey]
) -> Callable[[], Awaitable[Delta]]:
    async def ask() -> Delta:
        async with upstream():
            return await provider.resources(known.key, keys)

    return ask
