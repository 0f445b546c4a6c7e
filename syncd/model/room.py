"""Rooms and other things that are booked by inviting them (api.md K33)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A resource of an organisation; None where the provider does not say.

    ``calendar`` is the id under which its events and free time can be asked for.
    """

    id: str
    email: str
    name: str | None = None
    description: str | None = None
    calendar: str | None = None
    is_room: bool = True
