"""Events written to one calendar (G7-G9)."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from hashlib import blake2b

from syncd.model.edit import UNSET, EventEdit
from syncd.model.errors import ConflictError, MalformedReplyError, NotFoundError
from syncd.model.ids import WHOLE, CalendarKey, ResourceKey, Slot
from syncd.model.resource import RawResource
from syncd.model.when import rfc3339, slot_of
from syncd.ports.delta import Delta
from syncd.ports.writing import Wrote
from syncd.providers.answers import UnansweredError
from syncd.providers.google import wire
from syncd.providers.google.bodies import event_body
from syncd.providers.google.changes import EventReader
from syncd.providers.google.client import Ask, GoogleClient, Json
from syncd.providers.google.refusals import DuplicateError
from syncd.providers.google.series import is_cancelled, items_of
from syncd.providers.google.translate import when_of

_MAIL = {"sendUpdates": "all"}  # a parameter: in the body it means nothing (G9)


class EventWriting:
    """Writes one calendar; ``reader`` reads back what may have changed beside."""

    def __init__(
        self,
        client: GoogleClient,
        calendar: CalendarKey,
        reader: EventReader,
        palette: Callable[[], Awaitable[Mapping[str, str]]],
    ) -> None:
        """Write through ``client``."""
        self._client = client
        self._calendar = calendar
        self._reader = reader
        self._palette = palette

    async def create(self, edit: EventEdit, name: str) -> Wrote:
        """Insert an event whose id follows from ``name``; one that is there is the first (G7)."""
        key = event_name(name)
        body = {**event_body(edit, None, await self._colors(edit)), "id": key}
        ask = Ask(method="POST", path=self._path(), query=_MAIL, body=body)
        try:
            made = await self._client.send(ask)
        except (DuplicateError, UnansweredError) as error:
            try:
                made = await self._client.get(*self._path(key))
            except NotFoundError:
                raise error from None
            if is_cancelled(made):
                raise ConflictError("the event was created before, and deleted since") from error
        return _wrote(key, WHOLE, await self._reader.read({made["id"]: made}))

    async def update(self, before: RawResource, slot: Slot, edit: EventEdit) -> Wrote:
        """Patch an event; what else is of its series is read again, as it may have changed."""
        items = items_of(before.raw)
        item = await self._item(items, before.key, slot)
        body = event_body(edit, item, await self._colors(edit))
        ask = Ask(
            method="PATCH",
            path=self._path(item["id"]),
            query=_MAIL,
            body=body,
            etag=item.get("etag", ""),
        )
        made = await self._client.send(ask)
        if slot == WHOLE and len(items) == 1:
            return _wrote(before.key, slot, await self._reader.read({made["id"]: made}))
        return _wrote(before.key, slot, await self._reader.resource(before.key))

    async def delete(self, before: RawResource, slot: Slot) -> Wrote:
        """Delete an event, a series, or an instance, which becomes an excluded start (P8)."""
        gone = Wrote(key=before.key, slot=slot, deleted=frozenset({before.key}))
        try:
            item = await self._item(items_of(before.raw), before.key, slot)
            path = self._path(item["id"])
            await self._client.send(
                Ask(method="DELETE", path=path, query=_MAIL, etag=item.get("etag", ""))
            )
        except NotFoundError:
            await self._client.get("calendars", self._calendar)  # or is it all gone?
        return gone if slot == WHOLE else _wrote(before.key, slot, await self._read(before.key))

    async def move(
        self, before: RawResource, destination: CalendarKey, there: EventReader
    ) -> Wrote:
        """Move an event, a series whole, and read it ``there``; what was moved before is moved.

        Google refuses what is no ordinary event (G7), and takes no version along.
        """
        query = {**_MAIL, "destination": destination}
        ask = Ask(method="POST", path=self._path(before.key, "move"), query=query)
        try:
            made = await self._client.send(ask)
        except (NotFoundError, UnansweredError):
            page = await there.resource(before.key)
            if not page.upserts:
                raise
            return _wrote(before.key, WHOLE, page)
        if not made.get("recurrence"):
            return _wrote(before.key, WHOLE, await there.read({made["id"]: made}))
        return _wrote(before.key, WHOLE, await there.resource(before.key))

    async def _read(self, key: ResourceKey) -> Delta:
        return await self._reader.resource(key)

    async def _item(self, items: Mapping[str, Json], key: ResourceKey, slot: Slot) -> Json:
        """Return the event at a slot; of an occurrence the instance that the series yields."""
        if slot == WHOLE:
            if key not in items:
                raise NotFoundError("the series of this event is not in this calendar")
            return items[key]
        for item in items.values():
            told = item.get("originalStartTime")
            if told and not is_cancelled(item) and slot_of(when_of(told, None)[0]) == slot:
                return item
        page = await self._client.get(*self._path(key, "instances"), originalStart=_start(slot))
        found: list[Json] = page.get("items") or []
        if not found or is_cancelled(found[0]):
            raise NotFoundError("the series has no such occurrence")
        return found[0]

    async def _colors(self, edit: EventEdit) -> Mapping[str, str]:
        return {} if edit.color in (UNSET, None) else await self._palette()

    def _path(self, *more: str) -> tuple[str, ...]:
        return wire.events_of(self._calendar, *more)


def event_name(name: str) -> ResourceKey:
    """Return the id of an event made under ``name``: 32 characters of base32hex (G7)."""
    digest = blake2b(name.encode(), digest_size=20).digest()
    return ResourceKey(base64.b32hexencode(digest).decode().lower())


def _start(slot: Slot) -> str:
    """Return the start that a slot names, as a parameter."""
    if "T" in slot:
        return rfc3339(datetime.strptime(slot, "%Y%m%dT%H%M%S%z"))
    return date.fromisoformat(slot).isoformat()


def _wrote(key: ResourceKey, slot: Slot, page: Delta) -> Wrote:
    if page.unread:
        raise MalformedReplyError("; ".join(page.unread.values()))
    return Wrote(key=key, slot=slot, upserts=page.upserts, deleted=page.deleted)
