"""Dates and instants; a date never meets a zone, an instant is never naive (P9, api.md R12)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache

When = date | datetime  # a date for all-day, else aware
_TWO = tuple(f"{number:02}" for number in range(100))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def is_date(when: When) -> bool:
    """Tell whether this is an all-day value (datetime is a subclass of date)."""
    return not isinstance(when, datetime)


def check_when(when: When) -> None:
    """Raise ValueError for a naive datetime."""
    if isinstance(when, datetime) and when.tzinfo is None:
        raise ValueError("a time must be a date or an aware datetime")


def rfc3339(when: When) -> str:
    """Write a date, or an instant with its offset: seconds, milliseconds only when not zero."""
    if not isinstance(when, datetime):
        return when.isoformat()
    century, year = divmod(when.year, 100)  # by table: a third of what isoformat takes
    text = (
        f"{_TWO[century]}{_TWO[year]}-{_TWO[when.month]}-{_TWO[when.day]}"
        f"T{_TWO[when.hour]}:{_TWO[when.minute]}:{_TWO[when.second]}"
    )
    thousandths = when.microsecond // 1000
    if thousandths:
        text = f"{text}.{thousandths:03}"
    return f"{text}Z" if when.tzinfo is UTC else text + _offset_text(when.utcoffset())


@lru_cache(maxsize=256)  # a calendar knows two or three
def _offset_text(offset: timedelta | None) -> str:
    if not offset:
        return "" if offset is None else "Z"
    return datetime.min.replace(tzinfo=timezone(offset)).isoformat()[19:]


def read_when(text: str) -> When:
    """Read what ``rfc3339`` wrote."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def in_utc(when: datetime) -> datetime:
    """Return the instant in UTC; at the ends of time the wall time stands for it (F21)."""
    if when.tzinfo is UTC:
        return when
    try:
        return when.astimezone(UTC)
    except OverflowError:
        return when.replace(tzinfo=UTC)


def utc(when: datetime) -> str:
    """Write an instant in UTC with ``Z``."""
    return rfc3339(when if when.tzinfo is UTC else in_utc(when))


def moment(when: When) -> date:
    """Return what compares as times do: two of one zone compare as the walls show them, in Python.

    A date and a time are never equal.
    """
    return in_utc(when) if isinstance(when, datetime) else when


def slot_of(when: When) -> str:
    """Return the start as it stands in an occurrence's id: 20261120T090000Z, or 20261120."""
    if isinstance(when, datetime):
        at = in_utc(when)
        return f"{at.year:04}{at:%m%dT%H%M%SZ}"  # %Y has no leading zeros everywhere
    return f"{when.year:04}{when:%m%d}"


def instant(when: When, zone: tzinfo) -> datetime:
    """Return the instant at which this begins; a date begins at 00:00 in ``zone``."""
    if isinstance(when, datetime):
        return when
    return datetime.combine(when, time(), zone)


def pieces(
    after: datetime, before: datetime, longest: timedelta
) -> Iterator[tuple[datetime, datetime]]:
    """Yield a time in pieces that are no longer than this, one behind the other."""
    while after < before:
        end = min(after + longest, before)
        yield after, end
        after = end


def milliseconds(when: datetime) -> int:
    """Return milliseconds since 1970, the store's form of an instant."""
    return (when - _EPOCH) // _MILLISECOND


def from_milliseconds(value: int) -> datetime:
    """Return the instant, in UTC."""
    return _EPOCH + value * _MILLISECOND  # each poll does it often: half of what timedelta() takes
