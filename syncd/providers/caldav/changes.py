"""Reading one calendar: its change feed, its ctag, or a complete listing (D8-D14)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace

from yarl import URL

from syncd.model.calendar import Holds, Mode
from syncd.model.errors import ForbiddenError, MalformedReplyError, NotFoundError
from syncd.model.ids import CalendarKey, ResourceKey
from syncd.ports.clock import Clock
from syncd.ports.delta import Delta
from syncd.ports.provider import Known
from syncd.providers.answers import AbsentError, OversizeError
from syncd.providers.caldav import wire
from syncd.providers.caldav.bodies import Bodies
from syncd.providers.caldav.client import Ask, CalDavClient
from syncd.providers.caldav.listing import MOST_PARTS, Lister, Members, Part, aside
from syncd.providers.caldav.quirks import Facts
from syncd.providers.caldav.state import State
from syncd.providers.caldav.translate import facts_of

# what is said of sync-collection by who has none, whatever else is said of it (D14)
_REFUSED = (AbsentError, ForbiddenError, OversizeError)


class CalendarReader:
    """One calendar; ``ctag`` is what its home said of it in this poll, if it says no token.

    An address book is read in the same way (D26).
    """

    def __init__(  # noqa: PLR0913 - what a read touches
        self,
        client: CalDavClient,
        clock: Clock,
        key: CalendarKey,
        url: URL,
        *,
        ctag: str | None,
        holds: Holds = Holds.EVENTS,
    ) -> None:
        """Read ``key``, which is at ``url``."""
        self._client = client
        self._clock = clock
        self._key = key
        self._url = url
        self._ctag = ctag
        self._quirks = client.quirks(url)
        self._holds = holds
        self._lister = Lister(client, url, holds)

    def since(self, state: State, known: Known) -> AsyncIterator[Delta]:
        """Yield what changed, or a complete listing where the server cannot tell that."""
        if state.sync is None:
            # a server that told no ctag is not asked for one before each listing
            return self._by_ctag(state, known) if state.ctag else self.everything(known)
        return self._feed(state, state.sync, known)

    async def everything(self, known: Known, *, unmoved: str | None = None) -> AsyncIterator[Delta]:
        """Yield a complete listing, with the bodies of what differs from ``known`` (D10).

        One that still has the ``unmoved`` ctag is not looked at once more (D13).
        """
        at = self._clock.now()
        etags = await known.etags()
        part = await self._all(first=not etags)
        state = State(sync=part.token, ctag=part.ctag if part.token is None else self._ctag)
        if unmoved is None or part.ctag != unmoved:
            state = state.changed(at)
        async for page in self._listed(part.members, etags, state):
            yield page

    async def _all(self, *, first: bool) -> Part:
        """Return the listing; where syncing works, with a token that nothing is lost behind."""
        told = sync = (await self.facts()).sync
        if told and first:
            with suppress(*_REFUSED):
                return await self._lister.all_by_sync()
            sync = False
        listed = await self._lister.all_by_propfind()
        if told and not sync:  # it answers, but not to that report
            self._without_sync()
        if not sync:
            return replace(listed, token=None)
        if listed.token is not None:
            return listed
        with suppress(*_REFUSED):
            later = await self._lister.all_by_sync()
            return Part(members=listed.members | later.members, token=later.token)
        self._without_sync()
        return listed

    async def _by_ctag(self, state: State, known: Known) -> AsyncIterator[Delta]:
        at = self._clock.now()
        ctag = self._ctag or await self._lister.ctag()
        moved = ctag != state.ctag
        if not moved and (state.changed_at is None or not state.settled(at)):
            yield Delta(token=state.text(), mode=Mode.LISTING)
            return
        async for page in self.everything(known, unmoved=None if moved else ctag):
            yield page

    async def _feed(self, state: State, token: str, known: Known) -> AsyncIterator[Delta]:
        """Yield the change feed, part by part; the token comes with the last page (I1)."""
        at, doubt = self._clock.now(), Doubt(state, known)
        for _ in range(MOST_PARTS):
            part = await self._part(token, bodies=state.bodies is not False)
            if part is None:
                break
            token = part.token or ""
            if not part.more and part.says_nothing(after=state.echo) and not doubt.met:
                after = replace(state, sync=token, ctag=self._ctag).quiet(at)
                yield Delta(token=after.text(), mode=Mode.TOKEN)
                return
            etags = await doubt.meet(part)
            wanted, present = await aside(len(part.members), _split, part.members, etags)
            end = Delta(deleted=part.gone, present=present)
            if not part.more:
                after = State(sync=token, ctag=self._ctag, bodies=_came(part.members, state))
                after = replace(after, members=doubt.members, echo=part.echo()).changed(at)
                end = replace(end, token=after.text(), mode=Mode.TOKEN, reconcile=doubt.holds)
            async for page in _ended(await self._pages(wanted), end):
                yield page
            if not part.more:
                return
        await self._lister.check()  # or is all refused?
        self._without_sync()
        async for page in self.everything(known):
            yield page

    async def _part(self, token: str, *, bodies: bool) -> Part | None:
        """Return what changed since ``token``; None if the server has no end or no such report."""
        started = self._clock.monotonic()
        for with_bodies in (True, False) if bodies else (False,):
            with suppress(*_REFUSED):
                part = await self._lister.since(token, bodies=with_bodies)
                self._quirks.note_single(self._clock.monotonic() - started)
                return part
        return None

    async def _listed(
        self, members: Members, etags: Mapping[ResourceKey, str], state: State
    ) -> AsyncIterator[Delta]:
        """Yield a proven listing: bodies of what differs, at last what does not."""
        wanted, present = await aside(len(members), _split, members, etags)
        state = replace(state, members=len(members))
        end = Delta(
            present=present,
            complete=True,
            token=state.text(),
            mode=Mode.LISTING if state.sync is None else Mode.TOKEN,
        )
        async for page in _ended(await self._pages(wanted), end):
            yield page

    async def _pages(self, wanted: Members) -> AsyncIterator[Delta]:
        zone = (await self.facts()).zone if wanted else None
        return Bodies(self._client, self._url, zone, self._holds).pages(wanted)

    async def facts(self) -> Facts:
        """Return what the calendar's properties say; asked for once in a process."""
        facts = self._quirks.facts.get(self._key)
        if facts is None:
            ask = Ask(method="PROPFIND", url=self._url, body=wire.COLLECTIONS, depth="0")
            answer = await self._client.multistatus(ask, wire.collection)
            if not answer.items:
                raise MalformedReplyError("the answer does not name the calendar")
            if answer.items[0].status is not None:
                raise NotFoundError("the calendar is gone")
            told = facts_of(answer.items[0])
            facts = self._quirks.learn(self._key, told, now=self._clock.monotonic())
        return facts

    def _without_sync(self) -> None:
        """Remember for a while that the calendar has no sync-collection, whatever it says."""
        self._quirks.refuse_sync(self._key, now=self._clock.monotonic())


