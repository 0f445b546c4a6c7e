"""iCloud in one process: where sign-in begins, and who a person is there (IC1, IC2, P15)."""

import re
from dataclasses import replace

from yarl import URL

from syncd.model.errors import MalformedReplyError
from syncd.ports.link import Login, SignedIn
from syncd.providers.caldav.adapter import CalDavAdapter
from syncd.providers.caldav.client import CalDavClient
from syncd.providers.caldav.discovery import PRINCIPAL
from syncd.providers.caldav.flavour import Flavour
from syncd.providers.caldav.provider import CalDavProvider, Places
from syncd.providers.icloud.provider import IcloudProvider
from syncd.providers.icloud.sentences import sentence
from syncd.providers.icloud.trust import trusted
from syncd.providers.kind import Rim

CALENDARS, CONTACTS = "https://caldav.icloud.com/", "https://contacts.icloud.com/"
_NUMBER = re.compile(r"/([0-9]+)/")


class IcloudAdapter(CalDavAdapter):
    """Obeys ``Adapter``."""

    def __init__(self, rim: Rim) -> None:
        """Begin at ``url`` and ``contacts_url`` of ``[providers.icloud]`` (P14)."""
        settings = rim.settings.get("icloud", {})
        self._url = settings.get("url", CALENDARS)
        flavour = Flavour(
            trusts=trusted,
            books=URL(settings.get("contacts_url", CONTACTS)),
            sentence=sentence,
            forbids_strangers=True,
            wants_ends=True,
        )
        super().__init__(rim, flavour)

    async def sign_in(self, login: Login) -> SignedIn:
        """Sign in with an Apple ID and an app-specific password, wherever ``login`` points.

        One Apple ID has several addresses: the person is the number in the principal's path.
        """
        signed = await super().sign_in(replace(login, url=self._url))
        principal = URL(signed.settings[PRINCIPAL], encoded=True)
        number = _NUMBER.match(principal.raw_path)
        if number is None:
            raise MalformedReplyError("iCloud does not name the number of this Apple ID.")
        return replace(signed, identity=number[1])

    def _provider(self, client: CalDavClient, places: Places) -> CalDavProvider:
        return IcloudProvider(client, self._rim.clock, places)
