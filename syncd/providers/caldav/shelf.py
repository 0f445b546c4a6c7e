"""Where a profile's address books are: found at sign-in, or later and remembered (D1, D26)."""

from collections.abc import Sequence
from datetime import timedelta

from yarl import URL

from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.link import SIGN_IN_URL
from syncd.providers.caldav.client import CalDavClient
from syncd.providers.caldav.discovery import BOOKS, find_books

ASKED_AGAIN = timedelta(days=1)  # whether a server has learned CardDAV meanwhile


class Shelf:
    """The homes of one profile's address books."""

    def __init__(self, client: CalDavClient, clock: Clock, profile: Profile, home: URL) -> None:
        """Ask through ``client``; what is learned of the server of ``home`` serves all profiles."""
        self._client = client
        self._clock = clock
        self._profile = profile
        self._quirks = client.quirks(home)

    async def homes(self) -> Sequence[URL]:
        """Return the homes, none where the server has no CardDAV: that is asked once a day.

        Profiles from before there were contacts have none in their settings. Raises
        TransientError.
        """
        named = self._profile.settings.get(BOOKS, "").split()
        if named:
            return [URL(text, encoded=True) for text in named]
        known = self._quirks.books.get(self._profile.login)
        if known is not None:
            for home in known:
                self._client.trust(home)
            return known
        start = self._profile.settings.get(SIGN_IN_URL)
        now = self._clock.monotonic()
        if start is None or now < self._quirks.bookless_until:
            return ()
        found = await find_books(self._client, URL(start, encoded=True))
        if found:
            self._quirks.books[self._profile.login] = found
        else:
            self._quirks.bookless_until = now + ASKED_AGAIN.total_seconds()
        return found
