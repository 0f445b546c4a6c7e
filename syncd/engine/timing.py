"""When an event shall be: given and stored times to final ones (api.md R12, K24): pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from syncd.engine.draft import EventDraft
from syncd.formats.zones import iana
from syncd.model.edit import UNSET, Not
from syncd.model.errors import InvalidError
from syncd.model.event import Event
from syncd.model.when import When

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Both dates, zones None; or both aware, in these zones."""

    start: When
    end: When
    start_zone: str | None
    end_zone: str | None


def default_zone(user: str | None, calendar: str | None) -> str:
    """Return the zone of a time that names none: the user's, the calendar's, UTC (R12)."""
    for name in (user, calendar):
        found = iana(name) if name else None
        if found is not None:
            return found.key
    return "UTC"


def known_zone(name: str, field: str) -> str:
    """Return an IANA name as it is; raises InvalidError for anything else."""
    found = iana(name)
    if found is None or found.key != name:
        raise InvalidError(f"there is no zone {name!r}: use a name of the IANA list", field=field)
    return name


def settle_times(draft: EventDraft, before: Event | None, default: str) -> Times | None:
    """Return the event's times, None if the draft does not touch them.

    What is missing stays as it was, the end too when only the start is given; ``default`` is the
    zone where no other is named. Times of a series that are written back as they were touch
    nothing: a provider writes its pattern anew for them. Raises InvalidError.
    """
    all_day = draft.all_day
    if all_day is UNSET:
        all_day = before is not None and before.all_day
    touched: list[object] = [draft.start, draft.end, draft.all_day]
    if not all_day:  # a zone means nothing on a day
        touched += [draft.start_zone, draft.end_zone]
    if before is not None and all(one is UNSET for one in touched):
        return None
    first = _given(draft.start, None if before is None else before.start, "start")
    last = _given(draft.end, None if before is None else before.end, "end")
    start_zone = _zone(
        draft.start_zone, before.start_zone if before else None, default, "start_time_zone"
    )
    end_zone = _zone(draft.end_zone, before.end_zone if before else None, default, "end_time_zone")
    try:
        start: When
        end: When
        if all_day:
            start, end = _day(first, start_zone), _day_after(last, end_zone)
        else:
            start, end = _in_zone(first, start_zone), _in_zone(last, end_zone)
        backward = end <= start if all_day else _backward(start, end, before)
    except OverflowError:
        raise InvalidError("this is beyond the years 1 to 9999", field="start") from None
    if backward:
        if draft.end is UNSET:
            raise InvalidError("must be before the end, which stays as it is", field="start")
        raise InvalidError("must be after the start", field="end")
    zones = (None, None) if all_day else (start_zone, end_zone)
    times = Times(start=start, end=end, start_zone=zones[0], end_zone=zones[1])
    return None if before is not None and _as_they_are(times, before) else times


def _backward(start: When, end: When, before: Event | None) -> bool:
    """Tell whether times lack a length; an event that never had one may be moved so."""
    if before is not None and not before.all_day and _utc(before.start) == _utc(before.end):
        return _utc(end) < _utc(start)
    return _utc(end) <= _utc(start)


def _as_they_are(times: Times, before: Event) -> bool:
    """Tell whether a series has these times already."""
    if not before.recurrence or times.start_zone != before.start_zone:
        return False
    if isinstance(times.start, datetime) != isinstance(before.start, datetime):
        return False
    pairs = ((times.start, before.start), (times.end, before.end))
    same = times.end_zone == before.end_zone
    return same and all(_order(one) == _order(other) for one, other in pairs)


def _order(when: When) -> When:
    return _utc(when) if isinstance(when, datetime) else when


def _given(value: date | datetime | Not, stored: When | None, field: str) -> date | datetime:
    if value is not UNSET:
        return value
    if stored is None:
        raise InvalidError("required", field=field, fault="required")
    return stored


def _zone(value: str | Not | None, stored: str | None, default: str, field: str) -> str:
    """Return the field's zone; one that was cleared or never known is the default."""
    if value is UNSET:
        return stored or default
    return default if value is None else known_zone(value, field)


def _in_zone(value: date | datetime, zone: str) -> datetime:
    """Return an instant as the clocks of a zone show it; a date begins at 00:00 there."""
    place = ZoneInfo(zone)
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if value.tzinfo is None:  # through UTC: a time that the clocks skip is that much later
        value = value.replace(tzinfo=place).astimezone(UTC)
    return value.astimezone(place)


def _day(value: date | datetime, zone: str) -> date:
    """Return the date; of an instant the one in its zone. A date meets no zone."""
    if not isinstance(value, datetime):
        return value
    return (value if value.tzinfo is None else value.astimezone(ZoneInfo(zone))).date()


def _day_after(value: date | datetime, zone: str) -> date:
    """Return an exclusive end: a time after 00:00 needs that day too."""
    if not isinstance(value, datetime):
        return value
    wall = value if value.tzinfo is None else value.astimezone(ZoneInfo(zone))
    return wall.date() + (_DAY if wall.time() > time() else timedelta())


def _utc(when: When) -> datetime:
    assert isinstance(when, datetime)  # noqa: S101 - timed
    return when.astimezone(UTC)
