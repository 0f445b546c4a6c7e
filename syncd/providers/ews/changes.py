"""Reading one calendar's events: a listing, or what changed since a token (E4-E6)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import orjson
from lxml.etree import _Element as Element

from syncd.model.calendar import Mode
from syncd.model.errors import MalformedReplyError, NotFoundError, SyncdError, SyncTokenExpiredError
from syncd.model.ids import CalendarKey, ResourceKey, Slot, SyncToken
from syncd.model.resource import Resource
from syncd.model.when import slot_of
from syncd.ports.delta import Delta
from syncd.ports.provider import Known
from syncd.providers.ews import payloads
from syncd.providers.ews.client import EwsClient
from syncd.providers.ews.held import Held, held_of, write_held
from syncd.providers.ews.payloads import ItemId
from syncd.providers.ews.translate import event_of, exception_of, modified_starts
from syncd.providers.ews.xml import local

_A_PAGE = 100  # resources of one of our pages: memory stays flat, progress is seen
_VERSION = 1
_PARAMETERS = "items"  # a state of SyncFolderItems, not of the hierarchy (E4, P2)

Items = Mapping[str, Element | SyncdError]
Reading = Callable[[Sequence[ItemId]], Awaitable[Delta]]  # of some items of a folder


class EventReader:
    """Reads a calendar; ``own`` is the address of the profile."""

    def __init__(self, client: EwsClient, calendar: CalendarKey, own: str) -> None:
        """Read through ``client``."""
        self._client = client
        self._calendar = calendar
        self._own = own

    async def everything(self, known: Known) -> AsyncIterator[Delta]:
        """Yield a complete listing; what is held in the same version is only named."""
        etags = await known.etags()
        async for page in sync_pages(self._client, self._calendar, "", self.resources, etags):
            yield page

    async def since(self, token: SyncToken) -> AsyncIterator[Delta]:
        """Yield what changed since a token."""
        state = read_state(token)
        async for page in sync_pages(self._client, self._calendar, state, self.resources, {}):
            yield page

    async def resources(self, ids: Sequence[ItemId]) -> Delta:
        """Read resources as they are now, with the exceptions of series (E6)."""
        items = await self._client.items(ids, payloads.get_events)
        masters = await asyncio.to_thread(_masters, items, self._own)
        series = [one for one in masters.values() if isinstance(one, Master)]
        modified = [ItemId(id=key) for one in series for key in one.starts if key]
        found = await self._client.items(modified, payloads.get_events) if modified else {}
        return await asyncio.to_thread(_page, masters, found, self._own)


class Master:
    """A single event or series that was understood, and where its exceptions stand."""

    def __init__(self, item: Element, own: str) -> None:
        """Read an item; raises MalformedReplyError."""
        self.item = item
        self.event = event_of(item, own=own)
        self.starts = modified_starts(item, self.event)


def _masters(items: Items, own: str) -> dict[str, "Master | SyncdError"]:
    """Return what each item is; what is no event, such as a note, is left out."""
    found = dict[str, Master | SyncdError]()
    for key, item in items.items():
        if isinstance(item, SyncdError):
            found[key] = item
        elif local(item) == "CalendarItem":
            try:
                found[key] = Master(item, own)
            except MalformedReplyError as error:
                found[key] = error
    return found


def _page(masters: Mapping[str, "Master | SyncdError"], exceptions: Items, own: str) -> Delta:
    upserts, unread, deleted = list[Resource](), dict[ResourceKey, str](), set[ResourceKey]()
    for key, one in masters.items():
        if isinstance(one, Master):
            upserts.append(_resource(one, exceptions, own))
        elif isinstance(one, NotFoundError):
            deleted.add(ResourceKey(key))
        else:
            unread[ResourceKey(key)] = str(one)
    return Delta(upserts=tuple(upserts), unread=unread, deleted=frozenset(deleted))


def _resource(master: Master, exceptions: Items, own: str) -> Resource:
    """Return a series with its exceptions: one resource (ADR 28)."""
    events, faults, held = [master.event], list[str](), dict[Slot, Held]()
    for key, original in master.starts.items():
        item = exceptions.get(key)
        if item is None or isinstance(item, SyncdError):
            faults.append(f"exception {key} was not told: {item}")
            continue
        try:
            event = exception_of(item, master.event, original, own=own)
        except MalformedReplyError as error:
            faults.append(str(error))
            continue
        events.append(event)
        held[Slot(slot_of(original))] = held_of(item, event)
    whole = held_of(master.item, master.event, held)
    return Resource(
        key=ResourceKey(whole.id.id),
        events=tuple(events),
        etag=whole.id.changekey,
        raw=write_held(whole),
        faults=tuple(faults),
    )


async def sync_pages(
    client: EwsClient,
    folder: CalendarKey,
    state: str,
    read: Reading,
    etags: Mapping[ResourceKey, str],
) -> AsyncIterator[Delta]:
    """Yield a folder's pages from ``state`` on, the empty one for all; the last has the token.

    What ``etags`` holds in the same version is named and not read.
    """
    whole, last = not state, False
    while not last:
        page = await client.sync_page(folder, state)
        if state and page.last and page.quiet:
            break  # where we stood is still true, and a quiet poll writes nothing (ADR 13)
        state, last = page.state, page.last
        same = frozenset(
            ResourceKey(one.id)
            for one in page.named
            if one.changekey and etags.get(ResourceKey(one.id)) == one.changekey
        )
        wanted = [one for one in page.named if ResourceKey(one.id) not in same]
        if same or page.deleted:
            yield Delta(present=same, deleted=frozenset(map(ResourceKey, page.deleted)))
        for at in range(0, len(wanted), _A_PAGE):
            yield await read(wanted[at : at + _A_PAGE])
    yield Delta(complete=whole, token=state_text(state), mode=Mode.TOKEN)


def state_text(state: str) -> SyncToken:
    """Return our token."""
    told = {"v": _VERSION, "p": _PARAMETERS, "s": state}
    return SyncToken(orjson.dumps(told).decode())


def read_state(token: SyncToken) -> str:
    """Return Exchange's state; raises SyncTokenExpiredError for what is none of ours (P2)."""
    try:
        told = orjson.loads(token)
        if (told["v"], told["p"]) == (_VERSION, _PARAMETERS) and told["s"]:
            return str(told["s"])
    except (ValueError, TypeError, LookupError):
        pass
    raise SyncTokenExpiredError("the sync token is none of this adapter's")
