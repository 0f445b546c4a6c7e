"""How times are written, and how a series carries its listed times along (D21)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from syncd.formats.blocks import Block, headed
from syncd.formats.lines import Line
from syncd.formats.stamps import stamp
from syncd.formats.zones import UTC_NAMES, UTC_PLACE, Place, Zones, iana
from syncd.model.errors import InvalidError
from syncd.model.when import When

Wall = date | datetime  # a naive time, as a clock on the wall shows it
_UNTIL = re.compile(r"(?<![A-Z])(UNTIL\s*=\s*)([0-9TZ]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Form:
    """A date without ``place``, UTC, floating, or with ``tzid`` zoned."""

    place: Place | None = None
    tzid: str | None = None
    utc: bool = False

    def wall(self, when: When) -> Wall:
        """Return what a clock there shows, and no more: not which of two times it is."""
        if self.place is None:
            return when.date() if isinstance(when, datetime) else when
        if not isinstance(when, datetime):
            return datetime.combine(when, datetime.min.time())
        return when.astimezone(self.place.zone).replace(tzinfo=None, fold=0)

    def when(self, wall: Wall) -> When:
        """Return what the clock there means."""
        if self.place is None or not isinstance(wall, datetime):
            return wall
        return self.place.at(wall)

    def value(self, wall: Wall) -> str:
        """Write the value."""
        if not isinstance(wall, datetime):
            return f"{wall.year:04}{wall:%m%d}"
        return f"{wall.year:04}{wall:%m%dT%H%M%S}" + ("Z" if self.utc else "")

    def head(self, head: str = "") -> str:
        """Write the parameters; others that stand in ``head`` stay."""
        kind = "DATE" if self.place is None else None
        return headed(head, {"VALUE": kind, "TZID": self.tzid})


DATE = Form()
IN_UTC = Form(UTC_PLACE, utc=True)


def form_of(line: Line, zones: Zones) -> Form:
    """Return how a time is written; raises ValueError if it is none."""
    value = stamp(line.value)
    if not isinstance(value, datetime):
        return DATE
    tzid = line.parameters.get("TZID")
    if tzid is None and value.tzinfo is not None:
        return IN_UTC
    return Form(zones.place(tzid), tzid or None)


def form_for(when: When, zone: str | None, before: Iterable[Form | None]) -> Form:
    """Return how to write a time in ``zone``, None if it has no name: as one before, if it can."""
    if not isinstance(when, datetime):
        return DATE
    name = "UTC" if zone in UTC_NAMES else zone
    for form in before:
        if form is not None and form.place is not None and form.place.name == name:
            return form
    if name is None or name == "UTC":
        return IN_UTC
    found = iana(name)
    if found is None:
        raise InvalidError("this is no time zone that syncd knows", field="start_time_zone")
    return Form(Place(found, found.key), found.key)


def set_time(vevent: Block, name: str, form: Form, when: When) -> None:
    """Write a time."""
    line = vevent.first(name)
    vevent.put(name, form.value(form.wall(when)), form.head("" if line is None else line.head))


@dataclass(frozen=True, slots=True)
class Move:
    """The start of a series that moves: what stood at ``old`` in ``before`` stands at ``new``."""

    before: Form
    after: Form
    old: Wall
    new: Wall

    def wall(self, wall: Wall) -> Wall:
        """Return where a start goes, by the clock on the wall."""
        if isinstance(wall, datetime) and isinstance(self.old, datetime):
            if isinstance(self.new, datetime):
                return wall + (self.new - self.old)
            return self.new + (wall.date() - self.old.date())
        return self.new + (_day(wall) - _day(self.old))

    def when(self, when: When) -> When:
        """Return where an original start goes."""
        if not isinstance(when, datetime) and isinstance(self.old, datetime):
            return self.after.when(self.wall(datetime.combine(when, self.old.time())))
        return self.after.when(self.wall(self.before.wall(when)))

    def dates(self, vevent: Block, zones: Zones) -> None:
        """Carry RDATE, EXDATE and UNTIL along, so that no occurrence comes or goes."""
        for row, line in vevent.lines("RDATE", "EXDATE"):
            if line.value.strip():
                value = ",".join(self._listed(one, line, zones) for one in _values(line.value))
                head = self.after.head(line.head)
                if "/" in value:
                    head = headed(head, {"VALUE": "PERIOD"})
                vevent.replace(row, line.name, value, head)
        for row, line in vevent.lines("RRULE", "EXRULE"):
            value = _UNTIL.sub(lambda found: found[1] + self._until(found[2]), line.value)
            vevent.replace(row, line.name, value, line.head)

    def _listed(self, text: str, line: Line, zones: Zones) -> str:
        start, slash, end = text.partition("/")
        moved = self._text(start, line, zones)
        if slash and not end.strip().upper().startswith("P"):
            end = self._text(end, line, zones)
        return f"{moved}{slash}{end}"

    def _text(self, text: str, line: Line, zones: Zones) -> str:
        value = stamp(text)
        tzid = line.parameters.get("TZID")
        there = self.before.place if tzid is None else zones.place(tzid)
        if isinstance(value, datetime) and value.tzinfo is None:
            when: When = value.replace(tzinfo=UTC) if there is None else there.at(value)
        else:
            when = value
        return self.after.value(self.after.wall(self.when(when)))

    def _until(self, text: str) -> str:
        """Move the bound by days if it is one, else to the second; UTC if starts have a zone."""
        try:
            value = stamp(text)
        except ValueError:
            return text
        if not isinstance(value, datetime):
            if isinstance(self.old, datetime) and isinstance(self.new, datetime):
                day = value + (self.new.date() - self.old.date())
                return f"{day.year:04}{day:%m%d}"
            moved = self.after.when(self.wall(value))
        elif value.tzinfo is None:
            moved = self.after.when(self.wall(value))
        else:
            moved = self.when(value)
        if not isinstance(moved, datetime):
            return self.after.value(moved)
        floats = self.after.tzid is None and not self.after.utc
        form = self.after if floats else IN_UTC
        return form.value(form.wall(moved))


def _values(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _day(wall: Wall) -> date:
    return wall.date() if isinstance(wall, datetime) else wall
