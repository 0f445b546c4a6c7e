"""Edits onto a calendar object resource: a file made, changed, or one occurrence less (D19-D21).

Everything that an edit does not touch stays as it was, byte for byte. What reading forgives but
writing cannot mend safely is refused with InvalidError.
"""

from datetime import UTC, date, datetime

from syncd import __version__
from syncd.formats.blocks import Block, made
from syncd.formats.dates import listed
from syncd.formats.forms import Form, set_time
from syncd.formats.ical_edit import Editing, apply_edit, exact, stamp_edit
from syncd.formats.ical_object import CalendarObject, start_at
from syncd.formats.ical_read import read_resource
from syncd.formats.ical_series import edit_series
from syncd.formats.scripts import text
from syncd.formats.vtimezone import vtimezone
from syncd.formats.zones import Zones
from syncd.model.edit import UNSET, EventEdit
from syncd.model.errors import InvalidError, MalformedReplyError
from syncd.model.event import Event
from syncd.model.ids import WHOLE, ResourceKey, Slot
from syncd.model.resource import slot as slot_of_event
from syncd.model.when import moment

_KEY = ResourceKey("/")


def created(edit: EventEdit, *, uid: str, now: datetime, calendar_zone: str | None = None) -> bytes:
    """Return a calendar object with one event; raises InvalidError without start and end."""
    if edit.start is UNSET or edit.end is UNSET:
        raise InvalidError("an event needs a start and an end", field="start")
    told = f"{now:%Y%m%dT%H%M%SZ}"
    empty = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//syncd//syncd "
        f"{__version__}//EN\nBEGIN:VEVENT\nUID:{text(uid)}\nDTSTAMP:{told}\nCREATED:{told}\n"
        "END:VEVENT\nEND:VCALENDAR"
    )
    root = Block("", None, b"\r\n")
    calendar = made(empty, b"\r\n")
    root.insert(calendar)
    (vevent,) = calendar.blocks("VEVENT")
    zones = Zones((), calendar_zone)
    editing = Editing(vevent=vevent, zones=zones, event=None, now=now)
    apply_edit(editing, edit)
    stamp_edit(editing, frozenset())
    _describe(calendar, editing)
    return _checked(root.text(), WHOLE, calendar_zone)


def rewritten(
    raw: bytes, slot: Slot, edit: EventEdit, *, now: datetime, calendar_zone: str | None = None
) -> bytes:
    """Return the object with the event at ``slot`` changed; an occurrence becomes an exception.

    The same bytes come back if the edit changes nothing. Raises NotFoundError if neither an event
    nor a series is there.
    """
    found = CalendarObject(raw, calendar_zone)
    known = found.at(slot)
    place = found.excepted(slot) if known is None else known
    before = place.vevent.copy()
    editing = Editing(vevent=place.vevent, zones=found.zones, event=place.event, now=now)
    apply_edit(editing, edit)
    if known is not None and place.vevent.text() == before.text():
        return raw
    stamp_edit(editing, frozenset(name.upper() for name in edit.raw), before)
    if slot == WHOLE:
        edit_series(editing, found.exceptions(), calendar_zone, found.drop)
    _describe(place.calendar, editing)
    return _checked(found.root.text(), slot, calendar_zone)


def excluded(
    raw: bytes, slot: Slot, *, now: datetime, calendar_zone: str | None = None
) -> bytes | None:
    """Return the object without the occurrence at ``slot``; None if nothing is left in it.

    The same bytes come back if it was excluded already.
    """
    found = CalendarObject(raw, calendar_zone)
    exception = found.at(slot)
    if exception is not None:
        _check_range(exception.vevent)
        found.drop(exception.vevent)
    series = found.at(WHOLE)
    if series is None:
        if exception is not None and not found.exceptions():
            return None
    else:
        before = series.vevent.copy()
        form = found.form(series)
        start = start_at(slot, form)
        if moment(start) not in _excluded(series.event, form):
            series.vevent.add("EXDATE", form.value(form.wall(start)), form.head())
            editing = Editing(vevent=series.vevent, zones=found.zones, event=series.event, now=now)
            stamp_edit(editing, frozenset(), before)
    return found.root.text()


def ended(raw: bytes, *, calendar_zone: str | None = None) -> bytes:
    """Return the object with a DTEND in each of its events, where DURATION or nothing stood."""
    found = CalendarObject(raw, calendar_zone)
    for one in found.endless():
        form = exact(found.form(one), one.event.end, series=False)
        set_time(one.vevent, "DTEND", form, one.event.end)
        one.vevent.remove("DURATION")
    return found.root.text()


def _excluded(series: Event, form: Form) -> set[date]:
    zone = UTC if form.place is None else form.place.zone
    return {moment(one) for one in listed(series.recurrence, "EXDATE", zone)}


def _check_range(vevent: Block) -> None:
    line = vevent.first("RECURRENCE-ID")
    if line is not None and "RANGE" in line.parameters:
        raise InvalidError("an occurrence that stands for all that follow cannot be deleted alone")


def _describe(calendar: Block, editing: Editing) -> None:
    """Add a VTIMEZONE for each zone that was written and that the object lacks."""
    held = {line.text for one in calendar.blocks("VTIMEZONE") if (line := one.first("TZID"))}
    for tzid, year in editing.used.items():
        if tzid not in held:
            blocks = [one for one in calendar.parts if isinstance(one, Block)]
            calendar.insert(made(vtimezone(tzid, year), calendar.eol), before=blocks[0])


def _checked(raw: bytes, slot: Slot, calendar_zone: str | None) -> bytes:
    """Return what was written if it can be read; a value of the caller's may have broken it."""
    try:
        read = read_resource(_KEY, raw, calendar_zone=calendar_zone)
    except MalformedReplyError as error:
        raise InvalidError(str(error)) from None
    if slot not in map(slot_of_event, read.events):
        why = next(iter(read.faults), "the event cannot be read back")
        raise InvalidError(f"the event would not be readable: {why}")
    return raw
