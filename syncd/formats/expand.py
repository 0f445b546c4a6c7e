"""A series to its occurrences, from model values alone, in wall time of its zone (P9, K23).

The rule is stepped through by ``dateutil`` in naive wall time, near the window where the rule
allows a later start (F19). Everything here is pure and picklable: a caller that cannot trust a
rule runs ``expand_series`` in a process that it can end.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any

from dateutil.rrule import rrule, rrulestr

from syncd.formats.dates import aware, listed
from syncd.formats.rule import number, parts, refusal, rules
from syncd.formats.stamps import stamp
from syncd.formats.zones import iana
from syncd.model.event import Event
from syncd.model.ids import Slot
from syncd.model.when import When, instant, is_date, moment, slot_of

MOST_OCCURRENCES = 2000  # of one series in one listing
_STEPS = {
    "HOURLY": timedelta(hours=1),
    "DAILY": timedelta(days=1),
    "WEEKLY": timedelta(weeks=1),
}
_LONGEST = {**_STEPS, "MONTHLY": timedelta(days=31), "YEARLY": timedelta(days=366)}
_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)  # an event of no length is there when it starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A series as the snapshot's document tells it; ``zone`` of a date is the calendar's."""

    start: When
    end: When
    zone: str | None
    recurrence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """Occurrences as (start, end), in order; ``cut`` if there are more in the window."""

    occurrences: tuple[tuple[When, When], ...]
    cut: bool


def recurring_of(document: Mapping[str, Any], calendar_zone: str | None = None) -> Recurring:
    """Read the series from an event document (api.md K17)."""
    return Recurring(
        start=_read(document["start"]),
        end=_read(document["end"]),
        zone=calendar_zone if document["all_day"] else document["start_time_zone"],
        recurrence=tuple(line["rrule"] for line in document["recurrence"]),
    )


def expand_series(
    series: Recurring, after: datetime, before: datetime, limit: int = MOST_OCCURRENCES
) -> Expansion | None:
    """Return what ends after ``after`` and starts before ``before``; None if it is refused.

    Excluded starts are left out; exceptions are the caller's matter.
    """
    if refusal(series.recurrence) is not None:
        return None
    try:
        return _expand(series, after, before, limit)
    except (ValueError, OverflowError, TypeError, KeyError):  # a rule that dateutil cannot step
        return None


def yields(series: Recurring, slot: Slot) -> bool:
    """Tell whether the rule gives this occurrence (K20); costs what ``expand_series`` does."""
    zone = zone_of(series)
    try:
        at = instant(aware(stamp(slot), zone), zone)
        near = expand_series(series, at - timedelta(seconds=1), at + timedelta(seconds=1))
    except (ValueError, OverflowError):
        return False
    return near is not None and any(slot_of(start) == slot for start, _ in near.occurrences)


def span(event: Event, calendar_zone: str | None) -> tuple[datetime, datetime | None]:
    """Return the ``bounds`` of an event."""
    name = calendar_zone if event.all_day else event.start_zone
    return bounds(
        Recurring(start=event.start, end=event.end, zone=name, recurrence=event.recurrence)
    )


def bounds(series: Recurring) -> tuple[datetime, datetime | None]:
    """Return in UTC what a listing must look at: [first start, last end), None without end.

    The end is a bound, not exact; None also where only stepping through would tell it. What has
    no rule is bounded exactly.
    """
    zone = zone_of(series)
    start, end = _utc(series.start, zone), _utc(series.end, zone)
    if not series.recurrence:
        return start, end
    extra = list[datetime]()
    try:
        extra += [_utc(when, zone) for when in listed(series.recurrence, "RDATE", zone)]
        lasts = [_last(line, series, zone) for line in rules(series.recurrence)]
        # an exact length, of days the longest: never less than that of any occurrence
        longer = _DAY if is_date(series.start) else timedelta()
        return min([start, *extra]), max([start, *extra, *lasts]) + (end - start) + longer
    except (ValueError, OverflowError):  # unreadable, or there until the year 9999
        return min([start, *extra]), None


def _expand(series: Recurring, after: datetime, before: datetime, limit: int) -> Expansion:
    zone = zone_of(series)
    length = instant(series.end, zone) - instant(series.start, zone)
    lower = after.astimezone(zone).replace(tzinfo=None) - length - _DAY
    upper = before.astimezone(zone).replace(tzinfo=None) + _DAY
    excluded = {moment(one) for one in listed(series.recurrence, "EXDATE", zone)}
    found = list[tuple[When, When]]()
    for wall in _walls(series, zone, lower, upper):
        start, end = _occurrence(series, wall, zone, length)
        begins = instant(start, zone)
        if begins >= before:
            break
        if max(instant(end, zone), begins + _MOMENT) <= after or _excludes(excluded, start):
            continue
        if len(found) >= limit:
            return Expansion(occurrences=tuple(found), cut=True)
        found.append((start, end))
    return Expansion(occurrences=tuple(found), cut=False)


