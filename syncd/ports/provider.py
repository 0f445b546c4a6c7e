"""What every provider can do (design §4, providers.md §1)."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from syncd.model.abilities import Abilities
from syncd.model.calendar import Calendar
from syncd.model.errors import UnsupportedError
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from syncd.model.profile import Profile
from syncd.ports.delta import Delta
from syncd.ports.passing import Passing
from syncd.ports.pushing import Pushing
from syncd.ports.rooms import Rooms
from syncd.ports.writing import Writing


class Known(Protocol):
    """The calendar's snapshot as an adapter may ask for it, to fetch only what differs."""

    async def etags(self) -> Mapping[ResourceKey, str]:
        """Return the etag of every resource that the snapshot holds."""
        ...

    async def bodies(self, keys: Collection[ResourceKey]) -> Mapping[ResourceKey, bytes]:
        """Return the raw bodies of those of these resources that the snapshot holds."""
        ...


class Contacts(Protocol):
    """What an adapter that has contacts overrides (api.md K30); without them it has no books."""

    async def address_books(self) -> Sequence[Calendar]:
        """Return every address book of the profile: a complete list, or an error.

        ``Provider.moved`` takes them as it takes calendars.
        """
        return ()

    def contacts(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        """Yield of an address book what ``Provider.changes`` yields of a calendar."""
        raise UnsupportedError("this provider has no contacts")


class Provider(Writing, Rooms, Contacts, Passing, Pushing, Protocol):
    """One profile, signed in at its provider.

    Every method raises TransientError, RelinkRequiredError, ForbiddenError, MalformedReplyError
    or MisconfiguredError; never returns a guess (P1).
    """

    async def calendars(self) -> Sequence[Calendar]:
        """Return every calendar of the profile: a complete list, or an error."""
        ...

    async def moved(self, known: Mapping[CalendarKey, SyncToken | None]) -> frozenset[CalendarKey]:
        """Return which of these may have changed since their tokens; all, if that is unknown."""
        ...

    def changes(
        self, calendar: CalendarKey, token: SyncToken | None, known: Known
    ) -> AsyncIterator[Delta]:
        """Yield what changed since ``token``, or with None a complete listing, page by page.

        Raises SyncTokenExpiredError before the first page if the token is no longer known, and
        NotFoundError if the calendar is gone.
        """
        ...


class Providers(Protocol):
    """Opens profiles at their providers."""

    def open(self, profile: Profile) -> AbstractAsyncContextManager[Provider]:
        """Sign in with the sealed credentials; raises UnsupportedError without an adapter."""
        ...

    def abilities(self, provider: str) -> Abilities:
        """Return what this kind of provider can store; raises UnsupportedError without one."""
        ...
