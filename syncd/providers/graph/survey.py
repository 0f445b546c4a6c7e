"""Which starts a series does without, and which its exceptions replace (MG7, MG8): pure."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from syncd.formats.expand import Recurring, expand_series, span
from syncd.formats.outlook import Json
from syncd.model.errors import MalformedReplyError
from syncd.model.event import Event
from syncd.model.ids import Slot
from syncd.model.when import When, slot_of
from syncd.providers.graph.series import Whole, is_occurrence, start_at
from syncd.providers.graph.translate import BROKEN, event_of, original_of, start_of
from syncd.providers.graph.window import Window

_EDGE = timedelta(days=1)  # of a window: all-day events have no zone there
_MOST = 4000  # occurrences within a window: one a day is 1,100


def concerns(master: Json, window: Window) -> bool:
    """Tell whether a series may have starts within a window; True where that is not known."""
    try:
        starts_at, ends_at = span(event_of(master, {}), None)
    except MalformedReplyError:
        return True
    return starts_at < window.before + _EDGE and (ends_at is None or ends_at > window.after - _EDGE)


def surveyed(whole: Whole, entries: Iterable[Json], window: Window, before: Whole | None) -> Whole:
    """Return a series with its slots and excluded starts, as a window's entries show them.

    ``entries`` are what ``/instances`` names within ``window``; ``before`` is the series as we
    knew it: what it says outside of the window stays while the pattern does (MG7, MG8). Patterns
    name a day once at most, so starts are compared by their days where the series repeats. Raises
    MalformedReplyError for a series that cannot be read.
    """
    series = event_of(whole.master, {})
    zone = series.start.tzinfo if isinstance(series.start, datetime) else None
    first, last = window.after.date() + _EDGE, window.before.date() - _EDGE
    expected = {
        day: start
        for start in _starts(series, window)
        if first <= (day := _day(start, zone)) <= last
    }
    covered = {_day(start, zone) for start in _occurring(entries)}
    steady = before is not None and _rhythm(before.master) == _rhythm(whole.master)
    known = before.slots if before is not None and steady else {}
    gaps = {day: start for day, start in expected.items() if day not in covered}
    slots = _slots(whole, series, known, gaps)
    taken = {_day(start_at(one, zone), zone) for one in slots.values()}
    excluded = {Slot(slot_of(gaps[day])) for day in gaps.keys() - taken}
    if before is not None and steady:
        former = {one: _day(start_at(one, zone), zone) for one in before.excluded}
        outside = {one for one, day in former.items() if not first <= day <= last}
        excluded |= {one for one in outside if former[one] not in taken}
    return Whole(
        master=whole.master,
        exceptions=whole.exceptions,
        slots=slots,
        excluded=frozenset(excluded),
    )


def _slots(
    whole: Whole, series: Event, known: Mapping[str, Slot], gaps: Mapping[date, When]
) -> dict[str, Slot]:
    """Return which start each exception replaces (MG8): as known, as told, else the nearest."""
    zone = series.start.tzinfo if isinstance(series.start, datetime) else None
    found, silent = dict[str, Slot](), dict[str, date]()
    for key, item in whole.exceptions.items():
        original = original_of(item, series, whole.master)
        if key in known:
            found[key] = known[key]
        elif original is not None:
            found[key] = Slot(slot_of(original))
        else:
            with suppress(*BROKEN):  # it will be named as a fault
                silent[key] = _day(start_of(item), zone)
    taken = {_day(start_at(one, zone), zone) for one in found.values()}
    free = sorted(gaps.keys() - taken)
    for key in sorted(silent, key=lambda one: (silent[one], one)):
        if free:
            nearest = _nearest(free, silent[key])
            free.remove(nearest)
            found[key] = Slot(slot_of(gaps[nearest]))
    return found


def _starts(series: Event, window: Window) -> list[When]:
    """Return the starts that the pattern names, none for a rule that is not expanded."""
    recurring = Recurring(
        start=series.start, end=series.end, zone=series.start_zone, recurrence=series.recurrence
    )
    found = expand_series(recurring, window.after, window.before, _MOST)
    return [] if found is None else [start for start, _ in found.occurrences]


def _occurring(entries: Iterable[Json]) -> Iterator[When]:
    for one in entries:
        if is_occurrence(one):
            try:
                yield start_of(one)
            except BROKEN as error:
                raise MalformedReplyError(f"occurrence {one['id']} has no start") from error


def _rhythm(master: Mapping[str, Any]) -> object:
    """Return what the starts of a series follow from."""
    names = ("recurrence", "start", "isAllDay", "originalStartTimeZone")
    return [master.get(name) for name in names]


def _day(when: When, zone: tzinfo | None) -> date:
    """Return the day of a start where its series repeats."""
    if not isinstance(when, datetime):
        return when
    return (when.astimezone(zone) if zone else when).date()


def _nearest(days: Iterable[date], day: date) -> date:
    return min(days, key=lambda one: (abs(one - day), one))
