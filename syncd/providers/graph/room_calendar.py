"""What the calendar of a room holds now, as Graph expands it itself (api.md K18, MG20)."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from syncd.formats.outlook import Json
from syncd.model.errors import ForbiddenError, MalformedReplyError, NotFoundError
from syncd.model.ids import CalendarKey, ResourceKey, Slot
from syncd.model.own import own_address
from syncd.model.resource import Resource
from syncd.model.when import pieces, slot_of
from syncd.ports.rooms import RoomPage, RoomWindow
from syncd.providers.graph import wire
from syncd.providers.graph.client import GraphClient
from syncd.providers.graph.series import (
    Whole,
    is_exception,
    is_occurrence,
    resource_of,
    series_id,
)
from syncd.providers.graph.translate import BROKEN, event_of, original_of, start_of

_DAY = timedelta(days=1)
_LONGEST = timedelta(days=1800)  # of a view; Graph refuses more than 1,825 days


class RoomReader:
    """Reads a room's calendar once; ``room`` is the address of its mailbox.

    Colours are left out: categories are named in the mailbox of who chose them.
    """

    def __init__(self, client: GraphClient, room: CalendarKey) -> None:
        """Read through ``client``."""
        self._client = client
        self._room = room
        self._own = frozenset({own_address(room)})
        self._series = dict[ResourceKey, Json | None]()

    async def within(self, window: RoomWindow) -> AsyncIterator[RoomPage]:
        """Yield instances of a window by start, else all single events and series by start.

        Raises ForbiddenError where the mailbox is not shown to the profile.
        """
        try:
            async for items in self._items(window):
                await self._learn(items)
                yield await asyncio.to_thread(self._page, items)
        except NotFoundError as error:
            why = "Microsoft Graph does not show the calendar of this room to this profile"
            raise ForbiddenError(why) from error

    async def _items(self, window: RoomWindow) -> AsyncIterator[list[Json]]:
        if window.before is None or not window.instances:
            async for items in wire.room_event_pages(self._client, self._room):
                yield items
            return
        # days count in the mailbox' own zone, which nobody tells: the caller cuts what is too much
        for after, before in pieces(window.after - _DAY, window.before + _DAY, _LONGEST):
            async for items in wire.room_view_pages(self._client, self._room, after, before):
                yield items

    async def _learn(self, items: Collection[Json]) -> None:
        """Ask for the series of instances, which do not tell all of themselves alone."""
        named = {series_id(one) for one in items if is_occurrence(one) or is_exception(one)}
        new = sorted(named - self._series.keys())
        if new:
            self._series |= await wire.room_series(self._client, self._room, new)

    def _page(self, items: Collection[Json]) -> RoomPage:
        found, unread = list[Resource](), dict[ResourceKey, str]()
        for item in items:
            key = series_id(item)
            try:
                one = self._resource(key, item)
            except MalformedReplyError as error:
                unread[key] = str(error)
                continue
            if one is not None:
                found.append(one)
        return RoomPage(resources=tuple(found), unread=unread, ordered=True)

    def _resource(self, key: ResourceKey, item: Json) -> Resource | None:
        """Return an event, or an instance alone; None if its series is gone by now."""
        if not (is_occurrence(item) or is_exception(item)):
            return resource_of(key, Whole(master=item), {}, own=self._own)
        master = self._series[key]
        if master is None:
            return None
        slots = {item["id"]: _slot(item, master)}
        whole = Whole(master=master, exceptions={item["id"]: item}, slots=slots)
        made = resource_of(key, whole, {}, own=self._own)
        if made.faults:
            raise MalformedReplyError("; ".join(made.faults))
        return replace(made, events=made.events[1:])


def _slot(item: Json, master: Json) -> Slot:
    """Return which start an instance stands for; its own where nothing says another (MG8)."""
    series = event_of(master, {})
    original = original_of(item, series, master) if is_exception(item) else None
    if original is None:
        with suppress(*BROKEN):
            return Slot(slot_of(start_of(item)))
        raise MalformedReplyError(f"event {item['id']} has no start")
    return Slot(slot_of(original))
