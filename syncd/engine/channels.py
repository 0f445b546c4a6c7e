"""When a channel is good for something, and what is to be done about those of a profile: pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.model.calendar import KnownCalendar
from syncd.model.channel import Channel
from syncd.model.errors import (
    ForbiddenError,
    InvalidError,
    MisconfiguredError,
    SyncdError,
    TransientError,
    UnsupportedError,
)
from syncd.model.ids import CalendarId

WINDOW = timedelta(seconds=5)  # one poll for all calls of a calendar in it (P16)
LATER = timedelta(minutes=5)  # when to ask again after a failure
MUCH_LATER = timedelta(days=7)  # and after a refusal: some calendars refuse for ever
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a channel must have been asked for with to be of use now."""

    now: datetime
    generation: int
    address: str


@dataclass(frozen=True, slots=True)
class Open:
    """Ask for a channel of a calendar."""

    calendar: KnownCalendar


@dataclass(frozen=True, slots=True)
class Extend:
    """Ask for more time, or for another channel in its place."""

    calendar: KnownCalendar
    channel: Channel


@dataclass(frozen=True, slots=True)
class Close:
    """End a channel and forget it."""

    channel: Channel


Step = Open | Extend | Close


def poll_due(now: datetime, before: datetime | None) -> datetime | None:
    """Return by when a call wants a poll; None if one that is to come is late enough for it.

    ``before`` is when the last call of this calendar wanted one. A call within the window is not
    lost: one poll after the window answers all of them (P16).
    """
    if before is None or now - before >= WINDOW:
        return now
    return None if before > now else before + WINDOW


def is_open(channel: Channel, terms: Terms) -> bool:
    """Tell whether the provider still calls through it, as far as anybody knows."""
    asked = (channel.generation, channel.address) == (terms.generation, terms.address)
    lasts = channel.expires_at is not None and channel.expires_at > terms.now
    return asked and lasts and channel.remote is not None


def relieved(
    channels: Iterable[Channel], looks: Mapping[CalendarId, datetime], terms: Terms
) -> frozenset[CalendarId]:
    """Return calendars that a provider would have called for, had they changed since a look.

    ``looks`` tells when each was last looked at. A channel counts once a call has come through
    it, and for looks that began after it was open; a call that came after the look unsays it.
    """
    mine = list(channels)
    called = {one.calendar_id for one in mine if _after(one.hinted_at, looks.get(one.calendar_id))}
    good = {
        one.calendar_id
        for one in mine
        if is_open(one, terms)
        and one.heard_at is not None
        and one.calendar_id in looks
        and one.opened_at is not None
        and looks[one.calendar_id] > one.opened_at
    }
    return frozenset(good - called)


def steps(
    calendars: Sequence[KnownCalendar], channels: Sequence[Channel], terms: Terms
) -> Iterator[Step]:
    """Yield what is to be done so that each calendar has one channel, and nothing else has.

    ``channels`` begin with the oldest. A calendar that was refused waits until ``retry_at``.
    """
    wanted = {one.id: one for one in calendars}
    best = {one.calendar_id: one for one in channels if is_open(one, terms)}
    waiting = {one.calendar_id: one for one in channels if _waits(one, terms.now)}
    kept = {one.id for one in (*best.values(), *waiting.values()) if one.calendar_id in wanted}
    yield from (Close(one) for one in channels if one.id not in kept)
    for name, calendar in wanted.items():
        if name in waiting:
            continue
        if name not in best:
            yield Open(calendar)
        elif not _after(best[name].renew_at, terms.now):
            yield Extend(calendar, best[name])


def ask_again(error: SyncdError) -> timedelta:
    """Return how long to leave a provider alone that did not open a channel."""
    if isinstance(error, UnsupportedError | ForbiddenError | InvalidError):
        return MUCH_LATER
    if isinstance(error, MisconfiguredError):
        return LONGEST_WAIT
    wait = error.retry_after if isinstance(error, TransientError) else None
    return min(max(wait or LATER, LATER), LONGEST_WAIT)


def last_hint(channels: Collection[Channel], calendar: CalendarId) -> datetime | None:
    """Return when the last call of a calendar wanted a poll, whichever channel it came through."""
    hints = [one.hinted_at for one in channels if one.calendar_id == calendar]
    return max((one for one in hints if one is not None), default=None)


def _waits(channel: Channel, now: datetime) -> bool:
    return channel.remote is None and _after(channel.retry_at, now)


def _after(instant: datetime | None, other: datetime | None) -> bool:
    """Tell whether something happened, and not before the other was over."""
    return instant is not None and (other is None or instant > other)
