"""Bodies of resources: multiget in batches that fit the server, single GETs where it must be (D9).

Reading them happens in a thread, a slice at a time, so that the loop goes on (F42).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from yarl import URL

from syncd.model.calendar import Holds
from syncd.model.errors import ForbiddenError, MalformedReplyError, NotFoundError, SyncdError
from syncd.model.ids import ResourceKey
from syncd.model.resource import Resource
from syncd.ports.delta import Delta
from syncd.providers.answers import AbsentError, IllegibleError, OversizeError, PassingError
from syncd.providers.caldav import wire
from syncd.providers.caldav.client import Ask, CalDavClient, Fetched, below
from syncd.providers.caldav.listing import Lister
from syncd.providers.caldav.multistatus import Answer
from syncd.providers.caldav.quirks import FEWEST_HREFS
from syncd.providers.caldav.translate import Body, body_of, path_of, read_bodies
from syncd.providers.limits import TRIES

PAGE = 500  # resources
_SLICE = 50
_FAILURES = 3  # single GETs, before the server is blamed
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What became of some hrefs; what is in neither is gone."""

    bodies: Sequence[Body]
    unread: Mapping[ResourceKey, str]


class Bodies:
    """The resources of one calendar, or address book."""

    def __init__(
        self,
        client: CalDavClient,
        calendar: URL,
        zone: str | None,
        holds: Holds = Holds.EVENTS,
    ) -> None:
        """Read floating times in ``zone``."""
        self._client = client
        self._holds = holds
        self._calendar = calendar
        self._quirks = client.quirks(calendar)
        self._zone = zone
        self._hrefs = self._quirks.hrefs

    async def pages(self, wanted: Mapping[ResourceKey, wire.Entry]) -> AsyncIterator[Delta]:
        """Yield pages of at most 500 of these; an entry that brought its body is not asked for.

        What is gone by now is named on no page.
        """
        brought = [
            body_of(key, one.etag, one.body) for key, one in wanted.items() if one.body is not None
        ]
        for at in range(0, len(brought), PAGE):
            yield await self._read(_Found(bodies=brought[at : at + PAGE], unread={}))
        missing = [(key, one.href) for key, one in wanted.items() if one.body is None]
        while missing:
            some = dict(missing[: self._hrefs])
            found = await self._fetched(some)
            if found is None:
                self._hrefs = max(FEWEST_HREFS, len(some) // 2)
                continue
            missing = missing[len(some) :]
            yield await self._read(found)

    async def one(self, key: ResourceKey) -> Fetched:
        """Return one body with its etag, by a report where GET tells none.

        Raises NotFoundError if it is gone. The etag is empty only if the server has none.
        """
        held = None
        if not (self._quirks.bare_get and self._quirks.multiget):
            held = await self._client.fetch(below(self._calendar, key))
            if held.etag or not self._quirks.multiget:
                return held
            self._quirks.bare_get = True
        try:
            answer = await self._multiget({key: key})
        except (AbsentError, NotFoundError, OversizeError, PassingError):  # a GET came through
            return held or await self._client.fetch(below(self._calendar, key))
        for entry in answer.items:
            if path_of(entry.href, str(self._calendar)) == key and entry.body is not None:
                return Fetched(etag=entry.etag, raw=body_of(key, entry.etag, entry.body).raw)
        return held or await self._client.fetch(below(self._calendar, key))

    async def _fetched(self, hrefs: Mapping[ResourceKey, str]) -> _Found | None:
        """Return what is behind these, None where fewer should be asked for at once."""
        fewest = len(hrefs) <= FEWEST_HREFS
        if not self._quirks.multiget or len(hrefs) == 1:
            return await self._singly(hrefs)
        try:
            answer = await self._multiget(hrefs)
        except NotFoundError:
            return await self._singly(hrefs)
        except AbsentError:
            self._quirks.multiget = False
            return await self._singly(hrefs)
        except OversizeError as error:
            if not isinstance(error, IllegibleError):  # that is one body's, not the server's
                self._quirks.hrefs = max(FEWEST_HREFS, len(hrefs) // 2)
            return await self._singly(hrefs) if fewest else None
        except PassingError as error:
            if not error.smaller:
                raise
            return await self._singly(hrefs) if fewest else None
        return await self._sorted(hrefs, answer)

    async def _sorted(self, hrefs: Mapping[ResourceKey, str], answer: Answer[wire.Entry]) -> _Found:
        """Return what a multiget brought, and what it left out by asking for that singly."""
        bodies, unread = list[Body](), dict[ResourceKey, str]()
        rest = dict(hrefs)
        for one in answer.items:
            key = ResourceKey(path_of(one.href, str(self._calendar)))
            if key not in rest or (one.body is None and one.status is None):
                continue
            del rest[key]
            if one.body is not None:
                bodies.append(body_of(key, one.etag, one.body))
            elif one.status not in _GONE:
                unread[key] = f"the server answered with status {one.status}"
        if rest:
            single = await self._singly(rest, proven=bool(bodies))
            return _Found(bodies=[*bodies, *single.bodies], unread={**unread, **single.unread})
        return _Found(bodies=bodies, unread=unread)

    async def _multiget(self, hrefs: Mapping[ResourceKey, str]) -> Answer[wire.Entry]:
        ask = Ask(
            method="REPORT",
            url=self._calendar,
            body=wire.multiget(hrefs.values(), holds=self._holds),
            depth="1",
            tries=TRIES if len(hrefs) <= FEWEST_HREFS else 1,
        )
        return await self._client.multistatus(ask, wire.entry)

    async def _singly(self, hrefs: Mapping[ResourceKey, str], *, proven: bool = False) -> _Found:
        """Return what single GETs bring; a resource that fails costs only itself (I10).

        Unless others come, it is the server that fails. What is gone is in neither.
        """
        bodies, unread = list[Body](), dict[ResourceKey, str]()
        failed = dict[ResourceKey, SyncdError]()
        for key in hrefs:
            try:
                fetched = await self.one(key)
            except NotFoundError:
                continue
            except (ForbiddenError, MalformedReplyError, PassingError) as error:
                failed[key] = error
                if not (bodies or proven) and len(failed) == min(_FAILURES, len(hrefs)):
                    raise
                continue
            if fetched.raw is None:
                unread[key] = "the resource is larger than 25 MiB"
            else:
                bodies.append(Body(key=key, etag=fetched.etag, raw=fetched.raw))
        if failed and not (bodies or proven):
            raise next(iter(failed.values()))
        if not (bodies or failed or unread):
            await Lister(self._client, self._calendar).check()  # or is it all gone?
        unread |= {key: str(why) for key, why in failed.items()}
        return _Found(bodies=bodies, unread=unread)

    async def _read(self, found: _Found) -> Delta:
        upserts, unread = list[Resource](), dict(found.unread)
        for at in range(0, len(found.bodies), _SLICE):
            some = found.bodies[at : at + _SLICE]
            page = await asyncio.to_thread(read_bodies, some, self._zone, self._holds)
            upserts += page.upserts
            unread |= page.unread
        return Delta(upserts=tuple(upserts), unread=unread)
