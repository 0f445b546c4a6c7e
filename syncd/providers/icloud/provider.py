"""One Apple ID behind the provider port."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from syncd.model.calendar import Calendar
from syncd.model.errors import ForbiddenError
from syncd.model.ids import CalendarKey, SyncToken
from syncd.ports.clock import Clock
from syncd.ports.delta import Delta
from syncd.ports.provider import Known
from syncd.providers.caldav import wire
from syncd.providers.caldav.client import Ask, CalDavClient
from syncd.providers.caldav.provider import CalDavProvider, Places


class IcloudProvider(CalDavProvider):
    """One sign-in."""

    def __init__(self, client: CalDavClient, clock: Clock, places: Places) -> None:
        """Ask through ``client``."""
        super().__init__(client, clock, places)
        self._principal = places.principal

    async def calendars(self) -> Sequence[Calendar]:
        """Return every calendar; raises RelinkRequiredError if iCloud lets the person in no more.

        A password that was revoked may be answered with 403, as may a single calendar's refusal:
        only the principal tells them apart (IC2).
        """
        async with self._let_in():
            return await super().calendars()

    async def moved(self, known: Mapping[CalendarKey, SyncToken | None]) -> frozenset[CalendarKey]:
        """Ask which calendars moved; raises RelinkRequiredError as ``calendars`` does."""
        async with self._let_in():
            return await super().moved(known)

    async def changes(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        """Yield what changed; raises RelinkRequiredError as ``calendars`` does."""
        async with self._let_in():
            async for page in super().changes(calendar, token, known):
                yield page

    @asynccontextmanager
    async def _let_in(self) -> AsyncIterator[None]:
        try:
            yield
        except ForbiddenError:
            if self._principal is not None:
                url, body = self._principal, wire.PRINCIPAL
                ask = Ask(method="PROPFIND", url=url, body=body, depth="0", signs_in=True)
                await self._client.multistatus(ask, wire.place)
            raise
