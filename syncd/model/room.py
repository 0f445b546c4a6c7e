"""Rooms and other things that are booked by inviting them (api.md K33)."""

from dataclasses import dataclass

from syncd.model.ids import CalendarKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A resource of an organisation; None where the provider does not say.

    ``calendar`` is the provider's id of its calendar, which may be among the profile's own or not.
    """

    id: str
    email: str
    name: str | None = None
    description: str | None = None
    calendar: CalendarKey | None = None
    is_room: bool = True
    raw: bytes = b""  # the provider's own JSON (K11)
