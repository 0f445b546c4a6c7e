"""One profile at an Exchange server behind the provider port."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from syncd.model.calendar import Calendar
from syncd.model.edit import CalendarEdit, EventEdit
from syncd.model.ids import CalendarKey, ResourceKey, Slot, SyncToken
from syncd.model.resource import RawResource
from syncd.model.room import Room
from syncd.ports.delta import Delta
from syncd.ports.passing import Passing
from syncd.ports.provider import Contacts, Known
from syncd.ports.pushing import Pushing
from syncd.ports.rooms import Rooms
from syncd.ports.writing import Writing, Wrote, WroteCalendar
from syncd.providers.ews import calendar_writing, folders
from syncd.providers.ews.changes import EventReader
from syncd.providers.ews.client import EwsClient
from syncd.providers.ews.contacts import ContactReader
from syncd.providers.ews.payloads import ItemId
from syncd.providers.ews.rooms import rooms
from syncd.providers.ews.writing import EventWriting


class EwsProvider(Writing, Rooms, Contacts, Passing, Pushing):
    """One sign-in; ``own`` and ``zone`` are the mailbox's address and Windows zone."""

    def __init__(self, client: EwsClient, own: str, zone: str) -> None:
        """Ask through ``client``."""
        self._client = client
        self._own = own
        self._zone = zone

    async def calendars(self) -> Sequence[Calendar]:
        """Return the calendars of the mailbox (E10)."""
        return await folders.calendars(self._client)

    async def address_books(self) -> Sequence[Calendar]:
        """Return the mailbox's contacts."""
        return [await folders.address_book(self._client)]

    async def moved(self, known: Mapping[CalendarKey, SyncToken | None]) -> frozenset[CalendarKey]:
        """Return all: Exchange has no request that tells of several calendars."""
        return frozenset(known)

    def changes(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        """Yield what changed, or a complete listing."""
        reader = self._reader(calendar)
        return reader.everything(known) if token is None else reader.since(token)

    def contacts(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        """Yield what changed of the contacts, or all of them."""
        return ContactReader(self._client, calendar).pages(token, known)

    async def keep_alive(self) -> None:
        """Have an access token that is younger than a day, where such sign in (F26)."""
        await self._client.keep_alive()

    async def rooms(self) -> Sequence[Room]:
        """Return the rooms of all room lists."""
        return await rooms(self._client)

    async def create_event(self, calendar: CalendarKey, edit: EventEdit, *, name: str) -> Wrote:
        """Make an event that bears our name (P11)."""
        return await self._writing(calendar).create(edit, name)

    async def update_event(
        self, calendar: CalendarKey, before: RawResource, slot: Slot, edit: EventEdit
    ) -> Wrote:
        """Change what the edit gives, if Exchange holds the version that we know (E7)."""
        return await self._writing(calendar).update(before, slot, edit)

    async def delete_event(self, calendar: CalendarKey, before: RawResource, slot: Slot) -> Wrote:
        """Delete an event, a series, or one occurrence of it."""
        return await self._writing(calendar).delete(before, slot)

    async def resources(self, calendar: CalendarKey, keys: Collection[ResourceKey]) -> Delta:
        """Read some events, series whole."""
        page = await self._reader(calendar).resources([ItemId(id=key) for key in keys])
        if page.deleted:
            await self._client.folder_is_there(calendar)  # or is it all gone?
        return page

    async def create_calendar(self, edit: CalendarEdit, *, name: str) -> WroteCalendar:  # noqa: ARG002
        """Make a calendar; Exchange takes no name of ours for it, so it is tried once."""
        return await calendar_writing.create(self._client, edit)

    async def delete_calendar(self, calendar: CalendarKey) -> None:
        """Delete a calendar with its events."""
        await calendar_writing.delete(self._client, calendar)

    def _reader(self, calendar: CalendarKey) -> EventReader:
        return EventReader(self._client, calendar, self._own)

    def _writing(self, calendar: CalendarKey) -> EventWriting:
        return EventWriting(self._client, calendar, self._reader(calendar), self._zone)
