"""One mailbox behind the provider port (Microsoft Graph v1.0)."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from syncd.model.calendar import Calendar
from syncd.model.edit import CalendarEdit, EventEdit
from syncd.model.errors import ForbiddenError, MalformedReplyError
from syncd.model.ids import CalendarKey, ResourceKey, Slot, SyncToken
from syncd.model.resource import RawResource, Resource
from syncd.model.room import Room
from syncd.ports.delta import Delta
from syncd.ports.passing import Passed, PassedAnswer, Passing
from syncd.ports.provider import Contacts, Known
from syncd.ports.pushing import Granted, Pushing, Wish
from syncd.ports.rooms import RoomPage, Rooms, RoomWindow, Span
from syncd.ports.writing import Writing, Wrote, WroteCalendar
from syncd.providers.graph import schedules, wire
from syncd.providers.graph.calendar_writing import CalendarWriting
from syncd.providers.graph.changes import EventReader
from syncd.providers.graph.client import Ask, GraphClient
from syncd.providers.graph.colors import palette_of
from syncd.providers.graph.contacts import ContactReader
from syncd.providers.graph.room_calendar import RoomReader
from syncd.providers.graph.rooms import rooms
from syncd.providers.graph.shelf import Shelf
from syncd.providers.graph.subscribing import Subscribing
from syncd.providers.graph.translate import BROKEN
from syncd.providers.graph.writing import EventWriting

_CATEGORIES = ("me", "outlook", "masterCategories")


class GraphProvider(Writing, Rooms, Contacts, Passing, Pushing):
    """One sign-in of the person with the addresses ``own``; ``consumer`` at Outlook.com."""

    def __init__(
        self,
        client: GraphClient,
        *,
        own: AbstractSet[str],
        consumer: bool,
        now: Callable[[], datetime],
        shelf: Shelf,
    ) -> None:
        """Ask through ``client``."""
        self._client = client
        self._shelf = shelf
        self._own = own
        self._consumer = consumer
        self._now = now
        self._categories: dict[str, str] | None = None

    async def calendars(self) -> Sequence[Calendar]:
        """Return every calendar of the mailbox."""
        return await wire.calendar_list(self._client)

    async def moved(self, known: Mapping[CalendarKey, SyncToken | None]) -> frozenset[CalendarKey]:
        """Return all: Graph has no request that tells of several calendars."""
        return frozenset(known)

    def changes(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        """Yield what changed, or a complete listing."""
        reader = self._reader(calendar)
        return reader.everything(known) if token is None else reader.since(token, known)

    async def address_books(self) -> Sequence[Calendar]:
        """Return every folder of contacts; ForbiddenError without their scope (ADR 30)."""
        return await self._shelf.folders(self._client)

    def contacts(
        self,
        calendar: CalendarKey,
        token: SyncToken | None,
        known: Known,  # noqa: ARG002 - the port's
    ) -> AsyncIterator[Delta]:
        """Yield what changed in a folder, or all that is in it."""
        reader = ContactReader(self._client, calendar, self._now)
        return reader.everything() if token is None else reader.since(token)

    async def rooms(self) -> Sequence[Room]:
        """Return the rooms of the tenant; a consumer has none (MG18)."""
        return () if self._consumer else await rooms(self._client)

    def room_events(self, room: CalendarKey, window: RoomWindow) -> AsyncIterator[RoomPage]:
        """Yield what a room's calendar holds now; ForbiddenError where that is not shown."""
        return RoomReader(self._client, room).within(window)

    async def room_busy(
        self, rooms: Sequence[CalendarKey], after: datetime, before: datetime
    ) -> Sequence[Span]:
        """Return when any of the rooms is taken; ForbiddenError where that is not shown."""
        return await schedules.taken(self._client, rooms, after, before)

    async def create_event(self, calendar: CalendarKey, edit: EventEdit, *, name: str) -> Wrote:
        """Make an event in a transaction of our own (P11)."""
        return await self._writing(calendar).create(edit, name)

    async def update_event(
        self, calendar: CalendarKey, before: RawResource, slot: Slot, edit: EventEdit
    ) -> Wrote:
        """Patch what the edit gives, if Graph holds the version that we know."""
        return await self._writing(calendar).update(before, slot, edit)

    async def delete_event(self, calendar: CalendarKey, before: RawResource, slot: Slot) -> Wrote:
        """Delete an event, a series, or one occurrence of it."""
        return await self._writing(calendar).delete(before, slot)

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
            await self._client.read(Ask(path=(*wire.CALENDARS, calendar)))  # or is it all gone?
        return Delta(upserts=tuple(upserts), unread=unread, deleted=gone)

    async def create_calendar(self, edit: CalendarEdit, *, name: str) -> WroteCalendar:  # noqa: ARG002
        """Make a calendar; Graph takes no name of ours for it, so it is tried once."""
        return await CalendarWriting(self._client, paints=self._consumer).create(edit)

    async def update_calendar(self, calendar: CalendarKey, edit: CalendarEdit) -> WroteCalendar:
        """Change a calendar."""
        return await CalendarWriting(self._client, paints=self._consumer).update(calendar, edit)

    async def delete_calendar(self, calendar: CalendarKey) -> None:
        """Delete a calendar with its events; the first one cannot be (MG17)."""
        await CalendarWriting(self._client, paints=self._consumer).delete(calendar)

    async def keep_alive(self) -> None:
        """Have an access token that is younger than a day (F26)."""
        await self._client.keep_alive()

    async def open_channel(self, calendar: CalendarKey, wish: Wish) -> Granted:
        """Subscribe to a calendar (MG16)."""
        return await Subscribing(self._client, self._now).open(calendar, wish)

    async def extend_channel(self, channel: str, remote: str) -> Granted:  # noqa: ARG002 - theirs do
        """Renew a subscription."""
        return await Subscribing(self._client, self._now).extend(remote)

    async def close_channel(self, channel: str, remote: str) -> None:  # noqa: ARG002 - theirs does
        """Delete a subscription."""
        await Subscribing(self._client, self._now).close(remote)

    async def passed(self, asked: Passed) -> PassedAnswer:
        """Send a request below the API's host (K29)."""
        return await self._client.passed(asked)

    def _reader(self, calendar: CalendarKey) -> EventReader:
        return EventReader(self._client, calendar, self._palette, own=self._own, now=self._now)

    def _writing(self, calendar: CalendarKey) -> EventWriting:
        return EventWriting(self._client, calendar, self._reader(calendar), self._palette)

    async def _palette(self) -> Mapping[str, str]:
        """Return the colours of the mailbox' categories, none where we may not ask for them."""
        if self._categories is None:
            found = dict[str, str]()
            try:
                async for page in self._client.pages(Ask(path=_CATEGORIES, query={"$top": "100"})):
                    found |= palette_of(page["value"])
            except ForbiddenError:  # that needs MailboxSettings.Read
                found = {}
            except BROKEN as error:
                raise MalformedReplyError(f"the categories cannot be read: {error!r}") from None
            self._categories = found
        return self._categories
