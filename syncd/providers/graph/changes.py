"""Reading one calendar's events: a listing, or what changed since a token (MG1-MG9)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from itertools import islice
from typing import TypeVar

from syncd.formats.outlook import Json
from syncd.model.calendar import Mode
from syncd.model.errors import MalformedReplyError, SyncdError
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from syncd.model.resource import Resource
from syncd.ports.delta import Delta
from syncd.ports.provider import Known
from syncd.providers.graph import wire
from syncd.providers.graph.again import due, named, waiting
from syncd.providers.graph.client import Ask, GraphClient
from syncd.providers.graph.entries import Choice, Entries, chosen, extended
from syncd.providers.graph.series import (
    Whole,
    is_exception,
    is_series,
    is_series_etag,
    newest,
    resource_of,
    whole_of,
)
from syncd.providers.graph.state import Standing, read_state, state_text
from syncd.providers.graph.survey import concerns, surveyed
from syncd.providers.graph.translate import BROKEN
from syncd.providers.graph.window import Window

LOOKED_UP = 200  # removed or absent events in one read; the rest the next time (MG5)
_PAGE = 500  # resources
_AT_ONCE = 20  # series: one batch
_SCANNED = 200  # bodies that are searched at once
_INLINE = 100  # events that are read without a thread: some milliseconds (F42)
T = TypeVar("T")
K = TypeVar("K", bound=str)
Wholes = Mapping[ResourceKey, Whole]
Palette = Callable[[], Awaitable[Mapping[str, str]]]


class EventReader:
    """Reads a calendar of the person with the addresses ``own``.

    ``palette`` is asked for where events have categories, ``now`` says when it is.
    """

    def __init__(
        self,
        client: GraphClient,
        calendar: CalendarKey,
        palette: Palette,
        *,
        own: AbstractSet[str],
        now: Callable[[], datetime],
    ) -> None:
        """Read through ``client``."""
        self._client = client
        self._calendar = calendar
        self._palette = palette
        self._own = own
        self._now = now
        self._untold = dict[ResourceKey, str]()  # what Graph cannot tell now, and why (I10)
        self._failed = dict[str, AbstractSet[str]]()  # of these what is to be asked for again
        self._told = set[str]()

    async def everything(self, known: Known) -> AsyncIterator[Delta]:
        """Yield a round of the change feed and a listing as one complete read (MG6).

        The round comes first: what changes after it stands in the next one. What only one of the
        two names is looked up, and so is what we hold and neither names: pages of a listing shift
        where events go meanwhile.
        """
        window, feed = Window.around(self._now()), Entries()
        async for page in wire.feed_pages(self._client, self._calendar, window):
            feed.take(page)
        named, masters = set[str](), dict[ResourceKey, Json]()
        async for items in wire.event_pages(self._client, self._calendar):
            named |= {one["id"] for one in items}
            masters |= {ResourceKey(one["id"]): one for one in items if is_series(one)}
            plain = [one for one in items if not is_series(one)]
            yield await self._page({ResourceKey(one["id"]): Whole(master=one) for one in plain})
        absent = sorted((await known.etags()).keys() - named)[:LOOKED_UP]
        doubtful = {*absent, *feed.unlike_exceptions, *feed.series} - named
        feed.replace(await self._looked_up(sorted(doubtful)))
        feed.forget(self._untold)
        found = feed.sorted_out()
        late = {key: one for key, one in found.alone.items() if key in doubtful}
        series = {**{key: one for key, one in found.masters.items() if key in doubtful}, **masters}
        known_series = series.keys() | self._untold.keys()
        for some in _cut({**late, **_orphans(found.exceptions, known_series)}, _PAGE):
            yield await self._page(some)
        for chosen_ in _cut(series, _AT_ONCE):
            held = await _held(known, chosen_)
            yield await self._series(chosen_, found.exceptions, held, window, expand=True)
        again = waiting({}, self._failed, self._told, self._now())
        standing = Standing(link=feed.link, window=window, again=again)
        yield Delta(unread=self._untold, complete=True, token=state_text(standing), mode=Mode.TOKEN)

    async def since(self, token: SyncToken, known: Known) -> AsyncIterator[Delta]:
        """Yield what changed, from the last page on: only then it is clear what belongs together.

        A removed id is believed only when it is not found either: tombstones are sent for what
        lies outside of the window, too (MG5).
        """
        standing, feed = read_state(token, self._now()), Entries()
        async for page in wire.changed_pages(self._client, standing.link):
            feed.take(page)
        doubtful = dict.fromkeys((*standing.pending, *feed.removed))
        feed.forget(doubtful)
        former = await _held(known, map(ResourceKey, feed.events))
        feed.forget([key for key, one in former.items() if _is_older(feed.events[key], one)])
        tried = due(standing.again, self._now())
        again = [*islice(doubtful, LOOKED_UP), *feed.partial, *named(standing.again, tried)]
        again += [key for key in extended(former) if key in feed.events]
        feed.replace(await self._looked_up(again))
        feed.forget(self._untold)
        found, gone = feed.sorted_out(), frozenset(map(ResourceKey, feed.gone))
        for some in _cut(found.alone, _PAGE):
            yield await self._page(some)
        touched = (found.touched | await _holders(known, gone)) - gone - found.alone.keys()
        held = await _held(known, touched)
        masters = {key: held[key].master for key in touched if key in held} | dict(found.masters)
        strange = await self._looked_up(sorted(touched - masters.keys()))
        masters |= {ResourceKey(key): one for key, one in strange.items() if one and is_series(one)}
        known_series = masters.keys() | self._untold.keys()
        for some in _cut(_orphans(found.exceptions, known_series), _PAGE):
            yield await self._page(some)
        for some_series in _cut(masters, _AT_ONCE):
            yield await self._series(some_series, found.exceptions, held, standing.window)
        after = Standing(
            link=feed.link,
            window=standing.window,
            pending=tuple(islice(doubtful, LOOKED_UP, None)),
            again=waiting(standing.again, self._failed, {*tried, *gone, *self._told}, self._now()),
        )
        yield Delta(
            deleted=gone,
            unread=self._untold,
            token=state_text(after),
            mode=Mode.TOKEN,
            reconcile=not self._failed.keys() <= {*tried},  # what else the feed told of them
        )

    async def resource(self, key: ResourceKey, before: bytes | None = None) -> Delta:
        """Read one resource as it is now; ``before`` is its body as we knew it."""
        item = (await wire.looked_up(self._client, self._calendar, [key]))[key]
        if isinstance(item, SyncdError):
            raise item
        return Delta(deleted=frozenset({key})) if item is None else await self.read(item, before)

    async def read(self, item: Json, before: bytes | None = None) -> Delta:
        """Return the resource of a single event or series that was just read."""
        key = ResourceKey(item["id"])
        if not is_series(item):
            return await self._page({key: Whole(master=item)})
        held = {} if before is None else {key: whole_of(before)}
        return await self._series({key: item}, {}, held, Window.around(self._now()))

    async def _looked_up(self, ids: Iterable[str]) -> dict[str, Json | None]:
        """Return events as they are now, but for those that Graph cannot tell."""
        told, failed = await self._sorted(await wire.looked_up(self._client, self._calendar, ids))
        self._untold |= {ResourceKey(key): str(error) for key, error in failed.items()}
        self._failed |= {key: frozenset[str]() for key in failed}
        return told

    async def _sorted(
        self, told: Mapping[K, T | SyncdError]
    ) -> tuple[dict[K, T], dict[K, SyncdError]]:
        """Return answers apart from errors; raises what is wrong with all of the calendar."""
        failed = {key: one for key, one in told.items() if isinstance(one, SyncdError)}
        if failed and len(failed) == len(told):
            await self._client.read(Ask(path=(*wire.CALENDARS, self._calendar)))
        good = {key: one for key, one in told.items() if not isinstance(one, SyncdError)}
        return good, failed

    async def _series(
        self,
        masters: Mapping[ResourceKey, Json],
        fresh: Mapping[ResourceKey, Mapping[str, Json]],
        held: Wholes,
        window: Window,
        *,
        expand: bool = False,
    ) -> Delta:
        """Return series whole; one that went meanwhile is not named (MG7)."""
        asked = [key for key, master in masters.items() if concerns(master, window)]
        entries, failed = await self._sorted(await wire.instances_of(self._client, asked, window))
        there = {
            key: some
            for key in masters
            if key not in failed and (some := entries.get(key, [])) is not None
        }
        choices = {
            key: chosen(fresh.get(key, {}), held.get(key), some, expand=expand)
            for key, some in there.items()
        }
        parts = sorted({one for each in choices.values() for one in each.ask})
        told, lost = await self._sorted(await wire.looked_up(self._client, self._calendar, parts))
        wholes, unread = dict[ResourceKey, Whole](), {key: str(one) for key, one in failed.items()}
        untold = set(failed)
        for key, some in there.items():
            if lost.keys() & choices[key].ask:
                unread[key] = "an exception of the series is not told"
                untold.add(key)
                continue
            whole = Whole(master=masters[key], exceptions=_complete(choices[key], told))
            try:
                wholes[key] = surveyed(whole, some, window, held.get(key))
            except (MalformedReplyError, *BROKEN) as error:
                unread[key] = str(error)
        self._failed |= {key: fresh.get(key, {}).keys() for key in untold}
        page = await self._page(wholes)
        return Delta(upserts=page.upserts, unread={**page.unread, **unread})

    async def _page(self, wholes: Wholes) -> Delta:
        """Return resources, those that cannot be understood as unread (I10)."""
        items = [
            one for each in wholes.values() for one in (each.master, *each.exceptions.values())
        ]
        palette = await self._palette() if any(one.get("categories") for one in items) else {}
        if len(items) <= _INLINE:
            page = _read(wholes, palette, self._own)
        else:
            page = await asyncio.to_thread(_read, wholes, palette, self._own)
        self._told |= {one.key for one in page.upserts}
        return page


def _read(wholes: Wholes, palette: Mapping[str, str], own: AbstractSet[str]) -> Delta:
    upserts, unread = list[Resource](), dict[ResourceKey, str]()
    for key, whole in wholes.items():
        try:
            upserts.append(resource_of(key, whole, palette, own=own))
        except MalformedReplyError as error:
            unread[key] = str(error)
    return Delta(upserts=tuple(upserts), unread=unread)


def _complete(choice: Choice, told: Mapping[str, Json | None]) -> dict[str, Json]:
    """Return the exceptions of a series: what is no longer one has become an occurrence again."""
    asked = {key: told[key] for key in choice.ask}
    return {
        **choice.kept,
        **{key: one for key, one in asked.items() if one is not None and is_exception(one)},
    }


def _orphans(
    exceptions: Mapping[ResourceKey, Mapping[str, Json]], series: Collection[ResourceKey]
) -> dict[ResourceKey, Whole]:
    """Return exceptions without their series, each for itself: a guest's at one occurrence."""
    return {
        ResourceKey(key): Whole(master=item)
        for owner, some in exceptions.items()
        if owner not in series
        for key, item in some.items()
    }


