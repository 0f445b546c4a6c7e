"""Events written to one calendar (P11, MG8, MG13, MG19)."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b

from syncd.formats.outlook import Json, dated
from syncd.formats.stamps import stamp
from syncd.model.edit import UNSET, EventEdit
from syncd.model.errors import (
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    SyncdError,
    UnsupportedError,
)
from syncd.model.event import Answer, Person
from syncd.model.ids import WHOLE, CalendarKey, ResourceKey, Slot
from syncd.model.resource import RawResource
from syncd.model.when import When, slot_of
from syncd.ports.delta import Delta
from syncd.ports.writing import Wrote
from syncd.providers.answers import UnansweredError
from syncd.providers.graph import wire
from syncd.providers.graph.bodies import event_body
from syncd.providers.graph.changes import EventReader
from syncd.providers.graph.client import Ask, GraphClient
from syncd.providers.graph.properties import EXTENSION, extension_body, extension_of
from syncd.providers.graph.series import ETAG, Whole, is_occurrence, is_series, whole_of
from syncd.providers.graph.translate import BROKEN, event_of, original_of, start_of
from syncd.providers.graph.window import Window

_ACTIONS = {
    Answer.ACCEPTED: "accept",
    Answer.TENTATIVE: "tentativelyAccept",
    Answer.DECLINED: "decline",
}
_DAY = timedelta(days=1)


class EventWriting:
    """Writes one calendar; ``reader`` reads back what may have changed beside."""

    def __init__(
        self,
        client: GraphClient,
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
        """Make an event in a transaction that follows from ``name``: twice makes one (P11)."""
        if edit.start is UNSET:
            raise InvalidError("an event has a start", field="start")
        palette = await self._colors(edit)
        body = event_body(edit, None, edit.start, _zone(edit), palette)
        properties = () if edit.custom_properties is UNSET else edit.custom_properties
        if properties:
            body["extensions"] = [extension_body(properties)]
        body["transactionId"] = transaction_id(name)
        ask = Ask(method="POST", path=(*wire.CALENDARS, self._calendar, "events"), body=body)
        try:
            made = await self._client.send(ask)
        except UnansweredError:
            made = await self._client.send(ask)
        key = _key(made)
        if properties:
            page = await self._reader.resource(key)
        else:
            page = await self._reader.read(made)
        return _wrote(key, WHOLE, page, _lacking(edit, palette))

    async def update(self, before: RawResource, slot: Slot, edit: EventEdit) -> Wrote:
        """Change an event, then its custom properties, then answer for it; read all of it again."""
        whole = whole_of(before.raw)
        item = await self._item(whole, slot)
        palette = await self._colors(edit)
        body = _body(item, edit, palette)
        made = Json()
        if body:
            made = await self._client.send(
                Ask(method="PATCH", path=_path(item), body=body, etag=str(item.get(ETAG) or ""))
            )
        if edit.custom_properties is not UNSET:
            await self._extend(item, edit)
        if edit.reply is not UNSET:
            await self._answer(item, edit.reply.answer)
        plain = edit.custom_properties is UNSET and edit.reply is UNSET
        if plain and _says_all(made, whole, item):
            page = await self._reader.read(made)
        else:
            page = await self._reader.resource(before.key, before.raw)
        return _wrote(before.key, slot, page, _lacking(edit, palette))

    async def delete(self, before: RawResource, slot: Slot) -> Wrote:
        """Delete an event, a series, or an occurrence, which becomes an excluded start (P8)."""
        try:
            item = await self._item(whole_of(before.raw), slot)
            etag = str(item.get(ETAG) or "")
            await self._client.send(Ask(method="DELETE", path=_path(item), etag=etag))
        except NotFoundError:
            await self._client.read(Ask(path=(*wire.CALENDARS, self._calendar)))  # or all gone?
        if slot == WHOLE:
            return Wrote(key=before.key, slot=slot, deleted=frozenset({before.key}))
        return _wrote(before.key, slot, await self._reader.resource(before.key, before.raw))

    async def _item(self, whole: Whole, slot: Slot) -> Json:
        """Return the event at a slot; of an occurrence what the series yields there."""
        if slot == WHOLE:
            return whole.master
        for key, item in whole.exceptions.items():
            if whole.slots.get(key) == slot:
                return item
        series = event_of(whole.master, {})
        window = _around(slot)
        key = ResourceKey(whole.master["id"])
        found = await wire.instances_of(self._client, [key], window)
        entries = found[key] or []
        if isinstance(entries, SyncdError):
            raise entries
        for entry in entries:
            try:
                if is_occurrence(entry):
                    start: When | None = start_of(entry)
                else:
                    start = original_of(entry, series, whole.master)
            except BROKEN as error:
                raise MalformedReplyError(f"occurrence {entry['id']} has no start") from error
            if start is not None and slot_of(start) == slot:
                return {**whole.master, "recurrence": None, "extensions": [], **entry}
        raise NotFoundError("the series has no such occurrence")

    async def _extend(self, item: Json, edit: EventEdit) -> None:
        """Keep custom properties in our extension, which is there only if there are any (MG19)."""
        if edit.custom_properties is UNSET:
            return
        path, held = (*_path(item), "extensions"), extension_of(item) is not None
        if edit.custom_properties:
            body = extension_body(edit.custom_properties)
            ask = Ask(method="PATCH", path=(*path, EXTENSION), body=body)
            await self._client.send(ask if held else Ask(method="POST", path=path, body=body))
        elif held:
            await self._client.send(Ask(method="DELETE", path=(*path, EXTENSION)))

    async def _answer(self, item: Json, answer: Answer) -> None:
        """Answer an invitation; Graph mails the organizer, and takes no version (MG13)."""
        if answer not in _ACTIONS:
            raise InvalidError("an answer cannot be taken back", field="attendees")
        path = (*_path(item), _ACTIONS[answer])
        await self._client.send(Ask(method="POST", path=path, body={"sendResponse": True}))

    async def _colors(self, edit: EventEdit) -> Mapping[str, str]:
        return {} if edit.color is UNSET else await self._palette()


def transaction_id(name: str) -> str:
    """Return the transaction that an event called ``name`` is made in."""
    return blake2b(name.encode(), digest_size=16).hexdigest()


def _body(item: Json, edit: EventEdit, palette: Mapping[str, str]) -> Json:
    """Return what changes; the range of a series begins with its start (providers.md §9)."""
    held = event_of(item, {})
    if isinstance(edit.organizer, Person):
        theirs = "" if held.organizer is None else held.organizer.email
        if edit.organizer.email.casefold() != theirs.casefold():
            raise UnsupportedError("the organizer of an event cannot be changed here")
    lines = edit.recurrence
    if lines is UNSET and edit.start is not UNSET and held.recurrence:
        place = held.start.tzinfo if isinstance(held.start, datetime) else None
        lines = tuple(dated(line, place or UTC) for line in held.recurrence)
    moved = EventEdit(**{
        **{name: getattr(edit, name) for name in EventEdit.__slots__},
        "recurrence": lines,
        "organizer": UNSET,
    })  # fmt: skip
    start: When = held.start if edit.start is UNSET else edit.start
    zone = held.start_zone if edit.start is UNSET else _zone(edit)
    return event_body(moved, item, start, zone, palette)


def _zone(edit: EventEdit) -> str | None:
    return edit.start_zone if isinstance(edit.start_zone, str) else None


def _says_all(made: Json, whole: Whole, item: Json) -> bool:
    """Tell whether an answer is the whole resource: no series, and none of our extension."""
    series = is_series(whole.master) or is_series(made)
    return bool(made.get("id")) and not series and extension_of(item) is None


def _lacking(edit: EventEdit, palette: Mapping[str, str]) -> frozenset[str]:
    """Return what could not be stored: a colour where there are no categories (R13)."""
    lacks = isinstance(edit.color, str) and not palette
    return frozenset({"color"} if lacks else ())


def _path(item: Json) -> tuple[str, ...]:
    return ("me", "events", str(item["id"]))


def _key(made: Json) -> ResourceKey:
    if isinstance(made.get("id"), str) and made["id"]:
        return ResourceKey(made["id"])
    raise MalformedReplyError("Microsoft Graph made an event without an id")


def _around(slot: Slot) -> Window:
    """Return a window that the occurrence of a slot lies in, whatever its zone."""
    start: date = stamp(slot)
    at = start if isinstance(start, datetime) else datetime.combine(start, datetime.min.time(), UTC)
    return Window(at - _DAY, at + 2 * _DAY)


def _wrote(
    key: ResourceKey, slot: Slot, page: Delta, ignored: frozenset[str] = frozenset()
) -> Wrote:
    if page.unread:
        raise MalformedReplyError("; ".join(page.unread.values()))
    return Wrote(key=key, slot=slot, upserts=page.upserts, deleted=page.deleted, ignored=ignored)
