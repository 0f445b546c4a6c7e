"""The contacts of a mailbox, folder by folder: a first round, and what changed since (MG18)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from syncd.formats.outlook import Json
from syncd.model.calendar import Calendar, Holds, Mode
from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    SyncdError,
    SyncTokenExpiredError,
)
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from syncd.model.resource import Resource
from syncd.ports.delta import Delta
from syncd.providers.graph.again import Waits, due, read_waits, waiting, waits_text
from syncd.providers.graph.client import DELTA, NEXT, Ask, GraphClient
from syncd.providers.graph.persons import contact_of, stamp_of
from syncd.providers.graph.translate import BROKEN

MAIN = Calendar(key=CalendarKey("contacts"), name="Contacts", read_only=True, holds=Holds.CONTACTS)
_FOLDERS = ("me", "contactFolders")
_LIST = {"$top": "100"}
_PAGE = 200
_INLINE = 100  # contacts that are read without a thread: some milliseconds (F42)
_VERSION = 1


async def folders(client: GraphClient) -> list[Calendar]:
    """Return the main folder, which Graph does not list, those below it, and those inside of them.

    Raises what any of these lists is refused for: what it would name is not gone (I7).
    """
    found, level = {MAIN.key: MAIN}, await _listed(client, Ask(path=_FOLDERS, query=_LIST))
    while level:
        found |= {one.key: one for one in level}
        inside = [one for some in await _inside(client, level) for one in some]
        level = [one for one in inside if one.key not in found]  # or a loop would have no end
    return list(found.values())


async def _inside(client: GraphClient, level: Sequence[Calendar]) -> list[list[Calendar]]:
    """Return what is in each of some folders, nothing in one that went meanwhile."""
    asks = [Ask(path=(*_FOLDERS, one.key, "childFolders"), query=_LIST) for one in level]
    found = list[list[Calendar]]()
    for folder, told in zip(level, await client.batch(asks), strict=True):
        if isinstance(told, ForbiddenError):  # the scope is there: the first list was answered
            raise MalformedReplyError(f"the folders inside of {folder.key} are refused: {told}")
        if isinstance(told, SyncdError):
            raise told
        if told is None:
            continue
        found.append(_folders(told))
        if isinstance(link := told.get(NEXT), str):
            found.append(await _listed(client, Ask(link=link)))
    return found


async def _listed(client: GraphClient, ask: Ask) -> list[Calendar]:
    return [one async for page in client.pages(ask) for one in _folders(page)]


def _folders(page: Json) -> list[Calendar]:
    try:
        return [_folder(one) for one in page["value"]]
    except BROKEN as error:
        raise MalformedReplyError(f"a folder of contacts cannot be read: {error!r}") from None


class ContactReader:
    """Reads one folder; ``now`` says when it is."""

    def __init__(
        self, client: GraphClient, folder: CalendarKey, now: Callable[[], datetime]
    ) -> None:
        """Read through ``client``."""
        self._client = client
        main = folder == MAIN.key
        self._path = ("me", "contacts") if main else (*_FOLDERS, folder, "contacts")
        self._now = now
        self._failed = dict[str, Collection[str]]()  # what Graph cannot tell now (I10)
        self._told = set[str]()

    async def everything(self) -> AsyncIterator[Delta]:
        """Yield a first round, which names all there is; a tombstone is no contact (P3)."""
        async for page in self._pages(Ask(path=(*self._path, "delta"), page=_PAGE)):
            told = await self._read([one for one in page["value"] if not _is_removed(one)])
            if NEXT in page:
                yield told
            else:
                token = _state(page, self._waiting({}))
                yield replace(told, complete=True, token=token, mode=Mode.TOKEN)

    async def since(self, token: SyncToken) -> AsyncIterator[Delta]:
        """Yield what changed as one page: of what comes twice the newest counts (P4, MG9).

        What could not be told before is asked for again when its time has come.
        """
        newest, last = dict[ResourceKey, Json](), Json()
        link, waits = _read_state(token)
        async for page in self._pages(Ask(link=link, page=_PAGE)):
            last = page
            for item in page["value"]:
                key = ResourceKey(item["id"])
                newest[key] = _newer(newest.pop(key, None), item)
        gone = {key for key, item in newest.items() if _is_removed(item)}
        again = [Json(id=key) for key in due(waits, self._now()) if key not in newest]
        told = await self._read([*(newest[key] for key in newest.keys() - gone), *again])
        self._told |= gone
        yield replace(
            told,
            deleted=told.deleted | gone,
            token=_state(last, self._waiting(waits)),
            mode=Mode.TOKEN,
        )

    async def _pages(self, ask: Ask) -> AsyncIterator[Json]:
        async for page in self._client.pages(ask):
            if not all(isinstance(one.get("id"), str) and one["id"] for one in page["value"]):
                raise MalformedReplyError("Microsoft Graph gave a contact without an id")
            yield page

    async def _read(self, items: list[Json]) -> Delta:
        """Return contacts; of those that are told in part all is asked for (MG4).

        What Graph refuses to tell of one costs that one (I10): the feed itself was answered.
        """
        sparse = [one["id"] for one in items if not one.get("@odata.etag")]
        whole = await self._client.batch([Ask(path=(*self._path, key)) for key in sparse])
        told = dict(zip(sparse, whole, strict=True))
        there = [told.get(one["id"], one) for one in items]
        gone = frozenset(ResourceKey(key) for key, one in told.items() if one is None)
        lost = {
            ResourceKey(key): f"contact {key} is not told: {one}"
            for key, one in told.items()
            if isinstance(one, SyncdError)
        }
        self._told |= {one["id"] for one in items} - lost.keys()
        self._failed |= dict.fromkeys(lost, ())
        living = [one for one in there if isinstance(one, dict)]
        inline = len(living) <= _INLINE
        page = _delta(living) if inline else await asyncio.to_thread(_delta, living)
        return replace(page, deleted=gone, unread={**page.unread, **lost})

    def _waiting(self, before: Waits) -> Waits:
        return waiting(before, self._failed, self._told, self._now())


def _folder(item: Json) -> Calendar:
    return replace(MAIN, key=CalendarKey(item["id"]), name=item.get("displayName") or "")


def _is_removed(item: Json) -> bool:
    return "@removed" in item


def _newer(before: Json | None, item: Json) -> Json:
    """Return the newer version, the later one where they do not compare."""
    if before is None:
        return item
    was, now = stamp_of(before), stamp_of(item)
    return before if was is not None and now is not None and was > now else item


def _delta(items: Iterable[Json]) -> Delta:
    upserts, unread = dict[ResourceKey, Resource](), dict[ResourceKey, str]()
    for item in items:
        key = ResourceKey(item["id"])
        try:
            contact = contact_of(item)
        except BROKEN as error:
            unread[key] = f"contact {key} cannot be read: {error!r}"
            continue
        etag: Any = item.get("@odata.etag")
        upserts[key] = Resource(
            key=key,
            contact=contact,
            etag=etag if isinstance(etag, str) else "",
            raw=orjson.dumps(item),
        )
    unread = {key: why for key, why in unread.items() if key not in upserts}
    return Delta(upserts=tuple(upserts.values()), unread=unread)


def _state(page: Json, waits: Waits) -> SyncToken:
    link = page.get(DELTA)
    if not isinstance(link, str) or not link:
        raise MalformedReplyError("Microsoft Graph's last page has no deltaLink")
    again = {"again": waits_text(waits)} if waits else {}
    told = {"v": _VERSION, "p": _PAGE, "contacts": link, **again}
    return SyncToken(orjson.dumps(told).decode())


def _read_state(token: SyncToken) -> tuple[str, Waits]:
    """Return the link, which holds all parameters (MG2); raises SyncTokenExpiredError."""
    try:
        told: Any = orjson.loads(token)
        if (told["v"], told["p"]) == (_VERSION, _PAGE):
            return str(told["contacts"]), read_waits(told.get("again", {}))
    except (ValueError, TypeError, LookupError, AttributeError):
        pass
    raise SyncTokenExpiredError("the sync token is none of ours")