def _is_older(item: Json, held: Whole) -> bool:
    """Tell whether an entry is a replay of what we have in a newer version (MG9, P4)."""
    return newest(held.master, item) is held.master


async def _held(known: Known, keys: Iterable[ResourceKey]) -> dict[ResourceKey, Whole]:
    wanted = list(keys)
    found = await known.bodies(wanted) if wanted else {}
    return {key: whole_of(raw) for key, raw in found.items()}


async def _holders(known: Known, gone: Collection[ResourceKey]) -> frozenset[ResourceKey]:
    """Return the series that hold these events, by ids that are no resource's own."""
    if not gone:
        return frozenset()
    etags = await known.etags()
    parts = [key.encode() for key in gone if key not in etags]
    series = [key for key, etag in etags.items() if is_series_etag(etag)] if parts else []
    found = set[ResourceKey]()
    for start in range(0, len(series), _SCANNED):
        bodies = await known.bodies(series[start : start + _SCANNED])
        found |= {key for key, raw in bodies.items() if any(one in raw for one in parts)}
    return frozenset(found)


def _cut(some: Mapping[ResourceKey, T], size: int) -> Iterable[dict[ResourceKey, T]]:
    items = list(some.items())
    return (dict(items[start : start + size]) for start in range(0, len(items), size))
