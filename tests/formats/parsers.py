"""What our files must be: by the letter of RFC 5545, and to two parsers that are not ours."""

from collections.abc import Sequence
from typing import Any

import vobject
from icalendar import Calendar

LONGEST = 75  # octets of a line (§3.1)


def proven(text: bytes) -> Calendar:
    """Return the calendar; both parsers read all of it, and they agree."""
    assert text.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in text.replace(b"\r\n", b"")
    assert b"\r" not in text.replace(b"\r\n", b"")
    for line in text.split(b"\r\n"):
        assert len(line) <= LONGEST, line
        assert not any(byte < 32 and byte != 9 for byte in line), line
    calendar = Calendar.from_ical(text)
    assert isinstance(calendar, Calendar)
    assert str(calendar["VERSION"]) == "2.0"
    assert calendar["PRODID"]
    assert calendar.subcomponents
    for component in calendar.walk():
        assert component.errors == [], component
    read = vobject.readOne(text.decode())
    theirs = [_told(event) for event in read.contents.get("vevent", [])]
    ours = [
        (str(event["UID"]), str(event.get("SUMMARY", "")), str(event.get("DESCRIPTION", "")))
        for event in calendar.events
    ]
    assert theirs == ours
    zones = [str(one["TZID"]) for one in calendar.walk("VTIMEZONE")]
    assert len(zones) == len(set(zones))
    used = {
        str(parameters["TZID"])
        for event in calendar.events
        for _, value in event.property_items()
        if "TZID" in (parameters := getattr(value, "params", {}))
    }
    assert used <= set(zones)
    return calendar


def _told(event: Any) -> tuple[str, str, str]:  # noqa: ANN401 - of vobject
    def text(name: str) -> str:
        found: Sequence[Any] = event.contents.get(name, [])
        return str(found[0].value) if found else ""

    return text("uid"), text("summary"), text("description")
