"""A provider made of Python values: a ground truth, a change log, and faults on request."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from syncd.model.abilities import Abilities
from syncd.model.calendar import Calendar, Holds, Mode
from syncd.model.errors import NotFoundError, SyncTokenExpiredError
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from syncd.model.profile import Profile
from syncd.model.resource import Resource
from syncd.model.room import Room
from syncd.ports.delta import Delta
from syncd.ports.passing import Passed, PassedAnswer, Passing, sent_along
from syncd.ports.provider import Contacts, Known
from syncd.ports.rooms import RoomPage, Rooms, RoomWindow, Span
from tests.fakes.calendars import FakeCalendar, Faults, etags
from tests.fakes.pushing import Callers, FakePushing
from tests.fakes.writing import FakeWriting

__all__ = ["FakeCalendar", "FakeProvider", "FakeServer", "Faults"]


class FakeServer:
    """The provider's side. ``looks`` counts what it was asked."""

    def __init__(self, *, page_size: int = 100) -> None:
        self.calendars = dict[CalendarKey, FakeCalendar]()
        self.books = dict[CalendarKey, FakeCalendar]()
        self.faults = Faults()
        self.page_size = page_size
        self.lists = 0
        self.reads = list[SyncToken | None]()
        self.writes = 0
        self.rereads = 0
        self.settings = dict[str, str]()
        self.can = Abilities()
        self.callers = Callers()
        self.rooms: Sequence[Room] = ()
        self.held = dict[CalendarKey, list[Resource]]()  # by rooms, in the order of their starts
        self.room_reads = list[RoomWindow]()
        self.taken = dict[CalendarKey, list[Span]]()  # when rooms are
        self.busy_reads = list[tuple[tuple[CalendarKey, ...], datetime, datetime]]()
        self.room_pages = 0
        self.room_lists = 0
        self.passed = list[tuple[Passed, dict[str, str]]]()
        self.answer: PassedAnswer | Exception = PassedAnswer(
            status=200, body=b"<x/>", content_type="text/xml"
        )

    def add(self, key: str, name: str = "Work", **fields: object) -> FakeCalendar:
        """Make a calendar."""
        plain = Calendar(key=CalendarKey(key), name=name, timezone="Europe/Berlin")
        made = FakeCalendar(replace(plain, **fields))  # type: ignore[arg-type]
        self.calendars[made.calendar.key] = made
        return made

    def add_book(self, key: str, name: str = "People") -> FakeCalendar:
        """Make an address book."""
        made = FakeCalendar(Calendar(key=CalendarKey(key), name=name, holds=Holds.CONTACTS))
        self.books[made.calendar.key] = made
        return made

    @asynccontextmanager
    async def open(self, profile: Profile) -> AsyncIterator["FakeProvider"]:
        """Sign in; the server is its own ``Providers``."""
        assert profile.refused is None
        assert not profile.removed
        if self.faults.opening:
            raise self.faults.opening
        yield FakeProvider(self)

    def abilities(self, provider: str) -> Abilities:
        """Say that everything can be stored, until a test says else."""
        assert provider
        return self.can