class Doubt:
    """Whether a change feed tells everything instead of changes, as to an unknown token (D12)."""

    def __init__(self, state: State, known: Known) -> None:
        """Suspect nothing yet."""
        self.members = state.members
        self.holds = False
        self.met = False
        self._known = known
        self._etags: Mapping[ResourceKey, str] | None = None
        self._listed = set[ResourceKey]()
        self._tombstones = False

    async def meet(self, part: Part) -> Mapping[ResourceKey, str]:
        """Return the known etags if the feed is in doubt, else none: a look at them is dear."""
        self.met = True
        self._listed |= part.members.keys()
        self._tombstones = self._tombstones or bool(part.gone)
        self.members = max(0, self.members - len(part.gone))
        if self._tombstones or len(self._listed) * 2 <= self.members:
            self.holds = False
            return {}
        if self._etags is None:
            self._etags = await self._known.etags()
            self.members = len(self._etags)
        self.holds = len(self._listed & self._etags.keys()) * 2 > len(self._etags)
        return self._etags


def _split(
    members: Members, etags: Mapping[ResourceKey, str]
) -> tuple[Members, frozenset[ResourceKey]]:
    """Return what must be read, and what is as it was; without an etag everything must (P6)."""
    wanted = {
        key: one for key, one in members.items() if not one.etag or etags.get(key) != one.etag
    }
    return wanted, frozenset(members.keys() - wanted.keys())


def _came(members: Members, before: State) -> bool | None:
    """Tell whether bodies came with the changes; as before if there were none to come (D9)."""
    return any(one.body is not None for one in members.values()) if members else before.bodies


async def _ended(pages: AsyncIterator[Delta], end: Delta) -> AsyncIterator[Delta]:
    """Yield the pages; the last of them, or one of its own, also says what ``end`` says."""
    held: Delta | None = None
    async for page in pages:
        if held is not None:
            yield held
        held = page
    yield end if held is None else replace(end, upserts=held.upserts, unread=held.unread)
