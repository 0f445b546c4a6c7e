"""One Google profile behind the provider port (Calendar API v3)."""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from syncd.model.calendar import Calendar
from syncd.model.edit import CalendarEdit, EventEdit
from syncd.model.errors import ForbiddenError, MalformedReplyError, NotFoundError
from syncd.model.ids import CalendarKey, ResourceKey, Slot, SyncToken
from syncd.model.resource import RawResource, Resource
from syncd.model.room import Room
from syncd.ports.delta import Delta
from syncd.ports.passing import Passed, PassedAnswer, Passing
from syncd.ports.provider import Contacts, Known
from syncd.ports.pushing import Granted, Pushing, Wish
from syncd.ports.rooms import RoomPage, Rooms, RoomWindow, Span
from syncd.ports.writing import Writing, Wrote, WroteCalendar
from syncd.providers.google import directory, free_busy, wire
from syncd.providers.google.calendar_writing import CalendarWriting
from syncd.providers.google.changes import EventReader
from syncd.providers.google.client import GoogleClient
from syncd.providers.google.people import BOOK, ContactReader
from syncd.providers.google.refusals import DisabledError
from syncd.providers.google.translate import BROKEN, calendar_of
from syncd.providers.google.watching import Watching
from syncd.providers.google.writing import EventWriting


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """One profile at each of Google's hosts (G14), None where the settings name none.

    Most polls ask only the first.
    """

    calendar: GoogleClient
    people: Callable[[], GoogleClient] | None
    directory: Callable[[], GoogleClient] | None


