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
from syncd.providers.google.provider import Clients, GoogleProvider
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
        tokens = partial(self._keeper.token, profile, keys)
        clients = Clients(
            calendar=self._client(self._settings["api_url"], tokens),
            people=self._further("people_url", tokens),
            directory=self._further("directory_url", tokens),
        )
        yield GoogleProvider(clients, self._palette)

    async def sign_in(self, login: Login) -> SignedIn:
        """Try a refresh token; the primary calendar's id is the login (P15)."""
        self._check()
        granted = await tried(self._endpoint, login, _NAME)
        client = self._client(self._settings["api_url"], only(granted, _NAME))
        primary = await client.get(*wire.CALENDAR_LIST, wire.PRIMARY)
        name = str(primary["id"])
        subject = claims(granted, self._settings["client_id"]).get("sub")
        identity = subject if isinstance(subject, str) and subject else f"calendar:{name}"
        return SignedIn(
            identity=identity, login=name, secrets=secrets_of(granted, login.refresh_token)
        )

    def _further(self, host: str, tokens: Tokens) -> GoogleClient | None:
        """Return who asks a host that an operator can do without (G14)."""
        address = self._settings.get(host, "")
        return self._client(address, tokens) if address else None

    def _client(self, address: str, tokens: Tokens) -> GoogleClient:
        return GoogleClient(self._rim.session, self._rim.clock, address, tokens)

    def _check(self) -> None:
        if not all(map(self._settings.get, ("client_id", "client_secret", "token_url", "api_url"))):
            raise MisconfiguredError("[providers.google] names no client_id and client_secret")
