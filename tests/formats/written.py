"""iCalendar text for tests, written by hand and not by the product."""

from syncd.formats.ical_read import read_resource
from syncd.model.event import Event
from syncd.model.ids import ResourceKey
from syncd.model.resource import Resource

KEY = ResourceKey("/alice/work/1.ics")
CUSTOM_BERLIN = """BEGIN:VTIMEZONE
TZID:Head Office
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""
ODD_ZONE = """BEGIN:VTIMEZONE
TZID:Odd
BEGIN:STANDARD
TZOFFSETFROM:+0123
TZOFFSETTO:+0123
DTSTART:19700101T000000
END:STANDARD
END:VTIMEZONE
"""


def vevent(*lines: str, uid: str = "8d1c@example.org") -> str:
    return "\n".join(["BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT", ""])


def vcalendar(*parts: str) -> bytes:
    text = "BEGIN:VCALENDAR\nVERSION:2.0\n" + "".join(parts) + "END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def resource(*parts: str, zone: str | None = None) -> Resource:
    return read_resource(KEY, vcalendar(*parts), etag='"1"', calendar_zone=zone)


def event(*lines: str, zone: str | None = None, zones: str = "") -> Event:
    """Return the only event; ``DTSTART`` is given unless a line says another."""
    start = (
        [] if any(line.startswith("DTSTART") for line in lines) else ["DTSTART:20261124T090000Z"]
    )
    found = resource(zones, vevent(*start, *lines), zone=zone)
    assert found.faults == ()
    (only,) = found.events
    return only
