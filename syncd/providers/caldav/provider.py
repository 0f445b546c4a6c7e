"""One CalDAV profile behind the provider port (RFC 4791, RFC 6578)."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from yarl import URL

from syncd.model.calendar import Calendar, Holds
from syncd.model.edit import CalendarEdit, EventEdit
from syncd.model.errors import (
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    SyncTokenExpiredError,
)
from syncd.model.ids import CalendarKey, ResourceKey, Slot, SyncToken
from syncd.model.resource import RawResource
from syncd.ports.clock import Clock
from syncd.ports.delta import Delta
from syncd.ports.passing import Passed, PassedAnswer, Passing
from syncd.ports.provider import Known
from syncd.ports.pushing import Pushing
from syncd.ports.rooms import Rooms
from syncd.ports.writing import Writing, Wrote, WroteCalendar
from syncd.providers.answers import AbsentError
from syncd.providers.caldav import wire
from syncd.providers.caldav.calendar_writing import CalendarWriting
from syncd.providers.caldav.changes import CalendarReader
from syncd.providers.caldav.client import SLOW, Ask, CalDavClient, below
from syncd.providers.caldav.shelf import Shelf
from syncd.providers.caldav.state import State, read_state
from syncd.providers.caldav.translate import (
    address_books,
    address_of,
    calendar_key,
    calendars,
    facts_of,
    is_calendar,
)
from syncd.providers.caldav.writing import EventWriting
from syncd.providers.origins import origin_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where sign-in found what: ``inbox`` may name the primary calendar.

    Profiles from before it was kept have no ``principal``.
    """

    homes: Sequence[URL]
    inbox: URL | None
    principal: URL | None
    shelf: Shelf


