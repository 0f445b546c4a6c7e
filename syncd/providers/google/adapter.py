"""Google in one process: opens profiles, tries grants, knows the colours of events."""

import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import orjson

from syncd.model.errors import InvalidError, MisconfiguredError, RelinkRequiredError
from syncd.model.ids import ProfileId
from syncd.model.profile import Profile
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import DELEGATED_KEY, Keys, Secret
from syncd.providers.google import wire
from syncd.providers.google.client import GoogleClient, Tokens
from syncd.providers.google.provider import GoogleProvider
from syncd.providers.kind import Rim
from syncd.providers.limits import Limits
from syncd.providers.oauth.assertion import assertion, read_key_file
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
                revoke_url=self._settings.get("revoke_url", ""),
            ),
            rim.session,
            rim.clock,
        )
        self._audience = self._settings.get("token_url", "")
        self._keeper = Keeper(self._endpoint, rim.clock, audience=self._audience)
        self._limits = Limits(
            rim.clock,
            per_minute=int(self._settings.get("requests_per_minute", "10000")),
            per_profile=int(self._settings.get("profile_requests_per_minute", "600")),
        )
        self._palette = dict[str, str]()

    @asynccontextmanager
    async def open(self, profile: Profile, keys: Keys) -> AsyncIterator[Provider]:
        """Yield the profile; whether its grant still holds shows with the first request."""
        client = self._client(partial(self._keeper.token, profile, keys), profile.id)
        yield GoogleProvider(client, self._palette)

    async def sign_in(self, login: Login) -> SignedIn:
        """Try a grant; the primary calendar's id is the login (P15)."""
        delegated = login.key_file is not None
        needed = ("token_url", "api_url", *(() if delegated else ("client_id", "client_secret")))
        if not all(map(self._settings.get, needed)):
            raise MisconfiguredError(f"[providers.google] lacks one of {', '.join(needed)}")
        if login.key_file is not None:
            return await self._delegated(login.key_file, login.username)
        if login.refresh_token is None:
            raise InvalidError(
                "people sign in at Google itself: a refresh token is needed", field="refresh_token"
            )
        granted = await _granted("refresh token", self._endpoint.refresh(login.refresh_token))
        return await self._signed_in(granted, secrets_of(granted, used=login.refresh_token))

    async def _delegated(self, key_file: Secret, subject: str) -> SignedIn:
        """Act for a user of a domain that delegates this to the service account (G11)."""
        if not subject:
            raise InvalidError("say for whom the service account acts", field="username")
        scope = self._settings.get("delegated_scopes", "")
        key = read_key_file(key_file, subject=subject, scope=scope)
        signed = assertion(key, self._audience, self._rim.clock.now())
        granted = await _granted("service account", self._endpoint.asserted(signed))
        return await self._signed_in(
            granted, {DELEGATED_KEY: key.sealable(), **secrets_of(granted)}
        )

    async def _signed_in(self, granted: Granted, secrets: Mapping[str, Secret]) -> SignedIn:
        access = granted.access_token.reveal()

        async def token(*, refused: str | None = None) -> str:
            if refused is not None:
                raise RelinkRequiredError("Google does not accept its own access token")
            return access

        primary = await self._client(token).get(*wire.CALENDAR_LIST, wire.PRIMARY)
        name = str(primary["id"])
        identity = self._subject(granted) or f"calendar:{name}"
        return SignedIn(identity=identity, login=name, secrets=secrets)

    def _client(self, tokens: Tokens, profile: ProfileId | None = None) -> GoogleClient:
        rim, base = self._rim, self._settings.get("api_url", "")
        return GoogleClient(
            rim.session, rim.clock, base, tokens, limits=self._limits, profile=profile
        )

    def _subject(self, granted: Granted) -> str | None:
        """Return who the ID token names; it came from Google over TLS (OIDC Core §3.1.3.7, 6)."""
        claims = _claims(granted.members.get("id_token"))
        subject, audience = claims.get("sub"), claims.get("aud")
        ours = audience == self._settings.get("client_id")
        return subject if ours and isinstance(subject, str) and subject else None


async def _granted(what: str, asked: Awaitable[Granted]) -> Granted:
    try:
        return await asked
    except GrantRefusedError as error:
        raise RelinkRequiredError(
            f"Google does not accept the {what}: {error}", reason=INVALID_GRANT
        ) from error


def _claims(token: object) -> Mapping[str, object]:
    """Return what a JWT claims, nothing if it is none."""
    try:
        part = str(token).split(".")[1]
        told = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return told if isinstance(told, dict) else {}
