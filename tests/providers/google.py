"""A Google adapter signed in at the fake, and one calendar followed as an engine would."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, DummyCookieJar

from syncd.model.event import Event
from syncd.model.ids import CalendarKey, ProfileId, ResourceKey, UserId
from syncd.model.profile import Profile
from syncd.model.resource import RawResource, Resource
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import Secret
from syncd.providers.google.adapter import GoogleAdapter
from syncd.providers.kind import Rim
from tests.fakes.clock import FakeClock
from tests.fakes.keys import FakeKeys
from tests.providers.follow import Follower, Read
from tests.servers.google import OWNER, GoogleServer

WORK = CalendarKey(OWNER)


@dataclass(kw_only=True)
class GoogleDesk:
    """``follower`` reads the primary calendar; ``held`` are its resources by now."""

    server: GoogleServer
    adapter: GoogleAdapter
    clock: FakeClock
    signed: SignedIn
    profile: Profile
    keys: FakeKeys
    provider: Provider
    follower: Follower
    held: dict[ResourceKey, Resource]

    async def read(self, *, full: bool = False) -> Read:
        read = await self.follower.read(full=full)
        for page in read.pages:
            self.take(page.upserts, page.deleted)
        if read.last.complete:
            named = frozenset().union(*(page.named for page in read.pages))
            self.held = {key: one for key, one in self.held.items() if key in named}
        return read

    def take(self, upserts: tuple[Resource, ...], deleted: frozenset[ResourceKey]) -> None:
        self.held |= {one.key: one for one in upserts}
        for key in deleted:
            self.held.pop(key, None)

    def events(self, key: str) -> tuple[Event, ...]:
        return self.held[ResourceKey(key)].events

    def raw(self, key: str) -> RawResource:
        one = self.held[ResourceKey(key)]
        return RawResource(key=one.key, etag=one.etag, raw=one.raw)


@asynccontextmanager
async def google_adapter(server: GoogleServer, clock: FakeClock) -> AsyncIterator[GoogleAdapter]:
    async with ClientSession(cookie_jar=DummyCookieJar()) as session:
        yield GoogleAdapter(Rim(session=lambda: session, clock=clock, settings=server.settings))


def google_login(server: GoogleServer) -> Login:
    return Login(provider="google", refresh_token=Secret(server.tokens.refresh_token))


@asynccontextmanager
async def google_desk(server: GoogleServer) -> AsyncIterator[GoogleDesk]:
    clock = FakeClock()
    async with google_adapter(server, clock) as adapter:
        signed = await adapter.sign_in(google_login(server))
        profile = Profile(
            id=ProfileId(1),
            user_id=UserId("acc_1"),
            provider="google",
            login=signed.login,
            identity=signed.identity,
            created=clock.now(),
            modified=clock.now(),
            state_since=clock.now(),
        )
        keys = FakeKeys(**{name: one.reveal() for name, one in signed.secrets.items()})
        async with adapter.open(profile, keys) as provider:
            yield GoogleDesk(
                server=server,
                adapter=adapter,
                clock=clock,
                signed=signed,
                profile=profile,
                keys=keys,
                provider=provider,
                follower=Follower(provider, WORK),
                held={},
            )
