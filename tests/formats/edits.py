"""Edits of calendar objects for tests, and what another package reads in them."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar

from syncd.formats.ical_read import read_resource
from syncd.formats.ical_write import rewritten
from syncd.model.edit import EventEdit
from syncd.model.event import Event
from syncd.model.ids import WHOLE, Slot
from syncd.model.resource import Resource
from tests.formats.written import KEY

NOW = datetime(2026, 11, 21, 11, tzinfo=UTC)
BERLIN, YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
STAMPS = frozenset({b"DTSTAMP", b"LAST-MODIFIED", b"SEQUENCE"})
SERIES = (
    "DTSTART;TZID=Europe/Berlin:20261124T100000",
    "DTEND;TZID=Europe/Berlin:20261124T110000",
    "SUMMARY:Weekly",
)
WEEKLY = (*SERIES, "RRULE:FREQ=WEEKLY;UNTIL=20270112T090000Z")


def read(raw: bytes) -> Resource:
    found = read_resource(KEY, raw)
    assert found.faults == ()
    return found


def only(raw: bytes) -> Event:
    (found,) = read(raw).events
    return found


def edited(text: bytes, slot: str = WHOLE, /, **fields: Any) -> bytes:  # noqa: ANN401 - of an edit
    return rewritten(text, Slot(slot), EventEdit(**fields), now=NOW)


def witnessed(raw: bytes) -> Any:  # noqa: ANN401 - of a package with loose types
    """Return the VEVENT as the ``icalendar`` package reads it."""
    (found,) = icalendar.Calendar.from_ical(raw).walk("VEVENT")
    return found


def untouched(raw: bytes, names: frozenset[bytes]) -> bytes:
    """Return a text without these properties of its first VEVENT; cut up without the product."""
    kept, inside, deep = list[bytes](), False, 0
    for row in re.split(rb"(?<=\n)(?![ \t])", raw):
        head = re.split(rb"[;:]", row, maxsplit=1)[0].strip().upper()
        deep += head == b"BEGIN"
        if row.startswith(b"BEGIN:VEVENT") and not kept.count(b"BEGIN:VEVENT\r\n"):
            inside, deep = True, 0
        own = inside and deep == 0
        deep -= head == b"END"
        if row.startswith(b"END:VEVENT"):
            inside = False
        if not (own and head in names):
            kept.append(row)
    return b"".join(kept)


def moved(hour: int, day: int, length: int = 1) -> dict[str, Any]:
    start = datetime(2026, 11, day, hour, tzinfo=BERLIN)
    told = {"start_zone": "Europe/Berlin", "end_zone": "Europe/Berlin"}
    return {"start": start, "end": start + timedelta(hours=length), **told}
