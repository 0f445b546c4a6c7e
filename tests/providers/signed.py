"""Processes of syncd that share a profile: real stores, and a provider that only signs in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from aiohttp import ClientSession, DummyCookieJar

from syncd.engine.hub import Hub
from syncd.engine.plan import Plan
from syncd.engine.poll import Poller
from syncd.model.abilities import Abilities
from syncd.model.access import User
from syncd.model.calendar import Calendar
from syncd.model.ids import CalendarKey, SyncToken
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import LOGINS, Keys, Secret, credential_place
from syncd.providers.kind import Kind, Rim
from syncd.providers.oauth.endpoint import Client, TokenEndpoint
from syncd.providers.oauth.keeper import Keeper
from syncd.providers.opener import Opener
from syncd.store.open import SqlStore
from tests.fakes.meter import FakeMeter
from tests.fakes.vault import FakeVault
from tests.store.opening import opened
from tests.store.samples import a_profile


class TokenProvider:
    """A provider without calendars, which is asked with a good token all the same."""

    def __init__(self, keeper: Keeper, profile: Profile, keys: Keys) -> None:
        self.keeper, self.profile, self.keys = keeper, profile, keys
        self.seen = list[str]()

    async def token(self, *, refused: str | None = None) -> str:
        return await self.keeper.token(self.profile, self.keys, refused=refused)

    async def calendars(self) -> Sequence[Calendar]:
        self.seen.append(await self.token())
        return ()

    async def address_books(self) -> Sequence[Calendar]:
        return ()

    async def moved(self, known: Mapping[CalendarKey, SyncToken | None]) -> frozenset[CalendarKey]:
        return frozenset(known)

    async def keep_alive(self) -> None:
        self.seen.append(await self.token())


@dataclass
class TokenAdapter:
    """Obeys ``Adapter``."""

    keeper: Keeper

    @asynccontextmanager
    async def open(self, profile: Profile, keys: Keys) -> AsyncIterator[Provider]:
        yield cast("Provider", TokenProvider(self.keeper, profile, keys))

    async def sign_in(self, login: Login) -> SignedIn:
        raise NotImplementedError(login.provider)


@dataclass(kw_only=True)
class Process:
    """One syncd on a database; ``profile`` is the only one."""

    store: SqlStore
    opener: Opener
    clock: Clock
    profile: Profile

    @asynccontextmanager
    async def provider(self) -> AsyncIterator[TokenProvider]:
        profile = await self.store.profile(self.profile.id)
        async with self.opener.open(profile) as one:
            yield cast("TokenProvider", one)

    async def token(self, *, refused: str | None = None) -> str:
        async with self.provider() as one:
            return await one.token(refused=refused)

    async def poll(self) -> Profile:
        """Poll once, and return the profile as it is then."""
        poller = Poller(self.store, self.opener, Hub(), self.clock, FakeMeter(), Plan())
        await poller.poll(await self.store.profile(self.profile.id))
        return await self.store.profile(self.profile.id)

    async def sealed(self) -> dict[str, str]:
        """Return what the vault keeps of the profile."""
        found = dict[str, str]()
        for field in LOGINS:
            kept = await self.store.sealed(self.profile.id, field)
            if kept is not None:
                place = credential_place(self.profile.id, field)
                found[field] = FakeVault().open(kept, place=place).reveal()
        return found


@asynccontextmanager
async def processes(
    count: int, where: Path | str, client: Client, clock: Clock, **login: str
) -> AsyncIterator[list[Process]]:
    """Start so many processes on one database; the profile signed in with ``login``, by field."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(ClientSession(cookie_jar=DummyCookieJar()))
        stores = [await stack.enter_async_context(opened(where, clock=clock)) for _ in range(count)]
        profile = replace(a_profile(), provider="tin", first_read=False)
        sealed = {
            field: FakeVault().seal(Secret(text), place=credential_place(profile.id, field))
            for field, text in login.items()
        }
        await stores[0].add_user(User(id=profile.user_id, name="ada", created=clock.now()))
        await stores[0].add_profile(profile, sealed=sealed, records=())
        yield [
            Process(
                store=store,
                opener=_opener(client, store, http, clock),
                clock=clock,
                profile=profile,
            )
            for store in stores
        ]


def _opener(client: Client, store: SqlStore, http: ClientSession, clock: Clock) -> Opener:
    def start(rim: Rim) -> TokenAdapter:
        endpoint = TokenEndpoint(client, rim.session, rim.clock)
        return TokenAdapter(Keeper(endpoint, rim.clock, audience=client.token_url))

    kind = Kind(
        name="tin",
        service="tin",
        service_name="Tin",
        provider_name="tin",
        provider_service="tin",
        start=cast("Any", start),
        abilities=Abilities(),
    )
    return Opener([kind], Rim(session=lambda: http, clock=clock), store, FakeVault())
