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
from syncd.ports.link import Consent, Consented, Journey, Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import Keys, Secret
from syncd.providers.graph.client import AT_ONCE, Ask, GraphClient
from syncd.providers.graph.provider import GraphProvider
from syncd.providers.graph.shelf import Shelf
from syncd.providers.kind import Rim
from syncd.providers.oauth.consent import ConsentPage
from syncd.providers.oauth.endpoint import Client, Granted, TokenEndpoint
from syncd.providers.oauth.keeper import Keeper, secrets_of
from syncd.providers.oauth.sign_in import Tokens, claims, only, tried

_NAME = "Microsoft"
_CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad"  # the tenant of all Outlook.com accounts
_LIVE = "https://login.live.com"  # where Microsoft sends the people of Outlook.com on to
_SCOPES = (
    *("offline_access", "openid", "email", "profile", "User.Read", "Calendars.ReadWrite"),
    "MailboxSettings.Read",  # the colours of events
)
_ME = Ask(path=("me",), query={"$select": "id,displayName,mail,userPrincipalName"})


class GraphAdapter:
    """Obeys ``Adapter`` and ``Consenting``."""

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
        self._page = ConsentPage(
            name=_NAME,
            authorize_url=self._settings.get("authorize_url", ""),
            client_id=self._settings.get("client_id", ""),
            needed="Calendars.ReadWrite",
            scopes=(*_SCOPES, *self._settings.get("extra_scopes", "").split()),
            contact_scopes=("Contacts.Read",),
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
        return await self._signed_in(granted, login.refresh_token)

    @property
    def origins(self) -> tuple[str, ...]:
        """Return where people consent."""
        return (self._page.origin, _LIVE)

    def begin(self, journey: Journey) -> Consent:
        """Send somebody to Microsoft; who is not named there chooses the account."""
        self._check()
        chooser = {} if journey.login else {"prompt": "select_account"}
        return self._page.begin(journey, chooser)

    async def finish(self, consented: Consented) -> SignedIn:
        """Take them back."""
        self._check()
        return await self._signed_in(await self._page.redeem(self._endpoint, consented))

    async def _signed_in(self, granted: Granted, used: Secret | None = None) -> SignedIn:
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
            secrets=secrets_of(granted, used),
            settings={
                ADDRESSES: " ".join(dict.fromkeys(addresses)),
                **flavour,
                **self._page.remembered(granted),
            },
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
