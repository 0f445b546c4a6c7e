"""A calendar as its provider lists it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from syncd.model.ids import CalendarId, CalendarKey, ProfileId, SyncToken


class Holds(StrEnum):
    """What a collection is for; an address book is synced as a calendar is (ADR 19)."""

    EVENTS = "events"
    CONTACTS = "contacts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One calendar, or address book; None is what the provider lacks or does not tell."""

    key: CalendarKey
    name: str
    description: str | None = None
    location: str | None = None
    timezone: str | None = None  # IANA
    color: str | None = None  # #RRGGBB
    order: int | None = None
    primary: bool = False
    read_only: bool = False
    holds: Holds = Holds.EVENTS


class Mode(StrEnum):
    """How changes of a calendar are found (api.md N8)."""

    TOKEN = "token"  # noqa: S105 - a word, not a secret
    LISTING = "listing"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCalendar:
    """A calendar with what we know of its syncing.

    ``revision`` grows with every recorded page (I5). ``missing`` counts the complete calendar
    lists in a row that did not name it (F4). ``full_reads`` counts those forced by expired
    tokens since ``full_reads_on`` (I8); ``corrections`` the reconciles in a row that found
    something (F9).
    """

    id: CalendarId
    profile_id: ProfileId
    calendar: Calendar
    token: SyncToken | None = None
    revision: int = 0
    mode: Mode = Mode.TOKEN
    polled_at: datetime | None = None
    reconciled_at: datetime | None = None
    reconcile_due_at: datetime | None = None
    first_read_at: datetime | None = None  # when the first read was complete
    missing: int = 0
    missing_at: datetime | None = None
    full_reads: int = 0
    full_reads_at: datetime | None = None
    corrections: int = 0
    failures: int = 0
    retry_at: datetime | None = None
    last_error: str | None = None
    removed_at: datetime | None = None

    @property
    def holds(self) -> Holds:
        """Return what is in it."""
        return self.calendar.holds

    @property
    def key(self) -> CalendarKey:
        """Return the provider's id."""
        return self.calendar.key

    def as_of(self, profile_polled_at: datetime | None) -> "KnownCalendar":
        """Return the calendar with ``polled_at`` as the time when all this was last known true.

        A poll writes only the calendars that it changes: one that neither fails nor is missing is
        as fresh as its profile.
        """
        own = self.polled_at
        if own is None or profile_polled_at is None or self.failures or self.missing:
            return self
        return replace(self, polled_at=max(own, profile_polled_at))

    def lag(self, now: datetime) -> timedelta | None:
        """Return how old our knowledge is, None before the first poll."""
        return None if self.polled_at is None else now - self.polled_at
