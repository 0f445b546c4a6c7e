"""Subscriptions: who is pushed what, and each attempt at it (api.md N14-N20)."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from syncd.model.activity import SHOWN, Filter, Kind
from syncd.model.ids import (
    ApplicationId,
    CalendarId,
    GrantId,
    Position,
    ProfileId,
    UserId,
    short,
)

# between two attempts (N17); after the last one the subscription is disabled
SCHEDULE = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
LONGEST_RETRY_AFTER = timedelta(hours=24)
# to a server of the operator's own; the last one again and again: it is never given up (ADR 46)
OWN_SCHEDULE = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 15, 60))


class Format(StrEnum):
    """How a record is written for the endpoint."""

    STANDARD = "standard"
    CLOUDEVENTS = "cloudevents"
    KLOUDLESS = "kloudless"  # K45: says only that an account has news
    CRONOFY = "cronofy"  # C15: says only since when something has changed
    NATS = "nats"  # N24: a record a message, in a stream of JetStream


SHARED_FORMATS = frozenset({Format.KLOUDLESS, Format.CRONOFY})  # one message tells of a whole poll
WEBHOOK_FORMATS = frozenset({Format.STANDARD, Format.CLOUDEVENTS, Format.KLOUDLESS})  # N14
SIGNED_FORMATS = frozenset({Format.STANDARD, Format.CLOUDEVENTS})  # by a secret of its own (N16)


class Word(StrEnum):
    """The type of a message (N16)."""

    EVENT_ADD = "event.add"
    EVENT_UPDATE = "event.update"
    EVENT_DELETE = "event.delete"
    CALENDAR_ADD = "calendar.add"
    CALENDAR_UPDATE = "calendar.update"
    CALENDAR_DELETE = "calendar.delete"
    CONTACT_ADD = "contact.add"
    CONTACT_UPDATE = "contact.update"
    CONTACT_DELETE = "contact.delete"
    PROFILE_CONNECTED = "profile.connected"
    PROFILE_DISCONNECTED = "profile.disconnected"
    PROFILE_UPDATED = "profile.updated"
    PROFILE_REMOVED = "profile.removed"


TEST = "syncd.test"
NEWS = "activity"  # of a message that says only where to read (K45)
CHANGE = "change"  # of a message that says only since when to read (C15)
_ALL = Filter()  # but contacts
_KINDS = {"event": Kind.EVENT, "calendar": Kind.CALENDAR, "contact": Kind.CONTACT}


class Reason(StrEnum):
    """Why a subscription is disabled; enabling it goes on where it stood."""

    OPERATOR = "operator"  # paused
    GONE = "gone"  # the endpoint answered 410
    EXHAUSTED = "exhausted"  # the last attempt failed
    EXPIRED = "expired"  # retention passed what was not delivered (S9)
    REVOKED = "revoked"  # the grant that it was made through ended, or the application


class Status(StrEnum):
    """How a subscription is doing."""

    ACTIVE = "active"
    FAILING = "failing"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSecret:
    """What messages are signed with, sealed; ``until`` is set once another has replaced it."""

    id: str
    sealed: bytes
    until: datetime | None = None

    def alive(self, now: datetime) -> bool:
        """Tell whether it still signs."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A stored wish to be pushed to.

    It covers a profile, a user's or an application's profiles, or all (``admin``); of these only
    ``profiles`` and ``calendars`` if such are named, and only messages of ``words``, empty for
    all but contacts, and only what its ``client`` manages if ``only_managed`` (C13). ``client`` is
    the application whose secrets sign, where the format says so; ``asked`` is the JSON object that
    a dialect echoes. It ends with the grant that it was made through. ``attempts`` failed so far at
    the message that is next; ``retry_at`` is when it is tried again.
    """

    id: str
    url: str
    created: datetime
    secrets: tuple[SigningSecret, ...]
    format: Format = Format.STANDARD
    description: str | None = None
    words: frozenset[Word] = frozenset()
    profiles: frozenset[ProfileId] = frozenset()
    calendars: frozenset[CalendarId] = frozenset()
    profile_id: ProfileId | None = None
    user_id: UserId | None = None
    application_id: ApplicationId | None = None
    admin: bool = False
    client: ApplicationId | None = None
    grant_id: GrantId | None = None
    only_managed: bool = False
    asked: bytes = b"{}"
    reason: Reason | None = None
    attempts: int = 0
    retry_at: datetime | None = None
    delivered_at: datetime | None = None
    revision: int = 1

    @property
    def enabled(self) -> bool:
        """Tell whether anything is sent."""
        return self.reason is None

    @property
    def status(self) -> Status:
        """Return how it is doing."""
        if self.reason is not None:
            return Status.DISABLED
        return Status.FAILING if self.attempts else Status.ACTIVE

    @property
    def wanted(self) -> Filter:
        """Return a filter that leaves out no record that is to be sent."""
        if not self.words and not self.calendars:
            return _ALL
        kinds = {_KINDS.get(word.partition(".")[0], Kind.ACCOUNT) for word in self.words}
        return Filter(kinds=frozenset(kinds) or SHOWN, calendars=self.calendars or None)

    def names(self, profile: ProfileId) -> bool:
        """Tell whether it is to be told of a profile that it covers."""
        return not self.profiles or profile in self.profiles

    def wants(self, word: Word) -> bool:
        """Tell whether messages of this type are sent."""
        return not self.words or word in self.words

    def signing(self, now: datetime) -> tuple[SigningSecret, ...]:
        """Return the secrets that sign now, the newest first."""
        return tuple(one for one in self.secrets if one.alive(now))


def pause_after(form: Format, failures: int) -> timedelta | None:
    """Return how long to wait after so many failures in a row; None if that was the last try."""
    if form is Format.NATS:
        return OWN_SCHEDULE[min(failures, len(OWN_SCHEDULE)) - 1]
    return SCHEDULE[failures - 1] if failures <= len(SCHEDULE) else None


def message_id(subscription: str, profile: ProfileId, record: str) -> str:
    """Return the id of a record's message to a subscription, in all attempts and replays.

    A record's id is unique in its profile.
    """
    return f"msg_{short(subscription, str(profile), record, length=26)}"


class Outcome(StrEnum):
    """What became of an attempt."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to deliver a record; ``next_at`` is when the next one is due.

    Of a message that tells of many records ``position`` and ``record_id`` are those of the first,
    and ``since`` is the time that it named (C15). A pending one is a replay that was not tried yet.
    """

    id: str
    subscription_id: str
    profile_id: ProfileId
    position: Position
    record_id: str
    attempt: int
    at: datetime
    outcome: Outcome
    code: int | None = None
    duration: timedelta | None = None
    error: str | None = None
    answer: bytes = b""
    next_at: datetime | None = None
    since: datetime | None = None


def channel_document(subscription: Subscription) -> dict[str, Any]:
    """Return C13's object, its filters as they were asked for."""
    return {
        "channel_id": subscription.id,
        "callback_url": subscription.url,
        "filters": json.loads(subscription.asked),
    }


def delivery_id(at: datetime, entropy: bytes) -> str:
    """Return an id; later ones come behind earlier ones."""
    return f"dlv_{int(at.timestamp() * 1_000_000):014x}{entropy.hex()}"
