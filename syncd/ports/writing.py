"""What a provider can be asked to change (api.md R13; providers.md P11)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from syncd.model.calendar import Calendar
from syncd.model.edit import CalendarEdit, EventEdit
from syncd.model.errors import UnsupportedError
from syncd.model.ids import WHOLE, CalendarKey, ResourceKey, Slot
from syncd.model.resource import RawResource, Resource
from syncd.ports.delta import Delta


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrote:
    """Everything that a write touched, as the provider holds it now.

    ``key`` and ``slot`` find the event itself among ``upserts``; of a delete ``key`` may stand in
    ``deleted``. ``ignored`` names members that this server would not store (R13).
    """

    key: ResourceKey
    slot: Slot = WHOLE
    upserts: tuple[Resource, ...] = ()
    deleted: frozenset[ResourceKey] = frozenset()
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class WroteCalendar:
    """A calendar as the provider holds it now; ``ignored`` as in Wrote."""

    calendar: Calendar
    ignored: frozenset[str] = frozenset()


class Writing(Protocol):
    """What a provider can change; an adapter overrides what its provider offers (P17).

    ``before`` is the resource as the snapshot holds it: its etag is sent along, and ConflictError
    is raised if the provider holds another version by now (412). Nothing is retried here that may
    have been done. Beside the errors of reading, writes raise InvalidError with the provider's own
    words for values that it refuses (InvalidError.field is empty if it does not say which),
    ForbiddenError for what it does not permit, NotFoundError for what is gone, ConflictError for a
    name that is taken, UnsupportedError.
    """

    async def create_event(self, calendar: CalendarKey, edit: EventEdit, *, name: str) -> Wrote:
        """Make an event; ``name`` is URL-safe, at least 22 characters, and makes this idempotent.

        A second call with the same ``name`` makes no second event: it returns the first.
        """
        raise UnsupportedError("events cannot be created at this provider")

    async def update_event(
        self, calendar: CalendarKey, before: RawResource, slot: Slot, edit: EventEdit
    ) -> Wrote:
        """Change the event at ``slot`` of a resource.

        A slot that the resource does not hold yet, but its series yields, becomes an exception.
        """
        raise UnsupportedError("events cannot be changed at this provider")

    async def delete_event(self, calendar: CalendarKey, before: RawResource, slot: Slot) -> Wrote:
        """Delete an event; a series takes its exceptions along, an occurrence is excluded.

        What is gone already is a success (P5).
        """
        raise UnsupportedError("events cannot be deleted at this provider")

    async def move_event(
        self, calendar: CalendarKey, before: RawResource, destination: CalendarKey
    ) -> Wrote:
        """Move a whole resource to another calendar, whose owner then is its organizer (K26).

        ``upserts`` is how it stands there, under the same key.
        """
        raise UnsupportedError("events cannot be moved at this provider")

    async def resources(self, calendar: CalendarKey, keys: Collection[ResourceKey]) -> Delta:
        """Read resources as they are now: ``upserts``, ``deleted`` and ``unread`` of a Delta."""
        raise UnsupportedError("single events cannot be read at this provider")

    async def create_calendar(self, edit: CalendarEdit, *, name: str) -> WroteCalendar:
        """Make a calendar; ``name`` as in ``create_event``."""
        raise UnsupportedError("calendars cannot be created at this provider")

    async def update_calendar(self, calendar: CalendarKey, edit: CalendarEdit) -> WroteCalendar:
        """Change a calendar's properties."""
        raise UnsupportedError("calendars cannot be changed at this provider")

    async def delete_calendar(self, calendar: CalendarKey) -> None:
        """Delete a calendar with all that it holds; one that is gone already is a success."""
        raise UnsupportedError("calendars cannot be deleted at this provider")
