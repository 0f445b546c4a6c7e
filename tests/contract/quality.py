"""What each provider can and cannot do, as a table of what the registry declares.

``python -m tests.contract.quality`` writes it into ``docs/providers.md``; a test compares.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from syncd.model.abilities import CALENDAR_MEMBERS, EVENT_MEMBERS, Abilities
from syncd.providers.kind import Kind
from syncd.providers.registry import KINDS

DOCUMENT = Path(__file__).parents[2] / "docs" / "providers.md"
COLUMNS = (
    *("provider", "changes", "writes", "recurrence", "contacts", "rooms", "rooms' calendars"),
    *("push hint", "relink", "what it cannot do"),
)
_PLACE = re.compile(r"(?<=^## What can be expected\n\n)(?:\|.*\n)+", re.MULTILINE)


def table(kinds: Iterable[Kind]) -> str:
    """Return the table as Markdown, a provider a row."""
    rows = [COLUMNS, tuple("---" for _ in COLUMNS), *map(_row, kinds)]
    return "".join(f"| {' | '.join(row)} |\n".replace("| --- ", "|---") for row in rows).replace(
        "|--- |", "|---|"
    )


def written(text: str) -> str | None:
    """Return the table that a document holds."""
    found = _PLACE.search(text)
    return None if found is None else found[0]


def _row(kind: Kind) -> tuple[str, ...]:
    able = kind.abilities
    read = ["events", "calendars", *(["contacts"] if able.contacts else [])]
    return (
        kind.service_name,
        ", ".join(read),
        ", ".join(_writes(able)),
        "every rule that parses" if able.any_rule else "Outlook's patterns (docs/api.md K25)",
        _said(able.contacts),
        _said(able.rooms),
        _said(able.room_calendars),
        _said(able.push),
        kind.sign_in,
        "; ".join(_lacks(able)) or "nothing of this",
    )


def _writes(able: Abilities) -> Iterator[str]:
    if able.event:
        yield "events"
    if able.calendar:
        yield "calendars" if able.calendar_updates else "calendars made and deleted"


def _lacks(able: Abilities) -> Iterator[str]:
    for whose, members in (
        ("events", EVENT_MEMBERS - able.event),
        ("calendars", CALENDAR_MEMBERS - able.calendar),
    ):
        if members:
            yield f"of {whose} {', '.join(f'`{one}`' for one in sorted(members))}"
    if able.reminders is not None:
        yield f"more than {able.reminders} reminder{'s' if able.reminders > 1 else ''}"
    if lost := {"popup", "email"} - able.reminder_methods:
        yield f"reminders by {' or '.join(sorted(lost))}"
    if not able.reminder_texts:
        yield "texts of reminders"
    if able.unique_calendar_names:
        yield "two calendars of one name"
    if not able.icalendar:
        yield "publishing more than busy times"


def _said(able: bool) -> str:  # noqa: FBT001 - a cell of a table
    return "yes" if able else "no"


if __name__ == "__main__":
    DOCUMENT.write_text(_PLACE.sub(lambda _: table(KINDS), DOCUMENT.read_text()))
