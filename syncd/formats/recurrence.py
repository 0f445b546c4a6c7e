"""Recurrence lines onto a VEVENT, in the form of its start (D21, RFC 5545 §3.8.5)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time

from syncd.formats.blocks import Block
from syncd.formats.dates import listed
from syncd.formats.forms import DATE, IN_UTC, Form, form_of
from syncd.formats.ical_event import recurrence_line
from syncd.formats.lines import Line, line_of
from syncd.formats.rule import check
from syncd.formats.scripts import one_line
from syncd.formats.stamps import stamp
from syncd.formats.zones import Zones
from syncd.model.errors import InvalidError

NAMES = ("RRULE", "RDATE", "EXDATE", "EXRULE")
_UNTIL = re.compile(r"(?<![A-Z])UNTIL=([0-9TZ]+)", re.IGNORECASE)


def set_recurrence(
    vevent: Block, wanted: Iterable[str], zones: Zones, *, reformed: bool = False
) -> None:
    """Make these the lines of the series; those that are there already stay as they are.

    ``reformed`` tells that the start has another form or place by now: then lists of starts are
    written anew. Raises InvalidError for what is no such line.
    """
    start = vevent.first("DTSTART")
    form = DATE if start is None else form_of(start, zones)
    rest = [line.strip() for line in wanted]
    for row, line in vevent.lines(*NAMES):
        told = _read(line, zones, form)
        stays = line.name.endswith("RULE") or not reformed
        if told is not None and told in rest and stays:
            rest.remove(told)
        elif told is not None or not rest:
            vevent.drop(row)
    for text in rest:
        name, value, head = _written(text, form)
        vevent.add(name, value, head)


def _read(line: Line, zones: Zones, form: Form) -> str | None:
    try:
        return recurrence_line(line, zones, form.place)
    except (ValueError, OverflowError):
        return ""


def _written(text: str, form: Form) -> tuple[str, str, str]:
    line = line_of(one_line(text, ""))
    if line is None or line.name not in NAMES:
        raise InvalidError("this is no line of a recurrence", field="recurrence")
    try:
        if line.name.endswith("RULE"):
            check(f"{line.name}:{line.value}")
            value = _UNTIL.sub(lambda found: f"UNTIL={_until(found[1], form)}", line.value.strip())
            return line.name, value, ""
        if "/" in line.value:
            return line.name, line.value.strip(), line.head
        zone = UTC if form.place is None else form.place.zone
        values = [form.value(form.wall(one)) for one in listed([text], line.name, zone)]
    except (ValueError, OverflowError) as error:
        raise InvalidError(f"the recurrence cannot be read: {error}", field="recurrence") from None
    return line.name, ",".join(values), form.head()


def _until(text: str, form: Form) -> str:
    """Return the bound as RFC 5545 wants it: a date as starts are, else UTC, or floating."""
    value = stamp(text)
    if form.place is None:
        return f"{value.year:04}{value:%m%d}"
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(23, 59, 59))  # the whole day
    if form.tzid is None and not form.utc:
        return form.value(form.wall(form.when(value) if value.tzinfo is None else value))
    at = form.when(value) if value.tzinfo is None else value
    return IN_UTC.value(IN_UTC.wall(at))
