"""Which events applications made, by the names that they gave them (api.md C10-C12)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from syncd.model.ids import CalendarId, EventId, ProfileId
from syncd.model.managed import ManagedEvent, ManagedKey


class Managed(Protocol):
    """A name is claimed before the provider is asked, so that no crash makes an event twice."""

    async def claim(self, key: ManagedKey, *, name: str, at: datetime) -> ManagedEvent:
        """Return what stands under the key; if nothing does, claim it with ``name``.

        A claim that waits for its event is as of ``at`` from then on.
        """
        ...

    async def managed_event(self, key: ManagedKey) -> ManagedEvent | None:
        """Return what stands under the key."""
        ...

    async def bind(self, claimed: ManagedEvent, event: EventId, at: datetime) -> None:
        """Write which event it is; nothing happens if it was claimed anew meanwhile."""
        ...

    async def release(self, claimed: ManagedEvent) -> None:
        """Forget it, unless it was claimed anew meanwhile."""
        ...

    async def managed_events(
        self,
        application: str,
        calendars: Collection[CalendarId],
        *,
        after: tuple[CalendarId, str] | None = None,
        limit: int = 1000,
    ) -> Sequence[ManagedEvent]:
        """Return what an application manages in these calendars, by (calendar, own id)."""
        ...

    async def own_ids(self, application: str, events: Collection[EventId]) -> Mapping[EventId, str]:
        """Return the application's own id of each of these series and events that it manages."""
        ...

    async def claimed(
        self, application: str, calendars: Collection[CalendarId], *, since: datetime
    ) -> frozenset[CalendarId]:
        """Return those of the calendars in which an event has a name and is not yet known.

        Claims from before ``since`` do not count.
        """
        ...

    async def forget_managed(self, profile: ProfileId, before: datetime) -> int:
        """Forget names of events that neither snapshot nor stream has, unused since ``before``."""
        ...
