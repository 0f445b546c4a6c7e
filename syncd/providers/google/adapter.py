"""Google in one process: opens profiles, tries grants, knows the colours of events."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from syncd.model.errors import MisconfiguredError
from syncd.model.profile import Profile
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import Keys, Secret
from syncd.providers.google import wire
from syncd.providers.google.client import GoogleClient
from syncd.providers.google.provider import GoogleProvider
from syncd.providers.kind import Rim
from syncd.providers.oauth.endpoint import Client, TokenEndpoint
from syncd.providers.oauth.keeper import Keeper, secrets_of
from syncd.providers.oauth.sign_in import Tokens, claims, only, tried

_NAME = "Google"


class GoogleAdapter:
    """Obeys ``Adapter``."""

    def __init__(self, rim: Rim) -> None:
        """Ask nobody yet."""
        self._rim = rim
        self._settings = rim.settings.get("google", {})
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
        self._palette = dict[str, str]()

    @asynccontextmanager
    async def open(self, profile: Profile, keys: Keys) -> AsyncIterator[Provider]:
        """Yield the profile; whether its grant still holds shows with the first request."""
        self._check()
        client = self._client(partial(self._keeper.token, profile, keys))
        yield GoogleProvider(client, self._palette)

    async def sign_in(self, login: Login) -> SignedIn:
        """Try a refresh token; the primary calendar's id is the login (P15)."""
        self._check()
        granted = await tried(self._endpoint, login, _NAME)
        primary = await self._client(only(granted, _NAME)).get(*wire.CALENDAR_LIST, wire.PRIMARY)
        name = str(primary["id"])
        subject = claims(granted, self._settings["client_id"]).get("sub")
        identity = subject if isinstance(subject, str) and subject else f"calendar:{name}"
        return SignedIn(
            identity=identity, login=name, secrets=secrets_of(granted, login.refresh_token)
        )

    def _client(self, tokens: Tokens) -> GoogleClient:
        rim = self._rim
        return GoogleClient(rim.session, rim.clock, self._settings.get("api_url", ""), tokens)

    def _check(self) -> None:
        if not all(map(self._settings.get, ("client_id", "client_secret", "token_url", "api_url"))):
            raise MisconfiguredError("[providers.google] names no client_id and client_secret")
