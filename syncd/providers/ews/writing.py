"""Events written to one calendar (P11, E7, E9)."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from lxml.etree import _Element as Element

from syncd.formats.zones import iana
from syncd.model.edit import UNSET, EventEdit, Reply
from syncd.model.errors import ConflictError, InvalidError, MalformedReplyError, NotFoundError
from syncd.model.event import Answer
from syncd.model.ids import WHOLE, CalendarKey, ResourceKey, Slot
from syncd.model.resource import RawResource
from syncd.ports.writing import Wrote
from syncd.providers.answers import UnansweredError
from syncd.providers.ews import payloads
from syncd.providers.ews.bodies import Begins, new_item, updates
from syncd.providers.ews.changes import EventReader
from syncd.providers.ews.client import EwsClient, item_id
from syncd.providers.ews.held import Held, read_held
from syncd.providers.ews.payloads import ItemId
from syncd.providers.ews.xml import child, children, local, text

_MOMENT = timedelta(minutes=1)


class EventWriting:
    """Writes one calendar; ``reader`` reads back what became of it, ``zone`` is the mailbox's."""

    def __init__(
        self, client: EwsClient, calendar: CalendarKey, reader: EventReader, zone: str
    ) -> None:
        """Write through ``client``."""
        self._zone = zone
        self._client = client
        self._calendar = calendar
        self._reader = reader

    async def create(self, edit: EventEdit, name: str) -> Wrote:
        """Make an event that bears ``name``; one that bears it already is the first (P11)."""
        item = new_item(edit, name, self._zone)
        made = await self._named(name)
        if made is None:
            try:
                told = await self._client.write(payloads.create_event(self._calendar, item))
                made = _created(told)
            except UnansweredError:
                made = await self._named(name)
                if made is None:
                    raise
        return await self._wrote(made.id, WHOLE)

    async def update(self, before: RawResource, slot: Slot, edit: EventEdit) -> Wrote:
        """Change an event, answer an invitation, or make an exception of an occurrence."""
        held = read_held(before)
        target = held.at(slot) or await self._occurrence(held, slot)
        if edit.reply is not UNSET:
            return await self._replied(before, slot, target, edit)
        changes = updates(edit, target, await self._begins(before.key, edit))
        if changes:
            await self._client.write(payloads.update_event(target.id, changes))
        return await self._wrote(before.key, slot)

    async def delete(self, before: RawResource, slot: Slot) -> Wrote:
        """Delete an event, a series, or an occurrence, which becomes an excluded start (P8)."""
        held = read_held(before)
        try:
            target = held.at(slot) or await self._occurrence(held, slot)
            if held.at(slot) is not None:
                await self._check(target.id)
            await self._client.write(payloads.delete_event(target.id))
        except NotFoundError:
            await self._client.folder_is_there(self._calendar)  # or is it all gone?
        if slot == WHOLE:
            return Wrote(key=before.key, slot=slot, deleted=frozenset({before.key}))
        return await self._wrote(before.key, slot)

    async def _replied(
        self, before: RawResource, slot: Slot, target: Held, edit: EventEdit
    ) -> Wrote:
        """Answer, then change what else the edit gives.

        Answering may give the event a new id, and Exchange may remove what is declined.
        """
        if not isinstance(edit.reply, Reply) or edit.reply.answer is Answer.PENDING:
            raise InvalidError("Exchange cannot take an answer back", field="attendees")
        await self._check(target.id)
        told = await self._client.write(payloads.reply(target.id, edit.reply.answer))
        key, rest = ResourceKey(_answered(told, before.key)), replace(edit, reply=UNSET)
        wrote = await self._wrote(key, slot)
        if rest != EventEdit() and wrote.upserts:
            one = wrote.upserts[0]
            raw = RawResource(key=one.key, etag=one.etag, raw=one.raw)
            wrote = await self.update(raw, slot, rest)
        gone = frozenset({before.key}) - {key}
        return replace(wrote, deleted=wrote.deleted | gone)

    async def _occurrence(self, held: Held, slot: Slot) -> Held:
        """Return an occurrence as Exchange computes it, if the series is the one that we know."""
        await self._check(held.id)
        begin = _begin(slot, held.zone)
        found = await self._client.read(
            lambda: payloads.find_occurrences(self._calendar, begin, begin + _MOMENT)
        )
        for item in children(child(found, "RootFolder", "Items"), "CalendarItem"):
            if text(item, "UID") == held.uid and _is_at(item, begin):
                return replace(held, id=item_id(item), line="", occurrences={})
        raise NotFoundError("the series has no such occurrence")

    async def _begins(self, key: ResourceKey, edit: EventEdit) -> Begins | None:
        """Return when an event begins whose rule is written, unless the edit says it."""
        if edit.recurrence is UNSET or not edit.recurrence or edit.start is not UNSET:
            return None
        event = (await self._wrote(key, WHOLE)).upserts[0].events[0]
        return event.start, event.start_zone

    async def _check(self, one: ItemId) -> None:
        """Raise ConflictError unless the item is the version that we know."""
        if await self._client.version_of(one) != one.changekey:
            raise ConflictError("the event is another version by now")

    async def _named(self, name: str) -> ItemId | None:
        found = await self._client.read(lambda: payloads.find_named(self._calendar, name))
        items = child(found, "RootFolder", "Items")
        if items is None:
            raise MalformedReplyError("a search was answered with no list")
        first = next(children(items), None)
        return None if first is None else item_id(first)

    async def _wrote(self, key: str, slot: Slot) -> Wrote:
        """Return what Exchange holds by now."""
        page = await self._reader.resources([ItemId(id=key)])
        if page.unread:
            raise MalformedReplyError("; ".join(page.unread.values()))
        name = ResourceKey(key)
        return Wrote(key=name, slot=slot, upserts=page.upserts, deleted=page.deleted)


def _created(message: Element) -> ItemId:
    item = next(children(child(message, "Items")), None)
    if item is None:
        raise MalformedReplyError("Exchange made an event and does not say which")
    return item_id(item)


def _answered(message: Element, key: str) -> str:
    """Return the id of the event that was answered: Exchange may put another in its place."""
    made = [one for one in children(child(message, "Items")) if local(one) == "CalendarItem"]
    return item_id(made[0]).id if made else key


def _begin(slot: Slot, zone: str) -> datetime:
    """Return when the occurrence of a slot begins; a date does at midnight of the series' zone."""
    if "T" in slot:
        return datetime.strptime(slot, "%Y%m%dT%H%M%S%z").astimezone(UTC)
    midnight = datetime.combine(date.fromisoformat(slot), time(), iana(zone) or UTC)
    return midnight.astimezone(UTC)


def _is_at(item: Element, begin: datetime) -> bool:
    """Tell whether an item is an occurrence that begins then."""
    told = text(item, "Start") or ""
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise MalformedReplyError(f"an occurrence begins at {told!r}") from None
    plain = text(item, "CalendarItemType") == "Occurrence"
    return plain and (at if at.tzinfo else at.replace(tzinfo=UTC)) == begin
