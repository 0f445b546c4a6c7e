"""Busy times as VEVENTs that tell nothing else (api.md N22)."""

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from syncd.formats.lines import line_of
from syncd.formats.scripts import parameter
from syncd.formats.zones import iana
from syncd.model.when import read_when

Document = Mapping[str, Any]  # api.md K17
IsBusy = Callable[[Document], bool]
SUMMARY = "Busy"
_REPEATS = ("RRULE", "RDATE", "EXDATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """One event to write, and the IANA zones that it names."""

    lines: tuple[str, ...]
    zones: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disguise:
    """What makes UIDs of a feed: nobody outside can tell whose they replace."""

    key: str
    calendar: str
    stamped: datetime

    def uid(self, *parts: str) -> str:
        """Return the UID that stands for an event's; always the same."""
        about = "\0".join((self.calendar, *parts)).encode("utf-8", "replace")
        return f"{hmac.digest(self.key.encode(), about, 'sha256').hex()[:32]}@syncd"


def busy_events(
    documents: Sequence[Document], is_busy: IsBusy, disguise: Disguise
) -> Iterator[Busy]:
    """Yield the busy events of one resource: single events, or a series with its exceptions.

    A series that is busy leaves out those of its occurrences whose exceptions are not; of one that
    is not, the busy exceptions stand alone.
    """
    whole = [one for one in documents if "original_start" not in one]
    exceptions = [one for one in documents if "original_start" in one]
    repeating = [one for one in whole if one["recurrence"] and is_busy(one)]
    for one in whole:
        if is_busy(one) and _lasts(one):
            free = [each for each in exceptions if not is_busy(each)] if one["recurrence"] else []
            yield _busy(one, disguise, disguise.uid(one["ical_uid"]), excluded=free)
    for one in exceptions:
        if not (is_busy(one) and _lasts(one)):
            continue
        if repeating:
            yield _busy(one, disguise, disguise.uid(one["ical_uid"]), inside=repeating[0])
        else:
            yield _busy(one, disguise, disguise.uid(one["ical_uid"], one["original_start"]))


def _busy(
    document: Document,
    disguise: Disguise,
    uid: str,
    *,
    excluded: Sequence[Document] = (),
    inside: Document | None = None,
) -> Busy:
    zones = set[str]()
    start_zone, end_zone = document["start_time_zone"], document["end_time_zone"]
    told = [
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{disguise.stamped.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        _when("DTSTART", document["start"], start_zone, zones),
        _when("DTEND", document["end"], end_zone or start_zone, zones),
    ]
    if inside is not None:
        zone = inside["start_time_zone"]
        told.append(_when("RECURRENCE-ID", document["original_start"], zone, zones))
    else:
        told += _recurrence(document, zones)
    for one in excluded:
        told.append(_when("EXDATE", one["original_start"], start_zone, zones))
    told += [f"SUMMARY:{SUMMARY}", "TRANSP:OPAQUE", "END:VEVENT"]
    return Busy(lines=tuple(told), zones=frozenset(zones))


def _when(name: str, given: str, zone: str | None, zones: set[str]) -> str:
    """Return a property whose value is a date, a time in a zone that has a name, or in UTC."""
    at = read_when(given)
    if not isinstance(at, datetime):
        return f"{name};VALUE=DATE:{_date(at)}"
    place = None if zone in {None, "UTC"} else iana(zone)
    if place is None:
        there = at.astimezone(UTC)
        return f"{name}:{_date(there)}T{there:%H%M%S}Z"
    zones.add(place.key)
    there = at.astimezone(place)
    return f"{name}{parameter('TZID', place.key)}:{_date(there)}T{there:%H%M%S}"


def _recurrence(document: Document, zones: set[str]) -> Iterator[str]:
    for one in document["recurrence"]:
        line = line_of(one["rrule"])
        if line is None or line.name not in _REPEATS:
            continue
        given = line.parameters
        head = parameter("VALUE", given["VALUE"]) if "VALUE" in given else ""
        value = line.value.strip()
        local = line.name != "RRULE" and "T" in value.upper() and not value.upper().endswith("Z")
        place = iana(given.get("TZID") or document["start_time_zone"] or "UTC") if local else None
        if place is not None and place.key != "UTC":
            zones.add(place.key)
            head += parameter("TZID", place.key)
        elif local:
            value = ",".join(f"{each}Z" for each in value.split(","))
        yield f"{line.name}{head}:{value}"


def _lasts(document: Document) -> bool:
    return bool(document["start"] != document["end"])


def _date(at: date) -> str:
    return f"{at.year:04}{at:%m%d}"
