"""What every provider's test server offers to the suites that run over all of them.

A *stage* is a provider, real or a fake, with a person's other device at it: what is edited here
does not pass through syncd. The suites speak only this language; how a provider stores an event is
its stage's business. What a stage cannot do it names in ``lacks``, and the matrix prints it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from syncd.ports.link import Login
from tests.witness import Neutral


class Lack(StrEnum):
    """What a provider does not have; a scenario that needs it is told as such, not skipped."""

    CALENDAR_RENAME = "nobody can rename its calendars"
    CUSTOM_ZONES = "times keep no zone of their own"
    BROKEN_BODIES = "its events have no lines that could be broken"
    EXPIRING_TOKENS = "its tokens do not expire"
    REFUSED_TOKENS = "it takes a token that it has forgotten for none, and tells everything again"
    CONTACTS = "it has no contacts"
    ROOMS = "it has no rooms"
    PROTECTED_CALENDARS = "every calendar of its servers can be deleted"
    ROOM_CALENDARS = "nobody reads the calendars of its rooms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """An event as a person means it: both times aware in a ``ZoneInfo``, or both dates.

    ``end`` is exclusive; ``rule`` is an RFC 5545 rule without its name, such as
    ``FREQ=WEEKLY;COUNT=8``, one that every provider can store.
    """

    name: str
    start: datetime | date
    end: datetime | date
    description: str | None = None
    location: str | None = None
    rule: str = ""
    attendees: tuple[str, ...] = ()
    transparent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A contact as a person means it."""

    name: str
    email: str = ""
    phone: str = ""


class Stage(Protocol):
    """One person's account; ``calendar`` is a calendar's name, ``key`` an event's name here.

    The stage begins with one writable calendar that is called ``Work`` and has no events; others
    that the provider makes by itself may be there. A stage without ``Lack.ROOMS`` has a room at
    least. A key is never used again after ``remove``.
    """

    name: str  # of the stage: radicale, google …
    provider: str  # of the registry
    lacks: frozenset[Lack]

    def __init__(self, folder: Path) -> None:
        """Keep what must survive a restart in ``folder``."""
        ...

    @property
    def settings(self) -> Mapping[str, Mapping[str, str]]:
        """What an operator sets so that syncd meets this server: keys by provider."""
        ...

    def login(self) -> Login:
        """Return what the person signs in with, as it is right now."""
        ...

    async def start(self) -> None:
        """Serve, at the same address as before; everything is still there."""
        ...

    async def stop(self) -> None:
        """Be unreachable."""
        ...

    async def add_calendar(self, calendar: str) -> None:
        """Make a calendar."""
        ...

    async def rename_calendar(self, calendar: str, name: str) -> None:
        """Give a calendar another name, by which it goes from then on."""
        ...

    async def remove_calendar(self, calendar: str) -> None:
        """Delete a calendar with its events."""
        ...

    async def put(self, calendar: str, key: str, event: Planned) -> None:
        """Write an event or a series; one that is there becomes this, its exceptions stay."""
        ...

    async def put_exception(
        self, calendar: str, key: str, original: datetime | date, event: Planned
    ) -> None:
        """Make one occurrence of a series what ``event`` says (without a rule)."""
        ...

    async def drop_occurrence(self, calendar: str, key: str, original: datetime | date) -> None:
        """Remove one occurrence, or the exception in its place."""
        ...

    async def remove(self, calendar: str, key: str) -> None:
        """Delete an event, or a series with its exceptions."""
        ...

    async def truth(self) -> Neutral:
        """Return what the server holds, read by code that shares nothing with syncd.

        The form is that of ``Replay.neutral``, calendar name → events.
        """
        ...

    def expire_tokens(self) -> None:
        """Refuse every sync token given so far."""
        ...

    def refuse(self) -> None:
        """Take back the person's password or grant: the provider says so from now on."""
        ...

    def accept(self) -> None:
        """Take the credentials that ``login`` returns from now on."""
        ...

    def complaints(self) -> list[str]:
        """Return what syncd asked that the provider's published interface does not allow."""
        ...


@runtime_checkable
class Fills(Protocol):
    """A stage with a quicker way to write many events; others are filled one by one."""

    async def fill(self, calendar: str, events: Mapping[str, Planned]) -> None:
        """Write many events into a calendar."""
        ...


@runtime_checkable
class Breaks(Protocol):
    """A stage without ``Lack.BROKEN_BODIES``."""

    async def put_broken(self, calendar: str, key: str, event: Planned) -> None:
        """Write an event of which a line makes no sense, and the rest is what ``event`` says."""
        ...


@runtime_checkable
class KeepsContacts(Protocol):
    """A stage without ``Lack.CONTACTS``; it begins with none."""

    async def put_contact(self, key: str, contact: Named) -> None:
        """Write a contact; one that is there becomes this."""
        ...

    async def remove_contact(self, key: str) -> None:
        """Delete a contact."""
        ...

    async def contacts(self) -> list[Named]:
        """Return all contacts, read by code that shares nothing with syncd, in any order."""
        ...


@runtime_checkable
class ShowsRooms(Protocol):
    """A stage without ``Lack.ROOM_CALENDARS``."""

    async def add_room(self, calendar: str) -> None:
        """Make a room whose calendar the person may read, and has not in the list of her own.

        It is filled by ``calendar`` as others are; ``truth`` leaves it out.
        """
        ...
