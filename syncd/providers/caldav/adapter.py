"""CalDAV in one process: opens profiles, tries logins, and remembers the servers."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import lru_cache

from yarl import URL

from syncd.model.errors import MisconfiguredError
from syncd.model.profile import Profile
from syncd.ports.link import Login, SignedIn
from syncd.ports.provider import Provider
from syncd.ports.vault import PASSWORD, Keys, Secret
from syncd.providers.caldav.client import CalDavClient
from syncd.providers.caldav.discovery import HOMES, INBOX, ORIGINS, PRINCIPAL, discover
from syncd.providers.caldav.flavour import Flavour
from syncd.providers.caldav.provider import CalDavProvider, Places
from syncd.providers.caldav.quirks import Memory
from syncd.providers.caldav.shelf import Shelf
from syncd.providers.kind import Rim

ANY = Flavour()


class CalDavAdapter:
    """Obeys ``Adapter``; a flavour of CalDAV may have a provider of its own."""

    def __init__(self, rim: Rim, flavour: Flavour = ANY) -> None:
        """Know no server yet."""
        self._rim = rim
        self._flavour = flavour
        self._memory = Memory()

    @asynccontextmanager
    async def open(self, profile: Profile, keys: Keys) -> AsyncIterator[Provider]:
        """Yield the profile at the homes that sign-in found."""
        password = await keys.read(PASSWORD)
        if password is None:
            raise MisconfiguredError(f"profile {profile.id} has no password: relink it")
        homes, inboxes, origins, principals = (
            _urls(profile.settings.get(name, "")) for name in (HOMES, INBOX, ORIGINS, PRINCIPAL)
        )
        if not homes:
            raise MisconfiguredError(f"profile {profile.id} has no calendar home in its settings")
        client = self._client(profile.login, password, [*homes, *origins])
        places = Places(
            homes=homes,
            inbox=inboxes[0] if inboxes else None,
            principal=principals[0] if principals else None,
            shelf=Shelf(client, self._rim.clock, profile, homes[0]),
        )
        yield self._provider(client, places)

    async def sign_in(self, login: Login) -> SignedIn:
        """Find the login's calendars (D1)."""
        return await discover(
            login, lambda url: self._client(login.username, login.password, [url])
        )

    def _provider(self, client: CalDavClient, places: Places) -> CalDavProvider:
        return CalDavProvider(client, self._rim.clock, places)

    def _client(self, username: str, password: Secret, origins: Iterable[URL]) -> CalDavClient:
        return CalDavClient(
            *(self._rim.session(), self._rim.clock, self._memory),
            username=username,
            password=password,
            origins=origins,
            flavour=self._flavour,
        )


@lru_cache(maxsize=4096)  # the same few in each poll
def _urls(text: str) -> tuple[URL, ...]:
    return tuple(URL(one, encoded=True) for one in text.split())
