"""Provider calendars as one published file, piece by piece (api.md N22; RFC 5545, RFC 7986).

A file is a head, resources in any order and a foot; zones stand in front of the first event that
names them. Nothing is held but which zones were written.
"""

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from syncd.formats.ical_expiry import PRODID, plain, utc_zone
from syncd.formats.lines import Line, line_of, rows
from syncd.formats.scripts import folded, parameter, text
from syncd.formats.stamps import stamp
from syncd.formats.vtimezone import vtimezone
from syncd.formats.zones import iana
from syncd.model.errors import MalformedReplyError

EOL = b"\r\n"
ZONES_FROM = 2010  # the year that our own VTIMEZONEs begin in: rules of today hold since then
_NEVER = "19700101T000000Z"
_TZID = re.compile(r';[ \t]*TZID[ \t]*=[ \t]*(?:"([^"]*)"|([^";:]*))', re.IGNORECASE)
_OWN = "X-SYNCD-PROPERTY"  # an application's; without X-PRIVATE=FALSE nobody else's


class FeedWriter:
    """Writes one file; the same resources in the same order give the same bytes."""

    def __init__(self, name: str) -> None:
        """Begin a file of that name."""
        self._name = name
        self._zones = dict[str, bytes]()  # by TZID: the digest of its lines
        self._renamed = dict[tuple[str, bytes], str]()
        self._empty = True

    def head(self) -> bytes:
        """Return how the file begins."""
        name = text(plain(self._name))
        told = ("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODID}", "METHOD:PUBLISH")
        return _written([*told, f"NAME:{name}", f"X-WR-CALNAME:{name}"])

    def foot(self) -> bytes:
        """Return how it ends; without an event it has at least a zone (§3.4)."""
        zone: bytes = utc_zone().to_ical() if self._empty else b""
        return zone + _written(["END:VCALENDAR"])

    def resource(self, raw: bytes) -> bytes:
        """Return the events of a resource, line for line, behind the zones that they are first in.

        What is no event, and an event that cannot be read, is left out.
        """
        try:
            found = _Resource(rows(raw))
        except MalformedReplyError:
            return b""
        told = list[str]()
        for event in found.events:
            named = {one for row in event for one in _zones_of(row)}
            meant = {one: self._zone(one, found.zones.get(one), told) for one in sorted(named)}
            self._events(event, meant, told)
        return _written(told)

    def lines(self, event: Iterable[str], zones: Iterable[str]) -> bytes:
        """Return an event of ours, whose times name these IANA zones."""
        told = list[str]()
        for name in sorted(zones):
            self._zone(name, None, told)
        self._events(list(event), {}, told)
        return _written(told)

    def _events(self, event: list[str], meant: dict[str, str | None], told: list[str]) -> None:
        self._empty = False
        told += [_renamed(row, meant) for row in event] if meant else event

    def _zone(self, name: str, given: list[str] | None, told: list[str]) -> str | None:
        """Write a zone unless it stands already; return under which name, None for nowhere."""
        if given is None:
            zone = iana(name)
            if zone is None:
                return None
            given = _own_zone(zone.key, name)
        mark = blake2b("\n".join(given).encode("utf-8", "replace"), digest_size=16).digest()
        known = self._zones.get(name)
        if known == mark or (known is not None and iana(name) is not None):
            return name
        if known is None:
            self._zones[name] = mark
            told += given
            return name
        other = self._renamed.get((name, mark))
        if other is None:  # the same name for another zone: it means nothing in another resource
            other = f"{name} ({len(self._renamed) + 2})"
            self._renamed[name, mark] = other
            told += [f"TZID:{text(other)}" if _is(row, "TZID") else row for row in given]
        return other


class _Resource:
    """The events and zones of one resource, each as its lines."""

    def __init__(self, written: Iterable[str]) -> None:
        self.events = list[list[str]]()
        self.zones = dict[str, list[str]]()
        opened, block = list[str](), list[str]()
        for row in written:
            line = line_of(row)
            if line is None:
                continue
            if line.name == "BEGIN":
                if line.word in {"VEVENT", "VTIMEZONE"}:
                    opened, block = [], []  # what was open has lost its end
                if line.word != "VCALENDAR":
                    opened.append(line.word)
            if opened:
                block.append(row)
            if line.name == "END" and opened:
                if opened.pop() != line.word:
                    opened = []
                elif not opened:
                    self._keep(line.word, block)

    def _keep(self, name: str, block: list[str]) -> None:
        if name == "VEVENT":
            event = _whole(block)
            if event is not None:
                self.events.append(event)
        elif name == "VTIMEZONE":
            tzid = next((line_of(row) for row in block if _is(row, "TZID")), None)
            if tzid is not None:
                self.zones.setdefault(tzid.text.strip(), block)


def _whole(block: list[str]) -> list[str] | None:
    """Return an event with all that RFC 5545 asks of one, None if it is none."""
    depth, seen = 0, dict[str, Line]()
    kept = list[str]()
    for row in block:
        line = line_of(row)
        if line is None:
            continue
        depth += (line.name == "BEGIN") - (line.name == "END")
        if depth == 1 and line.name != "END":
            if line.name == _OWN and line.parameters.get("X-PRIVATE", "TRUE").upper() != "FALSE":
                continue
            seen.setdefault(line.name, line)
        kept.append(row)
    if "UID" not in seen or "DTSTART" not in seen:
        return None
    try:
        stamp(seen["DTSTART"].value)
    except ValueError:
        return None
    if "DTSTAMP" not in seen:
        kept.insert(1, f"DTSTAMP:{_stamped(seen.get('LAST-MODIFIED') or seen.get('CREATED'))}")
    return kept


def _stamped(line: Line | None) -> str:
    value = "" if line is None else line.word
    return value if value.endswith("Z") else _NEVER


def _is(row: str, name: str) -> bool:
    line = line_of(row)
    return line is not None and line.name == name


def _zones_of(row: str) -> Iterator[str]:
    line = line_of(row)
    if line is not None and "TZID" in line.head.upper():
        for found in _TZID.finditer(line.head):
            yield (found[1] if found[1] is not None else found[2]).strip()


def _renamed(row: str, meant: dict[str, str | None]) -> str:
    """Return a row whose zones have the names that the file gives them."""
    line = line_of(row)
    if line is None or "TZID" not in line.head.upper():
        return row

    def told(found: re.Match[str]) -> str:
        name = (found[1] if found[1] is not None else found[2]).strip()
        new = meant.get(name, name)
        if new == name:
            return found[0]
        return "" if new is None else parameter("TZID", new)

    return f"{line.name}{_TZID.sub(told, line.head)}:{line.value}"


def _own_zone(key: str, name: str) -> list[str]:
    given = vtimezone(key, ZONES_FROM).splitlines()
    return [f"TZID:{text(name)}" if _is(row, "TZID") else row for row in given]


def _written(told: Iterable[str]) -> bytes:
    return b"".join(folded(row, EOL) for row in told)
