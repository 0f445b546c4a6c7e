"""Microsoft Graph in one process: opens profiles, tries grants, counts requests by mailbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from weakref import WeakValueDictionary

from syncd.model.brands import FLAVOUR, OUTLOOK_COM
from syncd.model.errors import MalformedReplyError, MisconfiguredError
from syncd.model.ids import ProfileId
from syncd.model.own import ADDRESSES, own_addresses
from syncd.model.profile import Profile
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import Keys, Secret
from syncd.providers.graph.client import AT_ONCE, Ask, GraphClient
from syncd.providers.graph.provider import GraphProvider
from syncd.providers.graph.shelf import Shelf
from syncd.providers.kind import Rim
from syncd.providers.oauth.endpoint import Client, TokenEndpoint
from syncd.providers.oauth.keeper import Keeper, secrets_of
from syncd.providers.oauth.sign_in import Tokens, claims, only, tried

_NAME = "Microsoft"
_CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"  # the tenant of all Outlook.com accounts
_ME = Ask(path=("me",), query={"$select": "id,displayName,mail,userPrincipalName"})


class GraphAdapter:
    """Obeys ``Adapter``."""

    def __init__(self, rim: Rim) -> None:
        """Ask nobody yet."""
        self._rim = rim
        self._settings = rim.settings.get("graph", {})
        self._endpoint = TokenEndpoint(
            Client(
                client_id=self._settings.get("client_id", ""),
                client_secret=Secret(self._settings.get("client_secret", "")),
                token_url=self._settings.get("token_url", ""),
            ),
            rim.session,
            rim.clock,
        )
        self._keeper = Keeper(self._endpoint, rim.clock)
        self._lanes = WeakValueDictionary[ProfileId, asyncio.Semaphore]()
        self._shelves = dict[ProfileId, tuple[int, Shelf]]()  # by the grant's generation

    @asynccontextmanager
    async def open(self, profile: Profile, keys: Keys) -> AsyncIterator[Provider]:
        """Yield the profile; whether its grant still holds shows with the first request."""
        self._check()
        lanes = self._lanes.setdefault(profile.id, asyncio.Semaphore(AT_ONCE))
        yield GraphProvider(
            self._client(partial(self._keeper.token, profile, keys), lanes),
            own=own_addresses(profile),
            consumer=profile.settings.get(FLAVOUR) == OUTLOOK_COM,
            now=self._rim.clock.now,
            shelf=self._shelf(profile),
        )

    async def sign_in(self, login: Login) -> SignedIn:
        """Try a refresh token; tenant and object of the ID token name the person (P15)."""
        self._check()
        granted = await tried(self._endpoint, login, _NAME)
        lanes = asyncio.Semaphore(AT_ONCE)
        me = await self._client(only(granted, _NAME), lanes).read(_ME)
        addresses = [str(me[one]) for one in ("mail", "userPrincipalName") if me.get(one)]
        if not (addresses and me.get("id")):
            raise MalformedReplyError("Microsoft Graph does not say who signed in")
        told = claims(granted, self._settings["client_id"])
        tenant, person = told.get("tid"), told.get("oid")
        known = isinstance(tenant, str) and isinstance(person, str)
        flavour = {FLAVOUR: OUTLOOK_COM} if tenant == _CONSUMERS else {}
        return SignedIn(
            identity=f"{tenant}.{person}" if known else f"user:{me['id']}",
            login=addresses[0],
            name=me.get("displayName"),
            secrets=secrets_of(granted, login.refresh_token),
            settings={ADDRESSES: " ".join(dict.fromkeys(addresses)), **flavour},
        )

    def _shelf(self, profile: Profile) -> Shelf:
        """Return what is known of a mailbox' folders; another grant is tried anew."""
        generation, shelf = self._shelves.get(profile.id, (0, None))
        if shelf is None or generation != profile.generation:
            shelf = Shelf(self._rim.clock)
            self._shelves[profile.id] = (profile.generation, shelf)
        return shelf

    def _client(self, tokens: Tokens, lanes: asyncio.Semaphore) -> GraphClient:
        rim, base = self._rim, self._settings.get("api_url", "")
        return GraphClient(rim.session, rim.clock, base, tokens, lanes=lanes)

    def _check(self) -> None:
        if not all(map(self._settings.get, ("client_id", "client_secret", "token_url", "api_url"))):
            raise MisconfiguredError("[providers.graph] names no client_id and client_secret")
