"""Google in one process: opens profiles, tries grants, knows the colours of events."""

import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import orjson

from syncd.model.errors import InvalidError, MisconfiguredError, RelinkRequiredError
from syncd.model.profile import Profile
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import REFRESH_TOKEN, Keys, Secret
from syncd.providers.google import wire
from syncd.providers.google.client import GoogleClient, Tokens
from syncd.providers.google.provider import Clients, GoogleProvider
from syncd.providers.kind import Rim
from syncd.providers.oauth.endpoint import Client, Granted, GrantRefusedError, TokenEndpoint
from syncd.providers.oauth.keeper import INVALID_GRANT, Keeper, secrets_of


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
        if login.refresh_token is None:
            raise InvalidError(
                "people sign in at Google itself: a refresh token is needed", field="refresh_token"
            )
        try:
            granted = await self._endpoint.refresh(login.refresh_token)
        except GrantRefusedError as error:
            raise RelinkRequiredError(
                f"Google does not accept the refresh token: {error}", reason=INVALID_GRANT
            ) from error
        access = granted.access_token.reveal()

        async def token(*, refused: str | None = None) -> str:
            if refused is not None:
                raise RelinkRequiredError("Google does not accept its own access token")
            return access

        primary = await self._client(self._settings["api_url"], token).get(
            *wire.CALENDAR_LIST, wire.PRIMARY
        )
        name = str(primary["id"])
        return SignedIn(
            identity=self._subject(granted) or f"calendar:{name}",
            login=name,
            secrets={REFRESH_TOKEN: login.refresh_token, **secrets_of(granted)},
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

    def _subject(self, granted: Granted) -> str | None:
        """Return who the ID token names; it came from Google over TLS (OIDC Core §3.1.3.7, 6)."""
        claims = _claims(granted.members.get("id_token"))
        subject, audience = claims.get("sub"), claims.get("aud")
        ours = audience == self._settings["client_id"]
        return subject if ours and isinstance(subject, str) and subject else None


def _claims(token: object) -> Mapping[str, object]:
    """Return what a JWT claims, nothing if it is none."""
    try:
        part = str(token).split(".")[1]
        told = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return told if isinstance(told, dict) else {}