class FakeProvider(FakeWriting, FakePushing, Rooms, Contacts, Passing):
    """One look at the server."""

    def __init__(self, server: FakeServer) -> None:
        FakeWriting.__init__(self, server)
        FakePushing.__init__(self, server)
        self._server = server

    async def rooms(self) -> Sequence[Room]:
        self._server.room_lists += 1
        if self._server.faults.listing:
            raise self._server.faults.listing
        return self._server.rooms

    async def room_events(self, room: CalendarKey, window: RoomWindow) -> AsyncIterator[RoomPage]:
        """Show everything, whatever the window: the port allows more than was asked for."""
        server, size = self._server, self._server.page_size
        server.room_reads.append(window)
        if server.faults.reading:
            raise server.faults.reading
        plain = [
            one
            for one in server.held.get(room, [])
            if not (window.instances and any(event.recurrence for event in one.events))
        ]
        for start in range(0, len(plain) or 1, size):
            server.room_pages += 1
            some = plain[start : start + size]
            unread = {one.key: "odd" for one in some if one.key in server.faults.unread}
            told = tuple(one for one in some if one.key not in unread)
            yield RoomPage(resources=told, unread=unread, timezone="Europe/Berlin", ordered=True)

    async def room_busy(
        self, rooms: Sequence[CalendarKey], after: datetime, before: datetime
    ) -> Sequence[Span]:
        """Tell of everything, whatever the window: the port allows more than was asked for."""
        server = self._server
        server.busy_reads.append((tuple(rooms), after, before))
        if server.faults.reading:
            raise server.faults.reading
        return [one for room in rooms for one in server.taken.get(room, ())]

    async def passed(self, asked: Passed) -> PassedAnswer:
        self._server.passed.append((asked, dict(sent_along())))
        if isinstance(self._server.answer, Exception):
            raise self._server.answer
        return self._server.answer

    async def calendars(self) -> Sequence[Calendar]:
        server = self._server
        server.lists += 1
        if server.faults.listing:
            raise server.faults.listing
        hidden = server.faults.hidden
        return [one.calendar for key, one in server.calendars.items() if key not in hidden]

    async def address_books(self) -> Sequence[Calendar]:
        server = self._server
        if server.faults.books:
            raise server.faults.books
        return [
            one.calendar for key, one in server.books.items() if key not in server.faults.hidden
        ]

    def contacts(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        return self._changes(self._server.books, calendar, token, known)

    async def moved(self, known: Mapping[CalendarKey, SyncToken | None]) -> frozenset[CalendarKey]:
        calendars = self._server.calendars | self._server.books
        return frozenset(
            key
            for key, token in known.items()
            if key not in calendars or token != calendars[key].token
        )

    def changes(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        if self._server.faults.no_tokens:
            token = None  # all that a listing says is what is there
        return self._changes(self._server.calendars, calendar, token, known)

    async def _changes(
        self,
        where: Mapping[CalendarKey, FakeCalendar],
        calendar: CalendarKey,
        token: SyncToken | None,
        known: Known,
    ) -> AsyncIterator[Delta]:
        server, faults = self._server, self._server.faults
        server.reads.append(token)
        if faults.reading:
            raise faults.reading
        if token is not None and faults.feeding:
            raise faults.feeding
        if calendar not in where or calendar in faults.hidden:
            raise NotFoundError("no such calendar")
        if token is not None and faults.expired:
            raise SyncTokenExpiredError("this token is too old")
        here = where[calendar]
        held = {} if faults.restless else await known.etags()
        pages = list(self._listing(here, held) if token is None else self._feed(here, token))
        last, end = len(pages) - 1, here.token
        if faults.looking:
            await faults.looking()
        for number, page in enumerate(pages):
            if faults.broken_after is not None and number >= faults.broken_after:
                assert faults.breaking
                raise faults.breaking
            if token is not None and faults.expires_after == number:
                raise SyncTokenExpiredError("this token died while it was read")
            if number < last:
                yield page
        mode = Mode.LISTING if faults.no_tokens else Mode.TOKEN
        told = None if faults.no_tokens else end
        yield replace(pages[-1], token=told, mode=mode, complete=token is None)

    def _listing(self, here: FakeCalendar, held: Mapping[ResourceKey, str]) -> Iterator[Delta]:
        keys = [] if self._server.faults.empty else sorted(here.resources)
        yield from self._pages(here, keys, held)

    def _feed(self, here: FakeCalendar, token: SyncToken) -> Iterator[Delta]:
        keys = here.since(token)
        yield from self._pages(here, keys[::2] if self._server.faults.lossy else keys, {})

    def _pages(
        self, here: FakeCalendar, keys: Sequence[ResourceKey], held: Mapping[ResourceKey, str]
    ) -> Iterator[Delta]:
        faults, size = self._server.faults, self._server.page_size
        for start in range(0, len(keys) or 1, size):
            some = keys[start : start + size]
            there = [here.resources[key] for key in some if key in here.resources]
            unread = {one.key: "not a calendar" for one in there if one.key in faults.unread}
            read = [one for one in there if one.key not in unread]
            same = {one.key for one in read if held.get(one.key) == one.etag}
            yield Delta(
                upserts=tuple(self._body(one) for one in read if one.key not in same),
                deleted=frozenset(key for key in some if key not in here.resources),
                unread=unread,
                present=frozenset(same),
            )

    def _body(self, one: Resource) -> Resource:
        if self._server.faults.restless:
            one = replace(one, etag=f'"{next(etags)}"')
        if one.key in self._server.faults.partly:
            return replace(one, events=one.events[:-1], faults=("line 7 is broken",))
        return one