class CalDavProvider(Writing, Rooms, Passing, Pushing):
    """One sign-in."""

    def __init__(self, client: CalDavClient, clock: Clock, places: Places) -> None:
        """Ask through ``client``; the keys of calendars count from the first home."""
        self._client = client
        self._clock = clock
        self._homes = places.homes
        self._inbox = places.inbox
        self._shelf = places.shelf
        self._ctags = dict[CalendarKey, str]()
        self._found = dict[URL, Sequence[wire.Collection]]()
        self._books = dict[CalendarKey, wire.Collection]()

    async def calendars(self) -> Sequence[Calendar]:
        """Return every calendar of the homes (D4); raises NotFoundError if a home is gone."""
        found, default = list[wire.Collection](), None
        for home in self._homes:
            found += await self._collections(home)
        for one in found:
            default = default or one.default_calendar
            if is_calendar(one):
                key = calendar_key(one.href, self._base)
                self._learn(key, one)
        if default is None and self._inbox is not None and len(found) > 1:
            default = await self._default(self._inbox)
        return calendars(found, self._base, default)

    async def address_books(self) -> Sequence[Calendar]:
        """Return every address book (D26); a home of calendars too is not asked twice."""
        listed = list[Calendar]()
        for home in await self._shelf.homes():
            found = self._found.get(home) or await self._collections(home)
            there = [replace(one, href=address_of(one.href, str(home))) for one in found]
            told = {calendar_key(one.href, self._base): one for one in there}
            listed += address_books(there, self._base)
            self._books |= {book.key: told[book.key] for book in listed if book.key in told}
        for book in listed:
            one = self._books[book.key]
            self._learn(book.key, one)
            if one.ctag is not None and one.sync_token is None:
                self._ctags[book.key] = one.ctag
        return listed

    async def moved(self, known: Mapping[CalendarKey, SyncToken | None]) -> frozenset[CalendarKey]:
        """Ask the homes at once from two calendars on (D6); unsettled ones count as moved (D13)."""
        if known.keys() <= self._books.keys():  # they were listed in this very poll
            return frozenset(
                key for key, token in known.items() if self._has_moved(token, self._books[key])
            )
        slow = any(self._client.quirks(home).home_slow for home in self._homes)
        if len(known) < 2 or slow:  # noqa: PLR2004 - one calendar's report is one request too
            return frozenset(known)
        listed = await self._listed()
        return frozenset(
            key for key, token in known.items() if self._has_moved(token, listed.get(key))
        )

    def changes(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        """Yield what changed, or a complete listing (D8-D14)."""
        return self._read(Holds.EVENTS, calendar, token, known)

    def contacts(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        """Yield what changed in an address book, or a complete listing (D26)."""
        return self._read(Holds.CONTACTS, calendar, token, known)

    def _read(
        self, holds: Holds, key: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        reader = CalendarReader(
            *(self._client, self._clock, key, self._url(key)),
            ctag=self._ctags.pop(key, None),
            holds=holds,
        )
        if token is None:
            return reader.everything(known)
        return reader.since(read_state(token), known)

    def _learn(self, key: CalendarKey, found: wire.Collection) -> None:
        quirks, now = self._client.quirks(self._url(key)), self._clock.monotonic()
        quirks.learn(key, facts_of(found), now=now)

    async def _collections(self, home: URL) -> Sequence[wire.Collection]:
        ask = Ask(method="PROPFIND", url=home, body=wire.COLLECTIONS, depth="1")
        answer = await self._client.multistatus(ask, wire.collection)
        if not answer.items:
            raise MalformedReplyError("the answer does not name the home of the collections")
        self._found[home] = answer.items
        return answer.items

    async def create_event(self, calendar: CalendarKey, edit: EventEdit, *, name: str) -> Wrote:
        """PUT a new resource (D17)."""
        return await (await self._writing(calendar)).create(edit, name)

    async def update_event(
        self, calendar: CalendarKey, before: RawResource, slot: Slot, edit: EventEdit
    ) -> Wrote:
        """PUT the whole resource with the event changed (D19)."""
        return await (await self._writing(calendar)).update(before, slot, edit)

    async def delete_event(self, calendar: CalendarKey, before: RawResource, slot: Slot) -> Wrote:
        """DELETE the resource, or PUT it without the occurrence."""
        return await (await self._writing(calendar)).delete(before, slot)

    async def resources(self, calendar: CalendarKey, keys: Collection[ResourceKey]) -> Delta:
        """Read some resources."""
        return await (await self._writing(calendar)).resources(keys)

    async def create_calendar(self, edit: CalendarEdit, *, name: str) -> WroteCalendar:
        """MKCALENDAR in the first home (D23)."""
        return await self._calendar_writing().create(edit, name)

    async def update_calendar(self, calendar: CalendarKey, edit: CalendarEdit) -> WroteCalendar:
        """PROPPATCH."""
        return await self._calendar_writing().update(calendar, edit)

    async def delete_calendar(self, calendar: CalendarKey) -> None:
        """DELETE the collection."""
        await self._calendar_writing().delete(calendar)

    async def _writing(self, calendar: CalendarKey) -> EventWriting:
        url = self._url(calendar)
        reader = CalendarReader(self._client, self._clock, calendar, url, ctag=None)
        zone = (await reader.facts()).zone
        return EventWriting(self._client, self._clock, url, zone)

    def _calendar_writing(self) -> CalendarWriting:
        return CalendarWriting(self._client, self._clock, self._homes[0], self.calendars)

    async def passed(self, asked: Passed) -> PassedAnswer:
        """Send a request to one of the profile's own servers."""
        try:
            url = below(self._homes[0], asked.uri)
            origin = origin_of(url)
        except ValueError:
            raise InvalidError(f"{asked.uri} is no address") from None
        if origin not in self._client.origins or url.user is not None:
            raise InvalidError(f"{asked.uri} is not an address of this profile's server")
        headers = {} if asked.content_type is None else {"Content-Type": asked.content_type}
        ask = Ask(method=asked.method, url=url, body=asked.body, headers=headers)
        return await self._client.passed(ask)

    @property
    def _base(self) -> str:
        return str(self._homes[0])

    def _url(self, calendar: CalendarKey) -> URL:
        return below(self._homes[0], calendar)

    async def _default(self, inbox: URL) -> str | None:
        """Return the href of the calendar that invitations go to (RFC 6638 §9.2)."""
        ask = Ask(method="PROPFIND", url=inbox, body=wire.INBOX, depth="0")
        try:
            answer = await self._client.multistatus(ask, wire.place)
        except (NotFoundError, ForbiddenError, AbsentError):
            return None
        return next((one.default_calendar for one in answer.items), None)

    async def _listed(self) -> Mapping[CalendarKey, wire.Entry]:
        listed = dict[CalendarKey, wire.Entry]()
        for home in self._homes:
            started = self._clock.monotonic()
            ask = Ask(method="PROPFIND", url=home, body=wire.MOVED, depth="1", timeout=SLOW)
            answer = await self._client.multistatus(ask, wire.entry)
            took = self._clock.monotonic() - started
            self._client.quirks(home).note_home(took, len(answer.items))
            listed |= {calendar_key(one.href, self._base): one for one in answer.items}
        self._ctags = {
            key: one.ctag
            for key, one in listed.items()
            if one.ctag is not None and one.sync_token is None
        }
        return listed

    def _has_moved(
        self, token: SyncToken | None, listed: wire.Entry | wire.Collection | None
    ) -> bool:
        if token is None or listed is None:
            return True
        try:
            state = read_state(token)
        except SyncTokenExpiredError:
            return True
        return _differs(state, listed) or (
            state.changed_at is not None and state.settled(self._clock.now())
        )


def _differs(state: State, listed: wire.Entry | wire.Collection) -> bool:
    """Tell whether a calendar stands elsewhere; what cannot be compared may have moved."""
    if state.sync is not None and listed.sync_token is not None:
        return state.sync != listed.sync_token
    return state.ctag is None or state.ctag != listed.ctag
