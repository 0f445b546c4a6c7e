"""Exchange in one process: opens profiles, tries logins; each at work in a thread of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from weakref import WeakValueDictionary

from syncd.model.errors import MisconfiguredError
from syncd.model.own import ADDRESSES
from syncd.model.profile import Profile
from syncd.ports.link import SIGN_IN_URL, Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import PASSWORD, Keys, Secret
from syncd.providers.ews.calls import BEARER, protocol_of, read_version
from syncd.providers.ews.client import EwsClient
from syncd.providers.ews.line import Line
from syncd.providers.ews.provider import EwsProvider
from syncd.providers.ews.signing_in import (
    AUTH,
    VERSION,
    ZONE,
    Place,
    sign_in,
    sign_in_with_grant,
)
from syncd.providers.ews.thread import AT_ONCE, Thread
from syncd.providers.kind import Rim
from syncd.providers.oauth.endpoint import Client, TokenEndpoint
from syncd.providers.oauth.keeper import Keeper, secrets_of
from syncd.providers.oauth.sign_in import Tokens, only, tried


class EwsAdapter:
    """Obeys ``Adapter``."""

    def __init__(self, rim: Rim) -> None:
        """Ask nobody yet."""
        self._rim = rim
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        told = rim.settings.get("ews", {})
        self._endpoint = TokenEndpoint(
            Client(
                client_id=told.get("client_id", ""),
                client_secret=Secret(told.get("client_secret", "")),
                token_url=told.get("token_url", ""),
            ),
            rim.session,
            rim.clock,
        )
        self._keeper = Keeper(self._endpoint, rim.clock)
        self._set_up = bool(told.get("client_id") and told.get("token_url"))

    @asynccontextmanager
    async def open(self, profile: Profile, keys: Keys) -> AsyncIterator[Provider]:
        """Yield the profile at the server, in the way and the version that sign-in found (E1)."""
        settings = profile.settings
        if not all(settings.get(one) for one in (SIGN_IN_URL, AUTH, VERSION)):
            raise MisconfiguredError(f"profile {profile.id} knows no server: relink it")
        tokens, password = None, Secret("")
        if settings[AUTH] == BEARER:
            tokens = partial(self._keeper.token, profile, keys)
        elif (kept := await keys.read(PASSWORD)) is not None:
            password = kept
        else:
            raise MisconfiguredError(f"profile {profile.id} has no password: relink it")
        place = Place(
            url=settings[SIGN_IN_URL],
            auth=settings[AUTH],
            version=read_version(settings[VERSION]),
            username=profile.login,
            password=password,
        )
        async with self._client(place, fixed=True, tokens=tokens) as client:
            yield EwsProvider(client, settings.get(ADDRESSES, ""), settings.get(ZONE, ""))

    async def sign_in(self, login: Login) -> SignedIn:
        """Try a login; the address that the server names for it is the person (P15)."""
        if login.refresh_token is None:
            return await sign_in(
                login, self._rim.session, lambda place: self._client(place, fixed=False)
            )
        if not self._set_up:
            raise MisconfiguredError("[providers.ews] lacks client_id or token_url")
        granted = await tried(self._endpoint, login, "Exchange")
        tokens = only(granted, "Exchange")
        return await sign_in_with_grant(
            login,
            secrets_of(granted, login.refresh_token),
            lambda place: self._client(place, fixed=False, tokens=tokens),
        )

    @asynccontextmanager
    async def _client(
        self, place: Place, *, fixed: bool, tokens: Tokens | None = None
    ) -> AsyncIterator[EwsClient]:
        line = Line(self._rim.admits, self._rim.clock)
        protocol = protocol_of(
            url=place.url,
            credentials=(place.username, place.password),
            auth=place.auth,
            version=place.version,
            line=line,
            clock=self._rim.clock,
        )
        name = f"{place.url} {place.username}"
        turn = self._turns.setdefault(name, asyncio.Lock())
        thread = Thread(line, turn, self._gate)
        try:
            yield EwsClient(protocol, line, thread, self._rim.clock, fixed=fixed, tokens=tokens)
        finally:
            protocol.close()
            thread.close()
