"""The unified event and its parts (api.md K17; fields of the Kloudless event in seeds)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from syncd.model.when import When, check_when, is_date

MOST_LAT, MOST_LONG = 90, 180


class Answer(StrEnum):
    """What an attendee answered."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    TENTATIVE = "tentative"
    PENDING = "pending"


class Status(StrEnum):
    """State of an event; Kloudless prints tentative as confirmed."""

    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    CANCELLED = "cancelled"


class Visibility(StrEnum):
    """Who sees an event's details."""

    DEFAULT = "default"
    PUBLIC = "public"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An organizer, creator or attendee; ``answer`` is None where the provider tells none."""

    email: str
    name: str | None = None
    id: str | None = None
    required: bool = True
    resource: bool = False
    answer: Answer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An attachment; its URL is never fetched (O3)."""

    url: str
    id: str | None = None
    name: str | None = None
    mime_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """What an e-mail reminder sends."""

    summary: str
    description: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """``minutes`` before the start, never negative; ``popup`` text or ``email``, or neither."""

    minutes: int
    popup: str | None = None
    email: Email | None = None

    @property
    def method(self) -> str:
        """Return ``email`` or ``popup``."""
        return "email" if self.email else "popup"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomProperty:
    """A pair of the application's own."""

    key: str
    value: str
    private: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Geo:
    """A place in degrees, north and east positive, to six decimals (RFC 5545 §3.8.1.6)."""

    lat: float
    long: float

    def __post_init__(self) -> None:
        """Round, so that equal places are equal; refuse what is not on the globe."""
        if not (abs(self.lat) <= MOST_LAT and abs(self.long) <= MOST_LONG):  # nor NaN
            raise ValueError(f"lat must be within {MOST_LAT} degrees of 0, long within {MOST_LONG}")
        object.__setattr__(self, "lat", round(self.lat, 6) + 0.0)  # -0.0 becomes 0.0
        object.__setattr__(self, "long", round(self.long, 6) + 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A single event, a series, or one exception to a series, as a provider holds it.

    ``end`` is exclusive. Both times are dates (all-day) or both are aware datetimes. Zones are
    IANA names, None for all-day and where none is known. ``recurrence`` holds RFC 5545 lines
    (RRULE, RDATE, EXDATE, EXRULE), unfolded; a non-empty one makes the event a series.
    ``original_start`` makes it an exception: the start that the series' rule gave.
    """

    uid: str
    start: When
    end: When
    start_zone: str | None = None
    end_zone: str | None = None
    name: str | None = None
    description: str | None = None
    location: str | None = None
    geo: Geo | None = None
    created: datetime | None = None
    modified: datetime | None = None
    organizer: Person | None = None
    creator: Person | None = None
    attendees: tuple[Person, ...] = ()
    attachments: tuple[File, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    reminder: int | None = None
    use_default_reminder: bool | None = None  # None: the provider has no such thing
    recurrence: tuple[str, ...] = ()
    original_start: When | None = None
    original_start_zone: str | None = None
    custom_properties: tuple[CustomProperty, ...] = ()
    visibility: Visibility | None = None
    transparent: bool = False
    status: Status = Status.CONFIRMED
    color: str | None = None

    def __post_init__(self) -> None:
        """Refuse naive times and a mixture of dates and times."""
        start, end = self.start, self.end
        check_when(start)
        check_when(end)
        if isinstance(start, datetime) is not isinstance(end, datetime):
            raise ValueError("start and end must both be dates or both be times")

    @property
    def all_day(self) -> bool:
        """Tell whether the event is made of dates."""
        return is_date(self.start)