class GoogleProvider(Writing, Rooms, Contacts, Passing, Pushing):
    """One sign-in; ``palette`` keeps the colours of events for every profile."""

    def __init__(self, clients: Clients, palette: dict[str, str]) -> None:
        """Ask through ``clients``."""
        self._client = clients.calendar
        self._people = clients.people
        self._directory = clients.directory
        self._known_palette = palette

    async def calendars(self) -> Sequence[Calendar]:
        """Return the calendar list, but what the person has hidden (G5)."""
        try:
            return [calendar_of(entry) for entry in await wire.calendar_list(self._client)]
        except BROKEN as error:
            raise MalformedReplyError(f"Google's calendar list cannot be read: {error!r}") from None

    async def moved(self, known: Mapping[CalendarKey, SyncToken | None]) -> frozenset[CalendarKey]:
        """Return all: Google has no request that tells of several calendars."""
        return frozenset(known)

    def changes(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        """Yield what changed, or a complete listing."""
        reader = self._reader(calendar)
        return reader.everything() if token is None else reader.since(token, known)

    async def address_books(self) -> Sequence[Calendar]:
        """Return the one there is; whether the grant covers it is told when it is read (ADR 30)."""
        return () if self._people is None else (BOOK,)

    async def contacts(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        """Yield what changed of the contacts, or all; ForbiddenError without their scope."""
        if self._people is None or calendar != BOOK.key:
            raise NotFoundError(f"Google has no address book {calendar}")
        reader = ContactReader(self._people())
        with _optional():
            read = reader.everything() if token is None else reader.since(token, known)
            async for page in read:
                yield page

    async def rooms(self) -> Sequence[Room]:
        """Return what the domain can book.

        Raises ForbiddenError for who is no administrator of one, or has no scope for it (K33).
        """
        if self._directory is None:
            return ()
        try:
            with _optional():
                return await directory.rooms(self._directory())
        except NotFoundError as error:
            raise ForbiddenError("Google knows of no domain that this profile manages") from error

    async def room_events(self, room: CalendarKey, window: RoomWindow) -> AsyncIterator[RoomPage]:
        """Yield what a room's calendar holds now.

        Raises ForbiddenError where it is not shared with the profile, which Google answers 404.
        """
        try:
            async for page in self._reader(room).within(window):
                yield page
        except NotFoundError as error:
            why = "Google does not show the calendar of this room to this profile"
            raise ForbiddenError(why) from error

    async def room_busy(
        self, rooms: Sequence[CalendarKey], after: datetime, before: datetime
    ) -> Sequence[Span]:
        """Return when any of the rooms is taken; ForbiddenError where that is not shared."""
        try:
            return await free_busy.taken(self._client, rooms, after, before)
        except NotFoundError as error:
            raise ForbiddenError(f"Google tells no free time: {error}") from error

    async def create_event(self, calendar: CalendarKey, edit: EventEdit, *, name: str) -> Wrote:
        """Insert under an id of our own (G7)."""
        return await self._writing(calendar).create(edit, name)

    async def update_event(
        self, calendar: CalendarKey, before: RawResource, slot: Slot, edit: EventEdit
    ) -> Wrote:
        """Patch what the edit gives, if Google holds the version that we know (G8)."""
        return await self._writing(calendar).update(before, slot, edit)

    async def delete_event(self, calendar: CalendarKey, before: RawResource, slot: Slot) -> Wrote:
        """Delete an event, a series, or one instance of it."""
        return await self._writing(calendar).delete(before, slot)

    async def move_event(
        self, calendar: CalendarKey, before: RawResource, destination: CalendarKey
    ) -> Wrote:
        """Give an event to the owner of another calendar, who then is its organizer (K26)."""
        reader = self._reader(destination)
        return await self._writing(calendar).move(before, destination, reader)

    async def resources(self, calendar: CalendarKey, keys: Collection[ResourceKey]) -> Delta:
        """Read some events, series whole."""
        reader = self._reader(calendar)
        upserts, unread = list[Resource](), dict[ResourceKey, str]()
        for key in keys:
            page = await reader.resource(key)
            upserts += page.upserts
            unread |= page.unread
        gone = frozenset(keys) - {one.key for one in upserts} - unread.keys()
        if gone:
            await self._client.get("calendars", calendar)  # or is it all gone?
        return Delta(upserts=tuple(upserts), unread=unread, deleted=gone)

    async def create_calendar(self, edit: CalendarEdit, *, name: str) -> WroteCalendar:  # noqa: ARG002
        """Insert a calendar; Google takes no name of ours for it, so it is tried once."""
        return await CalendarWriting(self._client).create(edit)

    async def update_calendar(self, calendar: CalendarKey, edit: CalendarEdit) -> WroteCalendar:
        """Patch the calendar, and the profile's own entry of it."""
        return await CalendarWriting(self._client).update(calendar, edit)

    async def delete_calendar(self, calendar: CalendarKey) -> None:
        """Delete a calendar with its events."""
        await CalendarWriting(self._client).delete(calendar)

    async def keep_alive(self) -> None:
        """Have an access token that is younger than a day (G11)."""
        await self._client.keep_alive()

    async def open_channel(self, calendar: CalendarKey, wish: Wish) -> Granted:
        """Watch a calendar (G12)."""
        return await Watching(self._client).open(calendar, wish)

    async def close_channel(self, channel: str, remote: str) -> None:
        """Stop a channel."""
        await Watching(self._client).close(channel, remote)

    async def passed(self, asked: Passed) -> PassedAnswer:
        """Send a request below the API's host (K29)."""
        return await self._client.passed(asked)

    def _reader(self, calendar: CalendarKey) -> EventReader:
        return EventReader(self._client, calendar, self._palette)

    def _writing(self, calendar: CalendarKey) -> EventWriting:
        return EventWriting(self._client, calendar, self._reader(calendar), self._palette)

    async def _palette(self) -> Mapping[str, str]:
        """Return the colours that ``colorId`` names, read once."""
        if not self._known_palette:
            told = await self._client.get("colors")
            try:
                found = {one: color["background"] for one, color in told["event"].items()}
            except BROKEN as error:
                raise MalformedReplyError(f"Google's colours cannot be read: {error!r}") from None
            self._known_palette.update({one: str(color).upper() for one, color in found.items()})
        return self._known_palette


@contextmanager
def _optional() -> Iterator[None]:
    """Take an API that the operator never switched on for one that the profile may not use."""
    try:
        yield
    except DisabledError as error:
        raise ForbiddenError(str(error)) from error
