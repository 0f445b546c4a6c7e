"""Reading one calendar's events: a listing, or what changed since a token (G1-G6)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from syncd.model.calendar import Mode
from syncd.model.errors import MalformedReplyError, NotFoundError
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from syncd.model.resource import Resource
from syncd.ports.delta import Delta
from syncd.ports.provider import Known
from syncd.ports.rooms import RoomPage, RoomWindow
from syncd.providers.google import wire
from syncd.providers.google.client import GoogleClient, Json
from syncd.providers.google.series import (
    is_cancelled,
    is_part,
    items_of,
    lacks_zone,
    merged,
    resource_of,
    series_id,
)
from syncd.providers.google.translate import BROKEN

_INLINE = 100  # events that are read without a thread: some milliseconds (F42)
Groups = dict[ResourceKey, dict[str, Json]]
Palette = Callable[[], Awaitable[Mapping[str, str]]]

T = TypeVar("T")


class EventReader:
    """Reads a calendar; ``palette`` is asked for where events have a colour of their own."""

    def __init__(self, client: GoogleClient, calendar: CalendarKey, palette: Palette) -> None:
        """Read through ``client``."""
        self._client = client
        self._calendar = calendar
        self._palette = palette
        self._zone: str | None = None

    async def everything(self) -> AsyncIterator[Delta]:
        """Yield single events as they come; series are whole only when all pages are here."""
        groups, alone, last = Groups(), set[ResourceKey](), dict[str, object]()
        async for page in wire.event_pages(self._client, self._calendar, None):
            self._note_zone(page)
            singles = Groups()
            for item in page["items"]:
                key = series_id(item)
                if is_part(item):
                    groups.setdefault(key, {})[item["id"]] = item
                elif not is_cancelled(item):
                    singles[key] = {item["id"]: item}
            alone |= singles.keys()
            last = page
            yield await self._page(singles)
        rest = {key: items for key, items in groups.items() if key not in alone}
        series = await self._page(rest)
        yield Delta(
            upserts=series.upserts,
            unread=series.unread,
            complete=True,
            token=wire.state_text(last.get("nextSyncToken")),
            mode=Mode.TOKEN,
        )

    async def since(self, token: SyncToken, known: Known) -> AsyncIterator[Delta]:
        """Yield what changed, with the last page: only then it is clear what belongs together."""
        newest, last = dict[str, Json](), dict[str, object]()
        async for page in wire.event_pages(self._client, self._calendar, wire.read_state(token)):
            self._note_zone(page)
            for item in page["items"]:
                before = newest.pop(item["id"], None)
                newest[item["id"]] = _newer(before, item)
            last = page
        place = wire.state_text(last.get("nextSyncToken"))
        if not newest:  # as most polls find
            yield Delta(token=place, mode=Mode.TOKEN)
            return
        groups = Groups()
        for item in newest.values():
            groups.setdefault(series_id(item), {})[item["id"]] = item
        await self._complete(groups, known)
        changed = await self._page(groups)
        yield Delta(
            upserts=changed.upserts,
            unread=changed.unread,
            deleted=changed.deleted,
            token=place,
            mode=Mode.TOKEN,
        )

    async def within(self, window: RoomWindow) -> AsyncIterator[RoomPage]:
        """Yield what meets a window now: Google's own instances by start, else series whole."""
        groups = Groups()
        async for page in wire.window_pages(self._client, self._calendar, window):
            self._note_zone(page)
            if window.instances:
                yield await self._instances(page["items"])
                continue
            for item in page["items"]:
                groups.setdefault(series_id(item), {})[item["id"]] = item
        if not window.instances:
            told = await self._page(groups)
            yield RoomPage(resources=told.upserts, unread=told.unread, timezone=self._zone)

    async def resource(self, key: ResourceKey) -> Delta:
        """Read one resource as it is now: the event, of a series all of it."""
        items = await self._fetched(key)
        return await self._page({key: items})

    async def read(self, items: dict[str, Json]) -> Delta:
        """Return the resource of one event that a write answered."""
        return await self._page({series_id(one): items for one in items.values()})

    async def _complete(self, groups: Groups, known: Known) -> None:
        """Put what is held of series beside what changed of them."""
        parts = [
            key
            for key, items in groups.items()
            if any(is_part(one) for one in items.values()) and not _is_gone(key, items)
        ]
        held = await known.bodies(parts) if parts else {}
        for key in parts:
            new = groups[key]
            if key in held:
                groups[key] = merged(key, items_of(held[key]), new.values())
            elif key not in new and not all(map(is_cancelled, new.values())):
                fetched = await self._fetched(key)  # the series is not ours, or was never read
                groups[key] = merged(key, new, fetched.values()) if fetched else dict(new)
            else:
                groups[key] = merged(key, {}, new.values())

    async def _fetched(self, key: ResourceKey) -> dict[str, Json]:
        """Return the events of a resource, none if it is gone."""
        try:
            master = await self._client.get(*wire.events_of(self._calendar, key))
        except NotFoundError:
            return {}
        if is_cancelled(master) or not master.get("recurrence"):
            return {} if is_cancelled(master) else {key: master}
        found, uid = list[Json](), master.get("iCalUID")
        if not isinstance(uid, str):  # where one sees free/busy times alone: the listing has all
            return {key: master}
        async for page in wire.series_pages(self._client, self._calendar, uid):
            self._note_zone(page)
            found += [one for one in page["items"] if series_id(one) == key]
        return merged(key, {}, [*found, master])

    async def _instances(self, items: Sequence[Json]) -> RoomPage:
        palette = await self._colors(items)
        lone = [{series_id(one): {one["id"]: one}} for one in items]
        told = await asyncio.to_thread(lambda: [_read(one, self._zone, palette) for one in lone])
        return RoomPage(
            resources=tuple(resource for one in told for resource in one.upserts),
            unread={key: why for one in told for key, why in one.unread.items()},
            timezone=self._zone,
            ordered=True,
        )

    async def _colors(self, items: Sequence[Json]) -> Mapping[str, str]:
        return await self._palette() if any("colorId" in one for one in items) else {}

    async def _page(self, groups: Groups) -> Delta:
        """Return resources; one of which nothing lives is deleted."""
        all_items = [one for items in groups.values() for one in items.values()]
        palette = await self._colors(all_items)
        if self._zone is None and any(map(lacks_zone, all_items)):
            entry = await self._client.get(*wire.CALENDAR_LIST, self._calendar)
            self._note_zone(entry)
        if len(all_items) <= _INLINE:
            return _read(groups, self._zone, palette)
        return await asyncio.to_thread(_read, groups, self._zone, palette)

    def _note_zone(self, page: Json) -> None:
        zone = page.get("timeZone")
        self._zone = zone if isinstance(zone, str) else self._zone


def _newer(before: Json | None, item: Json) -> Json:
    """Return the newer version, the later one where they do not compare (P4)."""
    if before is None or "updated" not in before or "updated" not in item:
        return item
    return before if str(before["updated"]) > str(item["updated"]) else item


def _is_gone(key: ResourceKey, items: Mapping[str, Json]) -> bool:
    return key in items and is_cancelled(items[key])


def _read(groups: Groups, zone: str | None, palette: Mapping[str, str]) -> Delta:
    upserts, unread, deleted = list[Resource](), dict[ResourceKey, str](), set[ResourceKey]()
    for key, items in groups.items():
        try:
            found = resource_of(key, {} if _is_gone(key, items) else items, zone, palette)
        except (MalformedReplyError, *BROKEN) as error:
            unread[key] = str(error)
            continue
        if found is None:
            deleted.add(key)
        else:
            upserts.append(found)
    return Delta(upserts=tuple(upserts), unread=unread, deleted=frozenset(deleted))
