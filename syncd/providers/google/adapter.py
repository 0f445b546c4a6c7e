"""Google in one process: opens profiles, tries grants, knows the colours of events."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial

from syncd.model.errors import InvalidError, MisconfiguredError
from syncd.model.ids import ProfileId
from syncd.model.profile import Profile
from syncd.ports.link import Consent, Consented, Journey, Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import DELEGATED_KEY, REFRESH_TOKEN, Keys, Secret
from syncd.providers.google import wire
from syncd.providers.google.client import GoogleClient
from syncd.providers.google.provider import Clients, GoogleProvider
from syncd.providers.kind import Rim
from syncd.providers.limits import Limits
from syncd.providers.oauth.assertion import assertion, read_key_file
from syncd.providers.oauth.consent import ConsentPage
from syncd.providers.oauth.endpoint import Client, Granted, TokenEndpoint
from syncd.providers.oauth.keeper import Keeper, secrets_of
from syncd.providers.oauth.sign_in import Tokens, accepted, claims, only, tried

_NAME = "Google"
_ADDRESSES = ("token_url", "api_url")
_CLIENT = ("client_id", "client_secret")
_CALENDAR = "https://www.googleapis.com/auth/calendar"
_CONTACTS = "https://www.googleapis.com/auth/contacts.readonly"
# without these Google gives no refresh token to somebody who consented before
_LASTING = {"access_type": "offline", "prompt": "consent"}


class GoogleAdapter:
    """Obeys ``Adapter`` and ``Consenting``."""

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
        self._page = ConsentPage(
            name=_NAME,
            authorize_url=self._settings.get("authorize_url", ""),
            client_id=self._settings.get("client_id", ""),
            needed=_CALENDAR,
            scopes=(
                *("openid", "email", _CALENDAR),
                *self._settings.get("extra_scopes", "").split(),
            ),
            contact_scopes=(_CONTACTS,),
            members=_LASTING,
        )
        self._audience = self._settings.get("token_url", "")
        self._keeper = Keeper(self._endpoint, rim.clock, audience=self._audience)
        self._limits = Limits(
            rim.clock,
            per_minute=int(self._settings.get("requests_per_minute", "10000")),
            per_profile=int(self._settings.get("profile_requests_per_minute", "600")),
        )
        self._palette = dict[str, str]()

    def open(self, profile: Profile, keys: Keys) -> AbstractAsyncContextManager[Provider]:
        """Return the profile; whether its grant still holds shows with the first request."""
        tokens = partial(self._keeper.token, profile, keys)
        clients = Clients(
            calendar=self._client(self._settings.get("api_url", ""), tokens, profile.id),
            people=self._further("people_url", tokens, profile.id),
            directory=self._further("directory_url", tokens, profile.id),
        )
        return nullcontext(GoogleProvider(clients, self._palette))

    async def sign_in(self, login: Login) -> SignedIn:
        """Try a grant; the primary calendar's id is the login (P15)."""
        self._check(_ADDRESSES if login.key_file is not None else (*_CLIENT, *_ADDRESSES))
        if login.key_file is not None:
            return await self._delegated(login.key_file, login.username)
        granted = await tried(self._endpoint, login, _NAME)
        return await self._signed_in(granted, secrets_of(granted, login.refresh_token))

    @property
    def origins(self) -> tuple[str, ...]:
        """Return where people consent."""
        return (self._page.origin,)

    def begin(self, journey: Journey) -> Consent:
        """Send somebody to Google."""
        self._check((*_CLIENT, *_ADDRESSES, "authorize_url"))
        return self._page.begin(journey)

    async def finish(self, consented: Consented) -> SignedIn:
        """Take them back; ``sub`` of the ID token names the person (P15)."""
        self._check((*_CLIENT, *_ADDRESSES))
        granted = await self._page.redeem(self._endpoint, consented)
        return await self._signed_in(granted, secrets_of(granted))

    async def give_up(self, secrets: Mapping[str, Secret]) -> bool:
        """Revoke the grant; the key of a service account is the domain's and stays."""
        token = secrets.get(REFRESH_TOKEN)
        if token is None or not self._settings.get("revoke_url"):
            return False
        await self._endpoint.revoke(token)
        return True

    async def _delegated(self, key_file: Secret, subject: str) -> SignedIn:
        """Act for a user of a domain that delegates this to the service account (G11)."""
        if not subject:
            raise InvalidError("say for whom the service account acts", field="username")
        scope = self._settings.get("delegated_scopes", "")
        key = read_key_file(key_file, subject=subject, scope=scope)
        signed = assertion(key, self._audience, self._rim.clock.now())
        asked = self._endpoint.asserted(signed)
        granted = await accepted(asked, f"{_NAME} does not accept the service account")
        return await self._signed_in(
            granted, {DELEGATED_KEY: key.sealable(), **secrets_of(granted)}
        )

    async def _signed_in(self, granted: Granted, secrets: Mapping[str, Secret]) -> SignedIn:
        client = self._client(self._settings["api_url"], only(granted, _NAME))
        primary = await client.get(*wire.CALENDAR_LIST, wire.PRIMARY)
        name = str(primary["id"])
        subject = claims(granted, self._settings.get("client_id", "")).get("sub")
        identity = subject if isinstance(subject, str) and subject else f"calendar:{name}"
        return SignedIn(
            identity=identity,
            login=name,
            secrets=secrets,
            settings=self._page.remembered(granted),
        )

    def _further(
        self, host: str, tokens: Tokens, profile: ProfileId
    ) -> Callable[[], GoogleClient] | None:
        """Return how to get who asks a host that an operator can do without (G14)."""
        address = self._settings.get(host, "")
        return partial(self._client, address, tokens, profile) if address else None

    def _client(
        self, address: str, tokens: Tokens, profile: ProfileId | None = None
    ) -> GoogleClient:
        rim, limits = self._rim, self._limits
        return GoogleClient(rim.session, rim.clock, address, tokens, limits=limits, profile=profile)

    def _check(self, needed: tuple[str, ...]) -> None:
        if not all(map(self._settings.get, needed)):
            raise MisconfiguredError(f"[providers.google] lacks one of {', '.join(needed)}")
