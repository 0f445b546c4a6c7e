"""VALARM to reminders (RFC 5545 §3.6.6)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from icalendar import Component

from syncd.model.event import Email, Reminder
from syncd.model.when import When, instant

_MINUTE = timedelta(minutes=1)


def reminders(
    alarms: Iterable[Component], *, start: When, end: When, zone: tzinfo, name: str | None
) -> tuple[Reminder, ...]:
    """Return the reminders of an event in a canonical order; one after the start is left out.

    ``zone`` says when an all-day event begins, ``name`` stands in for a popup without text.
    """
    begins, ends = instant(start, zone), instant(end, zone)
    found = (_reminder(alarm, begins, ends, name or "") for alarm in alarms)
    kept = {one for one in found if one is not None}
    return tuple(sorted(kept, key=lambda one: (one.minutes, one.method, repr(one))))


def _reminder(alarm: Component, begins: datetime, ends: datetime, name: str) -> Reminder | None:
    before = _before(alarm, begins, ends)
    if before is None or before < timedelta():
        return None
    minutes = before // _MINUTE
    action = str(alarm.get("ACTION", "DISPLAY")).upper()
    text = _text(alarm, "DESCRIPTION")
    if action == "EMAIL":
        summary = _text(alarm, "SUMMARY") or name
        found = alarm.get("ATTENDEE", [])
        people = found if isinstance(found, list) else [found]
        to = tuple(str(one).removeprefix("mailto:").removeprefix("MAILTO:") for one in people)
        return Reminder(minutes=minutes, email=Email(summary=summary, description=text, to=to))
    if action in ("DISPLAY", "AUDIO"):
        return Reminder(minutes=minutes, popup=text or name)
    return None


def _before(alarm: Component, begins: datetime, ends: datetime) -> timedelta | None:
    trigger = alarm.get("TRIGGER")
    value = getattr(trigger, "dt", None)
    if isinstance(value, timedelta):
        after_end = str(trigger.params.get("RELATED", "START")).upper() == "END"
        return begins - (ends if after_end else begins) - value
    if isinstance(value, datetime):
        return begins - (value if value.tzinfo else value.replace(tzinfo=UTC))
    return None


def _text(alarm: Component, name: str) -> str:
    value = alarm.get(name)
    first = value[0] if isinstance(value, list) and value else value
    return str(first) if first else ""
