"""VALARM to reminders and back (RFC 5545 §3.6.6)."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from syncd.formats.lines import Component
from syncd.formats.people import address
from syncd.formats.stamps import duration, stamp
from syncd.model.event import Email, Reminder
from syncd.model.when import When, instant

_MINUTE = timedelta(minutes=1)


def reminders(
    alarms: Iterable[Component], *, start: When, end: When, zone: tzinfo, name: str | None
) -> tuple[Reminder, ...]:
    """Return the reminders of an event in a canonical order; one after the start is left out.

    ``zone`` says when an all-day event begins, ``name`` stands in for a popup without text. An
    alarm that cannot be understood is no reminder, and costs nothing else.
    """
    begins, ends = instant(start, zone), instant(end, zone)
    found = {_reminder(alarm, begins, ends, name or "") for alarm in alarms}
    kept = [one for one in found if one is not None]
    return tuple(sorted(kept, key=lambda one: (one.minutes, one.method, repr(one))))


def _reminder(alarm: Component, begins: datetime, ends: datetime, name: str) -> Reminder | None:
    try:
        before = _before(alarm, begins, ends)
    except (ValueError, OverflowError):
        return None
    if before is None or before < timedelta():
        return None
    minutes = before // _MINUTE
    action = alarm.first("ACTION")
    word = "DISPLAY" if action is None else action.word
    text = alarm.text("DESCRIPTION") or ""
    if word == "EMAIL":
        summary = alarm.text("SUMMARY") or name
        to = tuple(address(line) for line in alarm.all("ATTENDEE"))
        return Reminder(minutes=minutes, email=Email(summary=summary, description=text, to=to))
    if word in ("DISPLAY", "AUDIO"):
        return Reminder(minutes=minutes, popup=text or name)
    return None


def _before(alarm: Component, begins: datetime, ends: datetime) -> timedelta | None:
    trigger = alarm.first("TRIGGER")
    if trigger is None:
        return None
    if "P" in trigger.word:
        related = trigger.parameters.get("RELATED", "START").upper()
        return begins - (ends if related == "END" else begins) - duration(trigger.value)
    at = stamp(trigger.value)
    if not isinstance(at, datetime):
        return None
    return begins - (at if at.tzinfo else at.replace(tzinfo=UTC))
