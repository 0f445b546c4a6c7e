"""Which rules fit a pattern of Outlook and Exchange (api.md K25, providers.md §9): the one home.

A rule fits only where the pattern gives the same dates. The exception is a day of the month from
29 to 31: patterns take the last day of a month that lacks it, RFC 5545 leaves that month out.
"""

import re
from collections.abc import Mapping

from syncd.formats.rule import LONGEST_MONTHS, number, parts
from syncd.model.errors import InvalidError

FIELD = "recurrence"
LAST_DAYS: Mapping[frozenset[str], int] = {  # BYMONTHDAY with BYSETPOS=-1: the pattern's day
    frozenset({"28", "29", "30"}): 30,
    frozenset({"28", "29"}): 29,
}
POSITIONS = frozenset({"1", "2", "3", "4", "-1"})
ORDINAL = re.compile(r"([+-]?\d*)([A-Z]{2})")
_ALWAYS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL"})
_PATTERNS: Mapping[tuple[str, bool], frozenset[str]] = {  # frequency, relative: further parts
    ("DAILY", False): frozenset(),
    ("WEEKLY", False): frozenset({"BYDAY", "WKST"}),
    ("MONTHLY", False): frozenset({"BYMONTHDAY"}),
    ("MONTHLY", True): frozenset({"BYDAY", "BYSETPOS"}),
    ("YEARLY", False): frozenset({"BYMONTHDAY", "BYMONTH"}),
    ("YEARLY", True): frozenset({"BYDAY", "BYSETPOS", "BYMONTH"}),
}


def unsupported(part: str) -> InvalidError:
    """Return the error that names the part (K25)."""
    return InvalidError(
        f"this provider cannot repeat events by {part}",
        field=FIELD,
        code="unsupported_recurrence",
        fault="not_supported",
        members={"part": part},
    )


def unsupported_part(line: str) -> str | None:
    """Return the part of a line that patterned recurrences have no place for, None if none."""
    name = line.partition(":")[0].partition(";")[0]
    if name != "RRULE":
        return name
    found = dict(parts(line))
    relative = "BYDAY" in found and found["FREQ"] in {"MONTHLY", "YEARLY"}
    further = _PATTERNS.get((found["FREQ"], relative))
    if further is None:
        return "FREQ"
    allowed = _ALWAYS | further | ({"BYSETPOS"} if last_day(found) else set())
    foreign = [part for part in found if part not in allowed]
    if foreign:
        return foreign[0]
    return _unsupported_number(found) or _unsupported_days(found, relative=relative)


def _unsupported_number(found: Mapping[str, str]) -> str | None:
    empty = (part for part in ("INTERVAL", "COUNT") if part in found and not number(found[part]))
    if "BYMONTH" in found and not 1 <= _single(found["BYMONTH"]) <= len(LONGEST_MONTHS):
        return "BYMONTH"
    return next(empty, None)


def last_day(found: Mapping[str, str]) -> int:
    """Return the day that a monthly rule means by "28 to 30, the last of them"; else 0."""
    if found.get("FREQ") != "MONTHLY" or found.get("BYSETPOS") != "-1":
        return 0
    return LAST_DAYS.get(frozenset(found.get("BYMONTHDAY", "").split(",")), 0)


def _has_day(found: Mapping[str, str]) -> bool:
    """Judge BYMONTHDAY: one day, the last one, or none; of a year it goes with its month."""
    if "BYMONTHDAY" not in found:
        return True
    if found["FREQ"] == "YEARLY" and "BYMONTH" not in found:
        return False
    longest = LONGEST_MONTHS[_single(found["BYMONTH"]) - 1] if "BYMONTH" in found else 31
    return found["BYMONTHDAY"] == "-1" or 1 <= _single(found["BYMONTHDAY"]) <= longest


def _unsupported_days(found: Mapping[str, str], *, relative: bool) -> str | None:
    """Judge BYDAY and BYSETPOS: a position goes with a month or year, and there is one."""
    if "BYDAY" not in found:
        return None if last_day(found) or _has_day(found) else "BYMONTHDAY"
    days = [ORDINAL.fullmatch(one) for one in found["BYDAY"].split(",")]
    ordinals = {day[1].lstrip("+") for day in days if day}
    plain, position = ordinals == {""}, found.get("BYSETPOS", "").lstrip("+")
    if not relative:
        return None if plain else "BYDAY"
    if position:
        return ("BYDAY" if not plain else None) if position in POSITIONS else "BYSETPOS"
    return None if len(days) == 1 and ordinals <= POSITIONS else "BYDAY"


def _single(value: str) -> int:
    """Return the number of a part that lists one, else 0."""
    return number(value.lstrip("+"))
