"""Which rooms a profile may book, and what their calendars hold (api.md K18, K28, K30, K33)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from syncd.model.errors import UnsupportedError
from syncd.model.ids import CalendarKey, ResourceKey
from syncd.model.resource import Resource
from syncd.model.room import Room

Span = tuple[datetime, datetime]  # from the first instant to before the second


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomWindow:
    """Which events of a room: spans that meet (``after``, ``before``); more may be told.

    With ``instances``, which need a ``before``, series are told as what they come to there, else
    as they are.
    """

    after: datetime
    before: datetime | None
    instances: bool

    def __post_init__(self) -> None:
        """Refuse instances without an end."""
        if self.instances and self.before is None:
            raise ValueError("instances need an end")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPage:
    """Some of what was asked for; nothing of it is known from before.

    An instance stands alone, as an exception without its series: several resources may have one
    key. ``timezone`` is the calendar's (IANA) where that is told. ``ordered``: what further pages
    begin with begins no earlier than this one's last, give or take a day for all-day events, or
    was told before.
    """

    resources: tuple[Resource, ...] = ()
    unread: Mapping[ResourceKey, str] = field(default_factory=dict)  # why (I10)
    timezone: str | None = None
    ordered: bool = False


class Rooms(Protocol):
    """What an adapter overrides if ``Abilities`` says that its provider has such."""

    async def rooms(self) -> Sequence[Room]:
        """Return all rooms of the profile's organisation; errors as in ``Provider``."""
        return ()

    def room_events(self, room: CalendarKey, window: RoomWindow) -> AsyncIterator[RoomPage]:
        """Yield what the calendar of a room holds now, page by page.

        Raises ForbiddenError where the provider does not show it to this profile.
        """
        raise UnsupportedError("this provider does not show the calendars of rooms")

    async def room_busy(
        self, rooms: Sequence[CalendarKey], after: datetime, before: datetime
    ) -> Sequence[Span]:
        """Return when any of these rooms is taken between two instants, in any order.

        Spans may overlap, and reach beyond. The provider adds up what takes time: not what is
        transparent or cancelled, nor what the room has declined. Raises ForbiddenError where it
        does not tell that of one of them to this profile.
        """
        raise UnsupportedError("this provider does not tell when rooms are taken")
