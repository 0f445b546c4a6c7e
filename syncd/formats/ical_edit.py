"""An edit onto one VEVENT (providers.md, "What iCalendar becomes", the other way round)."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from syncd.formats.alarm_write import set_reminders
from syncd.formats.blocks import Block, headed
from syncd.formats.forms import IN_UTC, Form, Move, form_for, form_of, set_time
from syncd.formats.guests import set_attendees, set_organizer, set_reply
from syncd.formats.ical_event import CUSTOM, geo
from syncd.formats.ical_read import read_vevents
from syncd.formats.recurrence import set_recurrence
from syncd.formats.scripts import one_line, text
from syncd.formats.zones import Zones
from syncd.model.edit import UNSET, EventEdit, Not
from syncd.model.errors import InvalidError
from syncd.model.event import CustomProperty, Event, Geo, Visibility
from syncd.model.ids import ResourceKey
from syncd.model.when import When, is_date, moment

_TEXTS = {"name": "SUMMARY", "description": "DESCRIPTION", "location": "LOCATION", "color": "COLOR"}
_STALE = dict.fromkeys(("ALTREP", "ENCODING", "CHARSET"))  # said something of the old words
_CLASSES = {
    Visibility.PUBLIC: "PUBLIC",
    Visibility.PRIVATE: "PRIVATE",
    Visibility.CONFIDENTIAL: "CONFIDENTIAL",
}
T = TypeVar("T")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_OURS = frozenset({"BEGIN", "END", "UID", "RECURRENCE-ID"})  # what makes it this event
_SIGNIFICANT = (  # RFC 5546 §2.1.4: for these SEQUENCE grows
    *("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "STATUS"),
    "RECURRENCE-ID",
)


@dataclass(slots=True, kw_only=True)
class Editing:
    """A VEVENT that is being changed; ``event`` is what it said before, None for a new one.

    ``move`` tells that the start of a series went elsewhere, ``used`` which zones were written,
    with the first year that they are needed for.
    """

    vevent: Block
    zones: Zones
    event: Event | None
    now: datetime
    move: Move | None = None
    used: dict[str, int] = field(default_factory=dict)


def apply_edit(editing: Editing, edit: EventEdit) -> None:
    """Write what the edit sets; raises InvalidError for what cannot be written."""
    vevent, event = editing.vevent, editing.event
    given = edit.recurrence
    if given is not UNSET and event is not None and given == event.recurrence:
        given = UNSET
    _set_times(editing, edit, carry=given is UNSET)
    if given is not UNSET:
        if given and vevent.first("RECURRENCE-ID") is not None:
            raise InvalidError("an exception cannot repeat", field="recurrence")
        set_recurrence(vevent, given, editing.zones, reformed=editing.move is not None)
    for member, name in _TEXTS.items():
        _set_text(vevent, name, getattr(edit, member))
    _set_words(vevent, edit)
    _set_geo(vevent, edit.geo)
    if edit.organizer is not UNSET:
        set_organizer(vevent, edit.organizer)
    if edit.attendees is not UNSET:
        set_attendees(vevent, edit.attendees)
    if edit.reply is not UNSET:
        set_reply(vevent, edit.reply)
    if edit.custom_properties is not UNSET:
        _set_custom(vevent, edit.custom_properties)
    if edit.reminders is not UNSET:
        zone = editing.zones.floating.zone
        set_reminders(vevent, edit.reminders, reread(vevent, editing.zones), zone)
    _set_raw(vevent, edit.raw)


def stamp_edit(editing: Editing, given: Collection[str], before: Block | None = None) -> None:
    """Write when it was changed and, if times or rules were, that it is a new revision.

    Properties that the caller has ``given`` himself stay as he wrote them (K11).
    """
    vevent, told = editing.vevent, f"{editing.now:%Y%m%dT%H%M%SZ}"
    stamps = {"DTSTAMP": told, "LAST-MODIFIED": told}
    line = vevent.first("SEQUENCE")
    if line is None and before is None:
        stamps["SEQUENCE"] = "0"
    elif before is not None and _told(before) != _told(vevent):
        number = line.value.strip() if line is not None else "0"
        plain = number.isascii() and number.isdecimal() and len(number) < 10  # noqa: PLR2004
        stamps["SEQUENCE"] = str(int(number) + 1 if plain else 1)
    for name, value in stamps.items():
        if name not in given:
            vevent.put(name, value)


def reread(vevent: Block, zones: Zones) -> Event:
    """Return what a VEVENT says by now."""
    ((_, found),) = read_vevents(ResourceKey("/"), [vevent.component()], zones)
    if isinstance(found, str):
        raise InvalidError(f"the event would not be readable: {found}")
    return found


def _told(vevent: Block) -> list[tuple[str, str, str]]:
    return [(one.name, one.head, one.value) for _, one in vevent.lines(*_SIGNIFICANT)]


def _set_times(editing: Editing, edit: EventEdit, *, carry: bool) -> None:
    """Write start and end, each in the form it has if its zone allows (D21), and always DTEND."""
    vevent, event, zones = editing.vevent, editing.event, editing.zones
    start = edit.start if event is None or edit.start is not UNSET else event.start
    end = edit.end if event is None or edit.end is not UNSET else event.end
    zone = _given(edit.start_zone, None if event is None else event.start_zone)
    end_zone = _given(edit.end_zone, None if event is None else event.end_zone)
    if start is UNSET or end is UNSET:
        raise InvalidError("an event needs a start and an end", field="start")
    if is_date(start) != is_date(end):
        raise InvalidError("start and end must both be dates or both be times", field="end")
    if moment(end) < moment(start):
        raise InvalidError("an event cannot end before it starts", field="end")
    starts = event is None or _differs(start, zone, event.start, event.start_zone)
    ends = event is None or _differs(end, end_zone, event.end, event.end_zone)
    if not (starts or ends):
        return
    before = _form(vevent, "DTSTART", zones)
    form = form_for(start, zone, [before]) if starts or before is None else before
    form = exact(form, start, series=_repeats(vevent, edit))
    if starts:
        if event is not None and before is not None:
            old = before.wall(event.start)
            editing.move = Move(before, form, old, form.wall(start))
            if carry and event.recurrence:
                editing.move.dates(vevent, zones)
        set_time(vevent, "DTSTART", form, start)
    end_form = form_for(end, end_zone, [_form(vevent, "DTEND", zones), form])
    end_form = exact(end_form, end, series=False)
    set_time(vevent, "DTEND", end_form, end)
    vevent.remove("DURATION")
    for one in (form, end_form):
        if one.tzid is not None and one.place is not None and one.tzid == one.place.name:
            editing.used[one.tzid] = start.year - 1


def _given(value: T | Not, kept: T) -> T:
    return kept if value is UNSET else value


def _differs(when: When, zone: str | None, before: When, before_zone: str | None) -> bool:
    return moment(when) != moment(before) or zone != before_zone


def _form(vevent: Block, name: str, zones: Zones) -> Form | None:
    line = vevent.first(name)
    return None if line is None else form_of(line, zones)


def _repeats(vevent: Block, edit: EventEdit) -> bool:
    if edit.recurrence is not UNSET:
        return bool(edit.recurrence)
    return next(vevent.lines("RRULE", "RDATE"), None) is not None


def exact(form: Form, when: When, *, series: bool) -> Form:
    """Return UTC for a time that the wall shows twice and that would be read as the other."""
    told = form.when(form.wall(when))
    return form if series or moment(told) == moment(when) else IN_UTC


def _set_text(vevent: Block, name: str, value: str | Not | None) -> None:
    if value is UNSET:
        return
    line = vevent.first(name)
    if value is None:
        vevent.remove(name)
    elif line is None or text(line.text) != text(value):
        vevent.put(name, text(value), "" if line is None else headed(line.head, _STALE))


def _set_words(vevent: Block, edit: EventEdit) -> None:
    if edit.visibility is not UNSET:
        word = _CLASSES.get(edit.visibility) if edit.visibility is not None else None
        line = vevent.first("CLASS")
        if word is None:
            vevent.remove("CLASS")
        elif line is None or _visibility(line.word) != word:
            vevent.put("CLASS", word)
    if edit.transparent is not UNSET:
        line = vevent.first("TRANSP")
        if (line is not None and line.word == "TRANSPARENT") is not edit.transparent:
            vevent.put("TRANSP", "TRANSPARENT" if edit.transparent else "OPAQUE")
    if edit.url is not UNSET:
        line = vevent.first("URL")
        if edit.url is None:
            vevent.remove("URL")
        elif line is None or line.value != edit.url:
            vevent.put("URL", one_line(edit.url, "").strip())


def _set_geo(vevent: Block, value: Geo | Not | None) -> None:
    if value is None:
        vevent.remove("GEO")
    elif value is not UNSET and geo(vevent.first("GEO")) != value:
        vevent.put("GEO", f"{value.lat:.6f};{value.long:.6f}")


def _visibility(word: str) -> str:
    """Return what reading makes of a CLASS: a word that RFC 5545 lacks is private."""
    return word if word in ("PUBLIC", "CONFIDENTIAL", "") else "PRIVATE"


def _set_custom(vevent: Block, wanted: Iterable[CustomProperty]) -> None:
    """Make these the application's own properties, a line each (K26)."""
    rest = {one.key: one for one in wanted}
    for row, line in vevent.lines(CUSTOM):
        given = line.parameters
        known = rest.pop(given.get("X-KEY", ""), None)
        if known is None:
            vevent.drop(row)
        elif line.text != known.value or _private(given) is not known.private:
            vevent.replace(row, CUSTOM, text(known.value), headed(line.head, _custom(known)))
    for one in rest.values():
        vevent.add(CUSTOM, text(one.value), headed("", _custom(one)))


def _custom(one: CustomProperty) -> dict[str, str | None]:
    return {"X-KEY": one.key, "X-PRIVATE": "TRUE" if one.private else "FALSE"}


def _private(given: Mapping[str, str]) -> bool:
    return given.get("X-PRIVATE", "TRUE").upper() != "FALSE"


def _set_raw(vevent: Block, raw: Mapping[str, object]) -> None:
    """Write properties as their values stand in iCalendar; None removes, a list gives several."""
    for name, value in raw.items():
        upper = name.upper()
        if not _NAME.fullmatch(name) or upper in _OURS:
            raise InvalidError(f"{name} cannot be set as it is no free property", field="raw")
        values = value if isinstance(value, list) else [] if value is None else [value]
        told = [one_line(one) for one in values if isinstance(one, str)]
        if len(told) < len(values):
            raise InvalidError(f"the value of {name} must be text", field="raw")
        if told != [line.value for _, line in vevent.lines(upper)]:
            vevent.remove(upper)
            for one in told:
                vevent.add(upper, one)
