"""What an edit of a series means to the exceptions that stand beside it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from syncd.formats.blocks import Block
from syncd.formats.dates import aware
from syncd.formats.expand import Recurring, expand_series, zone_of
from syncd.formats.forms import Move, form_for, form_of, set_time
from syncd.formats.ical_edit import Editing, reread, stamp_edit
from syncd.formats.ical_object import later, length_of
from syncd.formats.stamps import stamp
from syncd.model.event import Event
from syncd.model.ids import Slot
from syncd.model.when import instant, is_date, slot_of

_NEAR = timedelta(seconds=1)
_MOST = 10_000  # starts that are looked through for those that a new rule no longer gives

Exceptions = Sequence[tuple[Slot, Block, Event]]


def edit_series(
    editing: Editing,
    exceptions: Exceptions,
    calendar_zone: str | None,
    drop: Callable[[Block], None],
) -> None:
    """Carry the exceptions along when the start moved, and drop those of starts that are gone.

    An exception that stood at its original start moves with it; one with a time of its own keeps
    that. Gone is what the old rule gave and the new one does not, or all when the series ends.
    """
    before = editing.event
    if before is None or not exceptions:
        return
    after = reread(editing.vevent, editing.zones)
    places = {slot: slot for slot, _, _ in exceptions}
    if editing.move is not None:
        for slot, vevent, event in exceptions:
            places[slot] = _carry(editing, editing.move, vevent, event, after)
    if before.recurrence != after.recurrence:
        lost = _lost(before, after, places, calendar_zone)
        for slot, vevent, _ in exceptions:
            if slot in lost:
                drop(vevent)


def _carry(editing: Editing, move: Move, vevent: Block, event: Event, after: Event) -> Slot:
    """Move one exception; return where it stands now."""
    original = event.original_start
    series = editing.event
    assert original is not None  # noqa: S101 - an exception has one
    assert series is not None  # noqa: S101 - so has an exception a series
    copy = vevent.copy()
    moved = move.when(original)
    set_time(vevent, "RECURRENCE-ID", move.after, moved)
    if is_date(event.start) == is_date(original) and event.start == original:
        same = is_date(event.end) == is_date(moved) and length_of(event) != length_of(series)
        length = length_of(event if same else after)
        end = later(moved, length)
        line = vevent.first("DTEND")
        known = None if line is None else form_of(line, editing.zones)
        set_time(vevent, "DTSTART", move.after, moved)
        set_time(vevent, "DTEND", form_for(end, after.end_zone, [known, move.after]), end)
        vevent.remove("DURATION")
    one = Editing(vevent=vevent, zones=editing.zones, event=event, now=editing.now)
    stamp_edit(one, frozenset(), copy)
    return Slot(slot_of(moved))


def _lost(
    before: Event, after: Event, places: Mapping[Slot, Slot], calendar_zone: str | None
) -> list[Slot]:
    """Return the slots of exceptions that the old rule gave and the new one does not.

    Where a rule is too much to step through, none: an exception too many does less harm.
    """
    if not after.recurrence:
        return list(places)
    old = _starts(before, calendar_zone, list(places))
    new = _starts(after, calendar_zone, list(places.values()))
    if old is None or new is None:
        return []
    return [slot for slot, place in places.items() if slot in old and place not in new]


def _starts(event: Event, calendar_zone: str | None, slots: Iterable[Slot]) -> set[str] | None:
    name = calendar_zone if event.all_day else event.start_zone
    series = Recurring(start=event.start, end=event.end, zone=name, recurrence=event.recurrence)
    zone = zone_of(series)
    at = [instant(aware(stamp(slot), zone), zone) for slot in slots]
    found = expand_series(series, min(at) - _NEAR, max(at) + _NEAR, limit=_MOST)
    if found is None or found.cut:
        return None
    return {slot_of(start) for start, _ in found.occurrences}
