"""Reminders onto a VEVENT (providers.md, "Alarms")."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

from syncd.formats.alarms import reminders
from syncd.formats.blocks import Block, made
from syncd.formats.scripts import one_line, text
from syncd.model.event import Email, Event, Reminder


@dataclass(frozen=True, slots=True)
class _Known:
    block: Block
    reminder: Reminder


def set_reminders(vevent: Block, wanted: Iterable[Reminder], event: Event, zone: tzinfo) -> None:
    """Make these the reminders; ``event`` is what the VEVENT says with its new times.

    An alarm that says what it should stays as it is, with whatever a client keeps in it; so does
    one that is no reminder to us (after the start, to be run, not understood).
    """
    known = [
        _Known(block, found[0])
        for block in vevent.blocks("VALARM")
        if (found := _read(block, event, zone))
    ]
    missing = list[Reminder]()
    for reminder in dict.fromkeys(wanted):
        same = [one for one in known if _says(one.reminder, reminder)]
        known = [one for one in known if one not in same]
        missing += [] if same else [reminder]
    for reminder in missing:
        near = next((one for one in known if _near(one.reminder, reminder)), None)
        if near is None:
            vevent.insert(made(_written(reminder, event.name), vevent.eol))
        else:
            known.remove(near)
            _amend(near.block, reminder)
    for one in known:
        vevent.drop(one.block)


def _read(block: Block, event: Event, zone: tzinfo) -> tuple[Reminder, ...]:
    alarms = [block.component()]
    return reminders(alarms, start=event.start, end=event.end, zone=zone, name=event.name)


def _near(known: Reminder, wanted: Reminder) -> bool:
    return (known.minutes, known.method) == (wanted.minutes, wanted.method)


def _says(known: Reminder, wanted: Reminder) -> bool:
    """Tell whether an alarm is what is wanted; a popup without a text is any."""
    if wanted.email is None and wanted.popup is None:
        return _near(known, wanted)
    return known == wanted


def _amend(alarm: Block, wanted: Reminder) -> None:
    """Change only the words of an alarm."""
    if wanted.email is None:
        alarm.put("DESCRIPTION", text(wanted.popup or ""))
        return
    alarm.put("SUMMARY", text(wanted.email.summary))
    alarm.put("DESCRIPTION", text(wanted.email.description))
    alarm.remove("ATTENDEE")
    for one in wanted.email.to:
        alarm.add("ATTENDEE", _uri(one))


def _written(reminder: Reminder, name: str | None) -> str:
    rows = [f"TRIGGER:{'-' if reminder.minutes else ''}PT{reminder.minutes}M"]
    if reminder.email is None:
        words = reminder.popup if reminder.popup is not None else name or "Reminder"
        rows += ["ACTION:DISPLAY", f"DESCRIPTION:{text(words)}"]
    else:
        rows += ["ACTION:EMAIL", *_letter(reminder.email)]
    return "\n".join(["BEGIN:VALARM", *rows, "END:VALARM"])


def _letter(email: Email) -> list[str]:
    told = [f"SUMMARY:{text(email.summary)}", f"DESCRIPTION:{text(email.description)}"]
    return told + [f"ATTENDEE:{_uri(one)}" for one in email.to]


def _uri(email: str) -> str:
    return f"mailto:{one_line(email, '').strip()}"
