"""The ICS of expiring tokens (api.md M10; RFC 5545, RFC 7986)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event, Timezone, TimezoneStandard
from icalendar.prop import vInline, vText

PRODID = "-//syncd//published calendars//EN"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_REMINDED = (30, 14, 7, 3, 1, 0)  # days before
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a VTIMEZONE's own times are local


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """One token that will expire; ``uid`` is its lineage."""

    uid: str
    name: str | None
    comment: str | None
    made: datetime
    expires_at: datetime
    since: datetime  # when it was subscribed
    removal_url: str
    recreation_url: str

    @property
    def summary(self) -> str:
        """Return what a calendar shows."""
        return f"Mytoken '{self.name}' expires" if self.name else "Mytoken expires"

    @property
    def reminders(self) -> Sequence[timedelta]:
        """Return how long before to remind: not before it was subscribed, nor in its first half."""
        earliest = max(self.since, self.made + (self.expires_at - self.made) / 2)
        before = [timedelta(days=days) for days in _REMINDED]
        return [one for one in before if self.expires_at - one >= earliest]


def write_expiries(name: str, *, issuer: str, url: str, expiries: Sequence[Expiry]) -> bytes:
    """Return the file; the same for the same values."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODID)
    calendar.add("method", "PUBLISH")
    for title in ("name", "x-wr-calname"):
        calendar[title] = vText(plain(name))
    calendar.add("description", f"events and reminders for expiring mytokens, {issuer}")
    calendar.add("url", url)
    for one in expiries:
        calendar.add_component(_event(one))
    if not expiries:
        calendar.add_component(utc_zone())
    written: bytes = calendar.to_ical(sorted=False)
    return written


def utc_zone() -> Timezone:
    """Return what stands in a calendar without events: RFC 5545 wants one component (§3.4)."""
    zone, standard = Timezone(), TimezoneStandard()
    zone.add("tzid", "UTC")
    standard.add("dtstart", _EPOCH)
    standard.add("tzoffsetfrom", timedelta())
    standard.add("tzoffsetto", timedelta())
    standard.add("tzname", "UTC")
    zone.add_component(standard)
    return zone


def plain(text: str) -> str:
    """Return text without control characters; lines end in one way."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _event(one: Expiry) -> Event:
    event = Event()
    since = one.since.astimezone(UTC).replace(microsecond=0)
    event.add("uid", one.uid)
    for name in ("dtstamp", "created", "last-modified"):
        event.add(name, since)
    event.add("dtstart", one.expires_at.astimezone(UTC).replace(microsecond=0))
    event.add("transp", "TRANSPARENT")
    event.add("summary", plain(one.summary))
    event.add("description", plain("\n".join(_description(one))))
    event.add("url", one.recreation_url)
    for before in one.reminders:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm["trigger"] = vInline(f"-P{before.days}D" if before else "PT0S")
        alarm.add("description", plain(one.summary))
        event.add_component(alarm)
    return event


def _description(one: Expiry) -> Iterator[str]:
    if one.comment:
        yield one.comment
        yield ""
    yield f"Stop reminding of this token: {one.removal_url}"
    yield f"Make one like it: {one.recreation_url}"
