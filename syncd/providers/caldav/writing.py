"""Events written to one calendar (RFC 4791 §5.3.2; D17-D22)."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace
from urllib.parse import quote

from yarl import URL

from syncd.formats.ical_read import read_resource
from syncd.formats.ical_write import created, ended, excluded, rewritten
from syncd.model.edit import EventEdit
from syncd.model.errors import (
    ConflictError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
)
from syncd.model.event import Event
from syncd.model.ids import WHOLE, ResourceKey, Slot
from syncd.model.resource import RawResource, Resource
from syncd.ports.clock import Clock
from syncd.ports.delta import Delta
from syncd.ports.writing import Wrote
from syncd.providers.answers import LockedError, UnansweredError
from syncd.providers.caldav import wire
from syncd.providers.caldav.bodies import Bodies
from syncd.providers.caldav.client import Ask, CalDavClient, UidConflictError, below
from syncd.providers.caldav.listing import Lister
from syncd.providers.caldav.translate import path_of
from syncd.providers.limits import retried

_KIND = {"Content-Type": "text/calendar; charset=utf-8"}
_NEW = {"If-None-Match": "*"}
_LOCKED_TRIES = 4  # some ten seconds at most, of the thirty that a write may take (R15)


class EventWriting:
    """Writes one calendar's resources; floating times count in ``zone``."""

    def __init__(self, client: CalDavClient, clock: Clock, calendar: URL, zone: str | None) -> None:
        """Write through ``client``."""
        self._client = client
        self._clock = clock
        self._calendar = calendar
        self._zone = zone
        self._bodies = Bodies(client, calendar, zone)

    async def create(self, edit: EventEdit, name: str) -> Wrote:
        """Make a resource that is called ``name``, once."""
        raw = created(edit, uid=name, now=self._clock.now(), calendar_zone=self._zone)
        path = f"{self._calendar.raw_path.rstrip('/')}/{quote(name, safe='')}.ics"
        key = ResourceKey(path_of(path, str(self._calendar)))
        try:
            await self._put(key, raw, _NEW)
        except UidConflictError:
            raise
        except ConflictError as error:  # an earlier attempt
            try:
                return Wrote(key=key, upserts=(await self._read(key),))
            except NotFoundError:
                raise error from None
        return Wrote(key=key, upserts=(await self._read(key),))

    async def update(self, before: RawResource, slot: Slot, edit: EventEdit) -> Wrote:
        """Change the event at ``slot``."""
        known, condition = await self._known(before)
        raw = await asyncio.to_thread(
            rewritten, known, slot, edit, now=self._clock.now(), calendar_zone=self._zone
        )
        return await self._replace(before.key, slot, known, raw, condition)

    async def delete(self, before: RawResource, slot: Slot) -> Wrote:
        """Delete the resource, or one occurrence of it."""
        try:
            known, condition = await self._known(before)
            left = None
            if slot != WHOLE:
                now, zone = self._clock.now(), self._zone
                left = await asyncio.to_thread(excluded, known, slot, now=now, calendar_zone=zone)
            if left is not None:
                return await self._replace(before.key, slot, known, left, condition)
            await self._remove(before.key, condition)
        except NotFoundError:
            await Lister(self._client, self._calendar).check()  # or is it all gone?
        return Wrote(key=before.key, slot=slot, deleted=frozenset({before.key}))

    async def resources(self, keys: Collection[ResourceKey]) -> Delta:
        """Read some resources as they are now."""
        wanted = {key: wire.Entry(href=key) for key in keys}
        upserts, unread = list[Resource](), dict[ResourceKey, str]()
        async for page in self._bodies.pages(wanted):
            upserts += page.upserts
            unread |= page.unread
        there = {one.key for one in upserts} | unread.keys()
        return Delta(upserts=tuple(upserts), unread=unread, deleted=frozenset(keys) - there)

    async def _known(self, before: RawResource) -> tuple[bytes, dict[str, str]]:
        """Return the body to change, and the condition under which it may be written.

        Without a strong etag nothing can be promised by the server: what it holds is compared.
        """
        if before.etag.startswith('"'):
            return before.raw, {"If-Match": before.etag}
        held = await self._bodies.one(before.key)
        if held.raw is None or not self._alike(before.key, held.raw, before.raw):
            raise ConflictError("the event was changed meanwhile")
        return held.raw, {"If-Match": held.etag} if held.etag.startswith('"') else {}

    async def _replace(
        self, key: ResourceKey, slot: Slot, known: bytes, raw: bytes, condition: dict[str, str]
    ) -> Wrote:
        if raw != known:
            try:
                await self._put(key, raw, condition)
            except UidConflictError:
                raise
            except ConflictError:
                held = await self._read(key)
                if not self._alike(key, held.raw, raw):
                    raise ConflictError("the event was changed meanwhile") from None
                return Wrote(key=key, slot=slot, upserts=(held,))
        return Wrote(key=key, slot=slot, upserts=(await self._read(key),))

    async def _put(self, key: ResourceKey, raw: bytes, condition: dict[str, str]) -> None:
        """Write a resource; if no answer comes, look whether it was written."""
        url = below(self._calendar, key)
        headers = {**_KIND, **condition}
        if self._client.flavour.wants_ends:
            raw = await asyncio.to_thread(ended, raw, calendar_zone=self._zone)
        ask = Ask(method="PUT", url=url, body=raw, headers=headers, once=not condition)
        try:
            await self._sent(ask)
        except UnansweredError as error:
            if await self._holds(key, raw):
                return
            if error.smaller or not condition:  # it may still be at it, and nothing would stop us
                raise
            await self._sent(ask)

    async def _sent(self, ask: Ask) -> None:
        try:
            await self._write(ask)
        except UidConflictError:
            raise
        except (ConflictError, NotFoundError):
            await Lister(self._client, self._calendar).check()  # 409: no such collection
            raise

    async def _write(self, ask: Ask) -> None:
        """Send a write, and again while the server is at another one: some lock the calendar."""
        await retried(
            lambda: self._client.send(ask), self._clock, tries=_LOCKED_TRIES, on=LockedError
        )

    async def _remove(self, key: ResourceKey, condition: dict[str, str]) -> None:
        url = below(self._calendar, key)
        ask = Ask(method="DELETE", url=url, headers=condition, once=not condition)
        try:
            await self._write(ask)
        except UnansweredError as error:
            await self._check_gone(key, error)
        except ConflictError:
            await self._check_gone(key, ConflictError("the event was changed meanwhile"))

    async def _check_gone(self, key: ResourceKey, otherwise: Exception) -> None:
        try:
            await self._bodies.one(key)
        except NotFoundError:
            return
        raise otherwise

    async def _read(self, key: ResourceKey) -> Resource:
        """Return a resource as the server keeps it, which need not be as it was sent (D18)."""
        held = await self._bodies.one(key)
        if held.raw is None:
            raise InvalidError("the calendar object is larger than 25 MiB")
        return await asyncio.to_thread(
            read_resource, key, held.raw, etag=held.etag, calendar_zone=self._zone
        )

    async def _holds(self, key: ResourceKey, raw: bytes) -> bool:
        try:
            held = await self._bodies.one(key)
        except NotFoundError:
            return False
        return held.raw is not None and self._alike(key, held.raw, raw)

    def _alike(self, key: ResourceKey, one: bytes, other: bytes) -> bool:
        """Tell whether two bodies say the same of every event, stamps aside."""
        try:
            return self._told(key, one) == self._told(key, other)
        except MalformedReplyError:
            return one == other

    def _told(self, key: ResourceKey, raw: bytes) -> tuple[Sequence[Event], Sequence[str]]:
        read = read_resource(key, raw, calendar_zone=self._zone)
        events = [replace(one, modified=None, created=None) for one in read.events]
        return sorted(events, key=repr), read.faults
