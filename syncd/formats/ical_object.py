"""A calendar object open for edits, with its events found as reading finds them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from syncd.formats.blocks import Block, opened
from syncd.formats.forms import DATE, Form, form_of, set_time
from syncd.formats.ical_read import read_vevents
from syncd.formats.lines import Component
from syncd.formats.recurrence import NAMES
from syncd.formats.stamps import stamp
from syncd.formats.zones import Zones
from syncd.model.errors import NotFoundError
from syncd.model.event import Event
from syncd.model.ids import WHOLE, ResourceKey, Slot
from syncd.model.resource import slot as slot_of_event
from syncd.model.when import When

_KEY = ResourceKey("/")


@dataclass(frozen=True, slots=True)
class Placed:
    """An event where it stands."""

    calendar: Block
    vevent: Block
    event: Event


class CalendarObject:
    """A calendar object, open, with its events found in it as reading finds them."""

    def __init__(self, raw: bytes, calendar_zone: str | None) -> None:
        """Open it; raises InvalidError if it is broken."""
        self.root = opened(raw)
        calendars = self.root.blocks("VCALENDAR")
        described = [
            one.component() for calendar in calendars for one in calendar.blocks("VTIMEZONE")
        ]
        self.zones = Zones(described, calendar_zone)
        places = list[tuple[Component, Block, Block]]()
        for calendar in calendars:
            places += [(one.component(), calendar, one) for one in calendar.blocks("VEVENT")]
        where = {id(component): (calendar, one) for component, calendar, one in places}
        self._placed = dict[Slot, Placed]()
        read = read_vevents(_KEY, [component for component, _, _ in places], self.zones)
        for component, event in read:
            if isinstance(event, Event):
                calendar, vevent = where[id(component)]
                self._placed[slot_of_event(event)] = Placed(calendar, vevent, event)

    def at(self, slot: Slot) -> Placed | None:
        """Return the event at a slot."""
        return self._placed.get(slot)

    def exceptions(self) -> list[tuple[Slot, Block, Event]]:
        """Return what stands beside the series."""
        return [(at, one.vevent, one.event) for at, one in self._placed.items() if at != WHOLE]

    def endless(self) -> list[Placed]:
        """Return the events whose end is not written."""
        return [one for one in self._placed.values() if one.vevent.first("DTEND") is None]

    def drop(self, vevent: Block) -> None:
        """Take an event out."""
        at = next(at for at, one in self._placed.items() if one.vevent is vevent)
        self._placed.pop(at).calendar.drop(vevent)

    def form(self, placed: Placed) -> Form:
        """Return how the start of an event is written."""
        line = placed.vevent.first("DTSTART")
        return DATE if line is None else form_of(line, self.zones)

    def excepted(self, slot: Slot) -> Placed:
        """Write the occurrence at ``slot`` as an exception, otherwise like its series."""
        series = self.at(WHOLE)
        if series is None or not series.event.recurrence:
            raise NotFoundError("the calendar object has no such event")
        exception = series.vevent.copy()
        exception.remove(*NAMES)
        form = self.form(series)
        start = start_at(slot, form)
        end = later(start, length_of(series.event))
        line = exception.first("DTEND")
        exception.put("RECURRENCE-ID", form.value(form.wall(start)), form.head())
        set_time(exception, "DTSTART", form, start)
        set_time(exception, "DTEND", form if line is None else form_of(line, self.zones), end)
        exception.remove("DURATION")
        vevents = series.calendar.blocks("VEVENT")
        parts = series.calendar.parts
        at = next(at for at, one in enumerate(parts) if one is vevents[-1])
        parts.insert(at + 1, exception)
        (event,) = (
            one
            for _, one in read_vevents(_KEY, [exception.component()], self.zones)
            if isinstance(one, Event)
        )
        placed = Placed(series.calendar, exception, event)
        self._placed[slot] = placed
        return placed


def start_at(slot: Slot, form: Form) -> When:
    """Return the start that an occurrence's id names, as its series writes starts."""
    try:
        value = stamp(slot)
    except ValueError:
        raise NotFoundError("the calendar object has no such event") from None
    return form.when(form.wall(value))


def length_of(event: Event) -> timedelta:
    """Return so many days, or an exact length."""
    if isinstance(event.start, datetime) and isinstance(event.end, datetime):
        return event.end.astimezone(UTC) - event.start.astimezone(UTC)
    return timedelta(days=event.end.toordinal() - event.start.toordinal())


def later(when: When, length: timedelta) -> When:
    """Return the time that much later, as expansion counts."""
    if isinstance(when, datetime):
        return (when.astimezone(UTC) + length).astimezone(when.tzinfo)
    return when + length
