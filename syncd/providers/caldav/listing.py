"""What a calendar holds: asked by PROPFIND or by sync-collection, with etags (D8, D10)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import ClientTimeout
from yarl import URL

from syncd.model.calendar import Holds
from syncd.model.errors import MalformedReplyError, NotFoundError, SyncTokenExpiredError
from syncd.model.ids import ResourceKey, short
from syncd.providers.answers import AbsentError
from syncd.providers.caldav import wire
from syncd.providers.caldav.client import QUICK, SLOW, Ask, CalDavClient
from syncd.providers.caldav.multistatus import Answer
from syncd.providers.caldav.translate import path_of

MOST_PARTS = 10_000  # of one answer cut by 507 (F10)
_GONE = frozenset({404, 410})
_MORE = 507
_LARGE = 5000  # responses; some 10 ms of work

Members = dict[ResourceKey, wire.Entry]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One answer: ``members`` are there, ``gone`` are not (D11); ``more`` is 507 (D8)."""

    members: Members
    gone: frozenset[ResourceKey] = frozenset()
    token: str | None = None
    ctag: str | None = None
    more: bool = False

    def says_nothing(self, *, after: str | None) -> bool:
        """Tell whether it brings nothing, or just what was read before, by that echo (D13)."""
        if not self.members and not self.gone:
            return True
        return after is not None and after == self.echo()

    def echo(self) -> str | None:
        """Return a digest of what it says; None if an etag is missing, as that says nothing."""
        if not all(one.etag for one in self.members.values()):
            return None
        told = sorted((key, one.etag) for key, one in self.members.items())
        return short(*(word for pair in told for word in pair), "", *sorted(self.gone))


class Lister:
    """Asks one calendar, or address book, what it holds."""

    def __init__(self, client: CalDavClient, calendar: URL, holds: Holds = Holds.EVENTS) -> None:
        """Ask through ``client``."""
        self._client = client
        self._holds = holds
        self._calendar = calendar
        self._own = path_of(calendar.raw_path, str(calendar)).rstrip("/")

    async def since(self, token: str, *, bodies: bool) -> Part:
        """Return changes since ``token``, with an empty one everything (RFC 6578 §3.2)."""
        ask = Ask(
            method="REPORT",
            url=self._calendar,
            body=wire.sync_collection(token, bodies=bodies, holds=self._holds),
            depth="0",
            timeout=QUICK if token else SLOW,
            with_token=bool(token),
            dispensable=True,
        )
        answer = await self._client.multistatus(ask, wire.entry)
        part = await self._parted(answer)
        if part.token is None:
            raise MalformedReplyError("the answer to sync-collection has no sync-token")
        if part.more and part.token == token:
            raise MalformedReplyError("the answer to sync-collection goes round in circles")
        return part

    async def all_by_sync(self) -> Part:
        """Return everything with the token that follows it."""
        members, token = Members(), ""
        for _ in range(MOST_PARTS):
            try:
                part = await self.since(token, bodies=False)
            except SyncTokenExpiredError:
                raise AbsentError("the server refuses the tokens that it gave itself") from None
            members = {key: one for key, one in members.items() if key not in part.gone}
            members |= part.members
            token = part.token or ""
            if not part.more:
                return Part(members=members, token=token)
        raise MalformedReplyError("the answer to sync-collection has no end")

    async def all_by_propfind(self) -> Part:
        """Return everything with the ctag, and the sync token where the server tells it."""
        answer = await self._propfind(wire.MEMBERS, depth="1", timeout=SLOW)
        own = self._own_entry(answer)
        part = await self._parted(answer)
        return Part(members=part.members, token=own.sync_token, ctag=own.ctag)

    async def ctag(self) -> str | None:
        """Return the calendar's ctag (D14)."""
        answer = await self._propfind(wire.MOVED, depth="0", timeout=QUICK)
        return self._own_entry(answer).ctag

    async def check(self) -> None:
        """Raise NotFoundError if the calendar is gone."""
        await self.ctag()

    async def _propfind(
        self,
        body: bytes,
        *,
        depth: str,
        timeout: ClientTimeout,  # noqa: ASYNC109 - aiohttp's
    ) -> Answer[wire.Entry]:
        ask = Ask(method="PROPFIND", url=self._calendar, body=body, depth=depth, timeout=timeout)
        return await self._client.multistatus(ask, wire.entry)

    def _own_entry(self, answer: Answer[wire.Entry]) -> wire.Entry:
        """Return what the answer says of the calendar; without that it is no proof (F1)."""
        for one in answer.items:
            if self._is_own(self._key(one)):
                if one.status in _GONE:
                    raise NotFoundError("the calendar is gone")
                return one
        raise MalformedReplyError("the answer does not name the calendar")

    async def _parted(self, answer: Answer[wire.Entry]) -> Part:
        return await aside(len(answer.items), self._part, answer)

    def _part(self, answer: Answer[wire.Entry]) -> Part:
        members, gone, more = Members(), set[ResourceKey](), False
        for one in answer.items:
            key = self._key(one)
            if self._is_own(key):
                more = more or one.status == _MORE
                if one.status in _GONE:
                    raise NotFoundError("the calendar is gone")
            elif one.collection or key.endswith("/"):
                continue
            elif one.status in _GONE:
                for other in (key, *map(self._path, one.others)):
                    gone.add(other)
                    members.pop(other, None)
            else:
                members[key] = one
                gone.discard(key)
        return Part(members=members, gone=frozenset(gone), token=answer.sync_token, more=more)

    def _key(self, one: wire.Entry) -> ResourceKey:
        return self._path(one.href)

    def _path(self, href: str) -> ResourceKey:
        return ResourceKey(path_of(href, str(self._calendar)))

    def _is_own(self, key: ResourceKey) -> bool:
        return key.rstrip("/") == self._own


async def aside(size: int, work: Callable[..., T], *args: object) -> T:
    """Return what ``work`` returns; if much is at hand, from a thread: the loop goes on (F42)."""
    return await asyncio.to_thread(work, *args) if size > _LARGE else work(*args)