def zone_of(series: Recurring) -> tzinfo:
    """Return the zone that the series repeats in; without a name the offset of its start."""
    if series.zone is not None and (found := iana(series.zone)) is not None:
        return found
    if isinstance(series.start, datetime):
        return timezone(series.start.utcoffset() or timedelta())
    return UTC


def _read(text: str) -> When:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _wall(when: When, zone: tzinfo) -> datetime:
    if not isinstance(when, datetime):
        return datetime.combine(when, time())
    written = when.replace(tzinfo=None)
    if written.replace(tzinfo=zone).utcoffset() == when.utcoffset():
        return written  # also one that the clocks skip: the series repeats it as written
    return when.astimezone(zone).replace(tzinfo=None)


def _occurrence(
    series: Recurring, wall: datetime, zone: tzinfo, length: timedelta
) -> tuple[When, When]:
    if not isinstance(series.start, datetime):
        start = wall.date()
        return start, start + timedelta(days=series.end.toordinal() - series.start.toordinal())
    # through UTC: a wall time that a DST change leaves out is that much later (RFC 5545 §3.3.5)
    exact = wall.replace(tzinfo=zone).astimezone(UTC)
    return exact.astimezone(zone), (exact + length).astimezone(zone)


def _walls(series: Recurring, zone: tzinfo, lower: datetime, upper: datetime) -> Iterator[datetime]:
    """Yield starts in wall time, in order, each once."""
    begin = _wall(series.start, zone)
    further = sorted(_wall(when, zone) for when in listed(series.recurrence, "RDATE", zone))
    sources: list[Iterable[datetime]] = [[begin], further]
    for line in rules(series.recurrence):
        rule = _rule(line, series, zone, lower)
        sources.append(rule.xafter(lower, inc=True))
    last = None
    for wall in heapq.merge(*sources):
        if wall > upper:
            return
        if wall != last and wall >= lower:
            yield wall
        last = wall


def _rule(line: str, series: Recurring, zone: tzinfo, lower: datetime) -> rrule:
    """Return the rule in naive wall time, begun near ``lower`` if its steps are all alike."""
    begin, all_day = _wall(series.start, zone), is_date(series.start)
    found = dict(parts(line))
    if "UNTIL" in found:
        until = _until(found["UNTIL"][:8] if all_day else found["UNTIL"], begin, zone)
        found["UNTIL"] = until.strftime("%Y%m%dT%H%M%S")
    step = _STEPS.get(found.get("FREQ", ""))
    if step is not None and "COUNT" not in found and lower > begin:
        stride = step * max(number(found.get("INTERVAL")), 1)
        begin += stride * max((lower - begin) // stride - 1, 0)
    text = ";".join(f"{name}={value}" for name, value in found.items())
    made = rrulestr(text, dtstart=begin)
    if not isinstance(made, rrule):
        raise ValueError("not a single rule")  # noqa: TRY004 - bad content, no bad type
    return made


def _until(text: str, begin: datetime, zone: tzinfo) -> datetime:
    """Return UNTIL in wall time; a date lasts to the time of day that starts have."""
    until = stamp(text)
    if not isinstance(until, datetime):
        return datetime.combine(until, begin.time())
    return _wall(until, zone) if until.tzinfo else until


def _excludes(excluded: set[date], start: When) -> bool:
    """Tell whether EXDATE names this start; a date excludes every start on it."""
    if moment(start) in excluded:
        return True
    return isinstance(start, datetime) and start.date() in excluded


def _last(line: str, series: Recurring, zone: tzinfo) -> datetime:
    """Return a time that no start of the rule is behind; OverflowError if there is none simple."""
    found, begin = parts(line), _wall(series.start, zone)
    if "UNTIL" in found:
        text = found["UNTIL"][:8] if is_date(series.start) else found["UNTIL"]
        return _utc(
            _until(text, datetime.combine(begin, time.max), zone).replace(tzinfo=zone), zone
        )
    count, step = number(found.get("COUNT")), _LONGEST.get(found.get("FREQ", ""))
    plain = not any(name.startswith("BY") for name in found)
    weekly = found.get("FREQ") == "WEEKLY" and "BYDAY" in found
    if not count or step is None or not (plain or weekly) or begin.day > 28:  # noqa: PLR2004
        raise OverflowError("only stepping through would tell")
    last = begin + step * max(number(found.get("INTERVAL")), 1) * count
    return _utc(last.replace(tzinfo=zone), zone)


def _utc(when: When, zone: tzinfo) -> datetime:
    """Return the instant, in UTC; near it if the zone carries it out of the years 1 to 9999."""
    at = instant(when, zone)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return datetime(1 if at.year == 1 else 9999, 1, 1, tzinfo=UTC)
