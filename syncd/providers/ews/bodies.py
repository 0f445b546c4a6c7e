"""Edits as Exchange's properties: of an update only what changes (P10, providers.md §9); pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from lxml.etree import _Element as Element

from syncd.formats.outlook import dated
from syncd.formats.zones import iana, windows
from syncd.model.edit import UNSET, EventEdit, Not
from syncd.model.event import Person, Visibility
from syncd.model.when import When
from syncd.providers.ews.held import Held
from syncd.providers.ews.payloads import field, named
from syncd.providers.ews.recurrence import write_lines
from syncd.providers.ews.translate import FREE
from syncd.providers.ews.xml import T

_SENSITIVITIES = {Visibility.PRIVATE: "Private", Visibility.CONFIDENTIAL: "Confidential"}
_BUSY = frozenset({"Busy", "Tentative", "OOF"})
_UTC_NAME = "UTC"

Property = tuple[str, Element | None]  # its path, and the value: None to clear it
Begins = tuple[When, str | Not | None]  # when an event begins, and in which zone


def new_item(edit: EventEdit, name: str, zone: str) -> Element:
    """Return an event that is to be made under a name of ours, its members in schema's order.

    Its dates are those of ``zone``, a Windows name, UTC if it is empty. Raises InvalidError
    ``unsupported_recurrence``.
    """
    there = [(uri, one) for uri, one in properties(edit, None, zone) if one is not None]
    item = [one for uri, one in there if uri.startswith("item:")]
    calendar = [one for uri, one in there if uri.startswith("calendar:")]
    return T.CalendarItem(*item, named(name), *calendar)


def updates(edit: EventEdit, held: Held, begins: Begins | None = None) -> list[Element]:
    """Return the changes of an UpdateItem; raises InvalidError ``unsupported_recurrence``.

    ``begins`` is needed where the edit has a rule and no start, as patterns have their first day.
    """
    return [_update(uri, value) for uri, value in properties(edit, held, held.zone, begins)]


def properties(
    edit: EventEdit, held: Held | None, zone: str, begins: Begins | None = None
) -> Iterator[Property]:
    """Yield what an edit sets or clears, in the order of MS-OXWSCORE and MS-OXWSMTGS.

    ``held`` is the item as the snapshot has it, None for a new one; ``zone`` is that of dates.
    """
    if edit.name is not UNSET:
        yield "item:Subject", T.Subject(edit.name) if edit.name else None
    if edit.visibility is not UNSET:
        yield "item:Sensitivity", T.Sensitivity(_sensitivity(edit.visibility, held))
    if edit.description is not UNSET:
        yield "item:Body", T.Body(edit.description or "", BodyType="Text")
    if edit.reminders is not UNSET:
        yield "item:ReminderIsSet", T.ReminderIsSet("true" if edit.reminders else "false")
        for one in edit.reminders[:1]:  # at most one (K27)
            minutes = T.ReminderMinutesBeforeStart(str(one.minutes))
            yield "item:ReminderMinutesBeforeStart", minutes
    yield from _times(edit, zone)
    if edit.transparent is not UNSET:
        shown = _shown(free=edit.transparent, held=held)
        yield "calendar:LegacyFreeBusyStatus", T.LegacyFreeBusyStatus(shown)
    if edit.location is not UNSET:
        yield "calendar:Location", T.Location(edit.location) if edit.location else None
    if edit.attendees is not UNSET:
        yield from _guests(edit.attendees)
    yield from _recurrence(edit, held, zone, begins)
    yield from _zones(edit, zone)


def _times(edit: EventEdit, of_dates: str) -> Iterator[Property]:
    for name, when, given in (
        ("Start", edit.start, edit.start_zone),
        ("End", edit.end, edit.end_zone),
    ):
        if when is not UNSET:
            zone = _place(when, given, of_dates)
            yield f"calendar:{name}", T(name, _wall(when, zone).isoformat())
    if edit.start is not UNSET:
        all_day = not isinstance(edit.start, datetime)
        yield "calendar:IsAllDayEvent", T.IsAllDayEvent("true" if all_day else "false")


def _zones(edit: EventEdit, of_dates: str) -> Iterator[Property]:
    for name, when, given in (
        ("StartTimeZone", edit.start, edit.start_zone),
        ("EndTimeZone", edit.end, edit.end_zone),
    ):
        if when is not UNSET:
            zone = _place(when, given, of_dates)
            yield f"calendar:{name}", T(name, Id=windows(zone.key) or _UTC_NAME)


def _recurrence(
    edit: EventEdit, held: Held | None, of_dates: str, begins: Begins | None
) -> Iterator[Property]:
    """Yield the pattern; a series whose start moves has it written anew, for its first day."""
    lines: Sequence[str] = []
    if held and held.line:
        lines = [dated(held.line, iana(held.zone) or UTC)]
    if edit.recurrence is not UNSET:
        lines = edit.recurrence
        if not lines:
            if held is not None and held.line:
                yield "calendar:Recurrence", None
            return
    if edit.start is not UNSET:
        begins = edit.start, edit.start_zone
    if lines and begins is not None:
        start, given = begins
        yield "calendar:Recurrence", write_lines(lines, start, _place(start, given, of_dates))


def _place(when: When, given: object, of_dates: str) -> ZoneInfo:
    """Return where a time is written: dates in a zone of their own (E11)."""
    named_zone = given if isinstance(given, str) else None
    if not isinstance(when, datetime):
        named_zone = of_dates
    found = iana(named_zone) if named_zone else None
    known = found is not None and windows(found.key) is not None
    return found if found is not None and known else ZoneInfo(_UTC_NAME)


def _wall(when: When, zone: ZoneInfo) -> datetime:
    if isinstance(when, datetime):
        return when.astimezone(zone).replace(microsecond=0)
    return datetime.combine(when, time(), zone)


def _guests(people: Iterable[Person]) -> Iterator[Property]:
    kinds: dict[str, list[Element]] = {
        "RequiredAttendees": [],
        "OptionalAttendees": [],
        "Resources": [],
    }
    for one in people:
        kind = "RequiredAttendees" if one.required else "OptionalAttendees"
        kinds["Resources" if one.resource else kind].append(_guest(one))
    for kind, guests in kinds.items():
        yield f"calendar:{kind}", T(kind, *guests) if guests else None


def _guest(one: Person) -> Element:
    name = [T.Name(one.name)] if one.name else []
    return T.Attendee(T.Mailbox(*name, T.EmailAddress(one.email)))


def _sensitivity(visibility: Visibility | None, held: Held | None) -> str:
    """Return the word; ``Personal`` stays where private is asked for."""
    wanted = _SENSITIVITIES.get(visibility or Visibility.DEFAULT, "Normal")
    before = held.sensitivity if held else ""
    return "Personal" if (wanted, before) == ("Private", "Personal") else wanted


def _shown(*, free: bool, held: Held | None) -> str:
    """Return the word; a finer one of the same side stays, such as ``OOF``."""
    before = held.shows if held else ""
    if before in (FREE if free else _BUSY):
        return before
    return "Free" if free else "Busy"


def _update(uri: str, value: Element | None) -> Element:
    if value is None:
        return T.DeleteItemField(field(uri))
    return T.SetItemField(field(uri), T.CalendarItem(value))
