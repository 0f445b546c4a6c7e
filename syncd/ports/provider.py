"""What every provider can do, and the pages it answers with (design §4, providers.md §1)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from syncd.model.calendar import Calendar, Mode
from syncd.model.ids import CalendarKey, ResourceKey, SyncToken
from syncd.model.profile import Profile
from syncd.model.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One page of what the provider says of a calendar; a key stands in at most one of the sets.

    A page with ``complete`` ends a proven listing (2xx, every page read and parsed, P1): what no
    page named is absent (I7). A change feed never sets it.
    """

    upserts: tuple[Resource, ...] = ()
    deleted: frozenset[ResourceKey] = frozenset()  # tombstones
    unread: Mapping[ResourceKey, str] = field(default_factory=dict)  # why; stays as it was (I10)
    present: frozenset[ResourceKey] = frozenset()  # named, unchanged since ``known``
    complete: bool = False  # last page of a proven listing
    token: SyncToken | None = None  # with the last page only (I1)
    mode: Mode | None = None  # how the next changes will be found; with the last page
    reconcile: bool = False  # the feed looked wrong: list everything soon (D12)

    @property
    def named(self) -> frozenset[ResourceKey]:
        """Return every key that this page names as being there."""
        return frozenset(one.key for one in self.upserts) | self.unread.keys() | self.present


class Known(Protocol):
    """The calendar's snapshot as an adapter may ask for it, to fetch only what differs."""

    async def etags(self) -> Mapping[ResourceKey, str]:
        """Return the etag of every resource that the snapshot holds."""
        ...


class Provider(Protocol):
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
