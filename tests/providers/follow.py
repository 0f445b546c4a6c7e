"""Follows one profile through the provider port, as an engine would that believes every page."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from aiohttp import ClientSession, DummyCookieJar

from syncd.model.calendar import Calendar, Mode
from syncd.model.ids import CalendarKey, ProfileId, ResourceKey, SyncToken, UserId
from syncd.model.profile import Profile
from syncd.ports.delta import Delta
from syncd.ports.link import Login
from syncd.ports.provider import Provider
from syncd.ports.vault import Secret
from syncd.providers.caldav.adapter import CalDavAdapter
from syncd.providers.icloud.adapter import IcloudAdapter
from syncd.providers.kind import Rim
from tests.fakes.clock import FakeClock
from tests.fakes.keys import FakeKeys
from tests.servers.caldav import CalDavServer


@dataclass(kw_only=True)
class Read:
    """What one read brought; names are the last parts of hrefs."""

    pages: list[Delta]
    upserts: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)  # upserts that differ from what was held
    deleted: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)

    @property
    def last(self) -> Delta:
        return self.pages[-1]

    @property
    def empty(self) -> bool:
        return not (self.changed or self.deleted or self.unread)


class Follower:
    """One calendar: ``held`` is what we have by now, name → summaries."""

    def __init__(self, provider: Provider, key: CalendarKey) -> None:
        self.provider = provider
        self.key = key
        self.token: SyncToken | None = None
        self.held: dict[str, list[str | None]] = {}
        self._etags: dict[ResourceKey, str] = {}
        self._raw: dict[ResourceKey, bytes] = {}

    async def etags(self) -> Mapping[ResourceKey, str]:
        return dict(self._etags)

    async def bodies(self, keys: Collection[ResourceKey]) -> Mapping[ResourceKey, bytes]:
        return {key: self._raw[key] for key in keys if key in self._raw}

    async def read(self, *, full: bool = False) -> Read:
        token = None if full else self.token
        read, named = Read(pages=[]), set[ResourceKey]()
        async for page in self.provider.changes(self.key, token, self):
            check(page)
            read.pages.append(page)
            named |= page.named
            self._apply(page, read)
        if read.last.complete:
            gone = self._etags.keys() - named
            self._delete(gone, read)
        assert all(page.token is None for page in read.pages[:-1])
        assert read.last.token is not None
        self.token = read.last.token
        return read

    def _apply(self, page: Delta, read: Read) -> None:
        for one in page.upserts:
            name, told = _name(one.key), [event.name for event in one.events]
            read.upserts.add(name)
            if self.held.get(name) != told:
                read.changed.add(name)
            self.held[name] = told
            self._etags[one.key] = one.etag
            self._raw[one.key] = one.raw
        read.unread |= {_name(key) for key in page.unread}
        self._delete(page.deleted & self._etags.keys(), read)

    def _delete(self, keys: set[ResourceKey] | frozenset[ResourceKey], read: Read) -> None:
        for key in set(keys):
            del self._etags[key]
            del self._raw[key]
            del self.held[_name(key)]
            read.deleted.add(_name(key))


def check(page: Delta) -> None:
    """A key stands in one set at most, a page holds at most 500 resources, tokens have a mode."""
    sets = [{one.key for one in page.upserts}, page.deleted, page.unread.keys(), page.present]
    assert sum(map(len, sets)) == len(frozenset().union(*sets))
    assert len(page.upserts) <= 500
    assert (page.token is None) == (page.mode is None)
    assert page.mode in {None, Mode.TOKEN, Mode.LISTING}


def _name(key: ResourceKey) -> str:
    return key.rpartition("/")[2]


@dataclass(kw_only=True)
class Desk:
    """An adapter with its clock, signed in at a server."""

    adapter: CalDavAdapter
    clock: FakeClock
    server: CalDavServer
    provider: Provider
    profile: Profile

    async def calendar(self, name: str = "Work") -> Calendar:
        return next(one for one in await self.provider.calendars() if one.name == name)

    async def follow(self, name: str = "Work") -> Follower:
        return Follower(self.provider, (await self.calendar(name)).key)

    def wait(self, seconds: float = 60) -> None:
        self.clock.advance(timedelta(seconds=seconds))


def login_at(server: CalDavServer, *, url: str | None = None) -> Login:
    return Login(
        provider=server.provider,
        username=server.username,
        password=Secret(server.password),
        url=server.url if url is None else url,
    )


@asynccontextmanager
async def new_adapter(
    clock: FakeClock, server: CalDavServer | None = None
) -> AsyncIterator[CalDavAdapter]:
    settings = {} if server is None else server.settings
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        rim = Rim(session=lambda: session, clock=clock, settings=settings)
        yield IcloudAdapter(rim) if "icloud" in settings else CalDavAdapter(rim)


@asynccontextmanager
async def signed_in(server: CalDavServer) -> AsyncIterator[Desk]:
    clock = FakeClock()
    async with new_adapter(clock, server) as adapter:
        signed = await adapter.sign_in(login_at(server))
        profile = Profile(
            id=ProfileId(1),
            user_id=UserId("acc_1"),
            provider=server.provider,
            login=signed.login,
            identity=signed.identity,
            created=clock.now(),
            modified=clock.now(),
            state_since=clock.now(),
            settings=signed.settings,
        )
        async with adapter.open(profile, FakeKeys.password(server.password)) as provider:
            yield Desk(
                adapter=adapter, clock=clock, server=server, provider=provider, profile=profile
            )
