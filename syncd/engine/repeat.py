"""Recurrence lines as a caller writes them to lines as an event keeps them (api.md K25): pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC

from syncd.formats.dates import listed
from syncd.formats.lines import line_of
from syncd.formats.rule import check, number, parts
from syncd.model.errors import InvalidError

FIELD = "recurrence"
_NAMED = re.compile(r"(RRULE|RDATE|EXDATE|EXRULE)[:;]", re.IGNORECASE)
_OFFSET = re.compile(r"(UNTIL=\d{8}T\d{6})[+-]\d{2}:?\d{2}", re.IGNORECASE)
_ALWAYS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL"})
_PATTERNS: Mapping[tuple[str, bool], frozenset[str]] = {  # frequency, relative: further parts
    ("DAILY", False): frozenset(),
    ("WEEKLY", False): frozenset({"BYDAY", "WKST"}),
    ("MONTHLY", False): frozenset({"BYMONTHDAY"}),
    ("MONTHLY", True): frozenset({"BYDAY", "BYSETPOS"}),
    ("YEARLY", False): frozenset({"BYMONTHDAY", "BYMONTH"}),
    ("YEARLY", True): frozenset({"BYDAY", "BYSETPOS", "BYMONTH"}),
}
_POSITIONS = frozenset({"1", "2", "3", "4", "-1"})
_ORDINAL = re.compile(r"([+-]?\d*)([A-Z]{2})")


def settle_recurrence(given: Sequence[str], *, any_rule: bool) -> tuple[str, ...]:
    """Return lines with their names in front; ``any_rule`` as in Abilities.

    Raises InvalidError for what RFC 5545 does not know, with the code ``unsupported_recurrence``
    for what the provider has no place for.
    """
    lines = tuple(_line(text) for text in given)
    names = [line.partition(":")[0].partition(";")[0] for line in lines]
    if names.count("RRULE") > 1:
        raise _invalid("there may be one RRULE")
    if lines and "RRULE" not in names and "RDATE" not in names:
        raise _invalid("there is no RRULE, nor RDATE, to begin with")
    if not any_rule and (part := next(filter(None, map(unsupported_part, lines)), None)):
        raise InvalidError(
            f"this provider cannot repeat events by {part}",
            field=FIELD,
            code="unsupported_recurrence",
            fault="not_supported",
            members={"part": part},
        )
    return lines


def unsupported_part(line: str) -> str | None:
    """Return the part of a line that patterned recurrences have no place for (K25's table)."""
    name = line.partition(":")[0].partition(";")[0]
    if name != "RRULE":
        return name
    found = dict(parts(line))
    relative = "BYDAY" in found and found["FREQ"] in {"MONTHLY", "YEARLY"}
    further = _PATTERNS.get((found["FREQ"], relative))
    if further is None:
        return "FREQ"
    foreign = [part for part in found if part not in _ALWAYS | further]
    if foreign:
        return foreign[0]
    if "BYDAY" in found:
        return _unsupported_days(found, relative=relative)
    lists = [part for part in ("BYMONTHDAY", "BYMONTH") if not _one(found.get(part))]
    return lists[0] if lists else None


def _unsupported_days(found: Mapping[str, str], *, relative: bool) -> str | None:
    """Judge BYDAY and BYSETPOS: a position goes with a month or year, and there is one."""
    days = [_ORDINAL.fullmatch(one) for one in found["BYDAY"].split(",")]
    ordinals = {day[1].lstrip("+") for day in days if day}
    plain, position = ordinals == {""}, found.get("BYSETPOS", "").lstrip("+")
    if not relative:
        return None if plain else "BYDAY"
    if position and position not in _POSITIONS:
        return "BYSETPOS"
    if position:
        return None if plain else "BYDAY"
    return None if len(ordinals) == 1 and ordinals <= _POSITIONS else "BYDAY"


def _one(value: str | None) -> bool:
    """Tell whether a part names one day or month, or is not there."""
    return value is None or number(value.lstrip("+")) > 0


def _line(text: str) -> str:
    row = text.strip()
    if not row or any(ord(letter) < ord(" ") for letter in row):
        raise _invalid("each object holds one line of RFC 5545")
    if _NAMED.match(row) is None:
        row = f"RRULE:{row}"
    name = row[:6].rstrip(":;").upper()
    if name == "RRULE":
        row = "RRULE:" + _OFFSET.sub(r"\1", row.partition(":")[2])  # a zone inside is ignored
        _check_rule(row)
        return row
    if name == "EXRULE":
        raise _invalid("EXRULE is no longer part of RFC 5545")
    row = name + row[len(name) :]
    line = line_of(row)
    try:
        if line is None or not list(listed([row], name, UTC)):
            raise _invalid(f"its {name} lists no time")
    except ValueError as error:
        raise _invalid(str(error)) from None
    return row


def _check_rule(row: str) -> None:
    try:
        check(row)
    except ValueError as error:
        raise _invalid(str(error)) from None
    found = parts(row)
    if "COUNT" in found and "UNTIL" in found:
        raise _invalid("COUNT and UNTIL exclude one another")


def _invalid(message: str) -> InvalidError:
    return InvalidError(message, field=FIELD)
