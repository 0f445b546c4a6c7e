"""Recurrence rule lines (RFC 5545 §3.3.10): checked, and refused where expansion cannot end."""

from collections.abc import Iterable, Mapping
from math import prod

from icalendar.prop import vRecur

MOST_COUNT = 10_000
MOST_COMBINATIONS = 10_000
LONGEST = 4096  # characters
_LONGEST_NUMBER = 18  # digits; what is longer is beyond every limit anyway
_FREQUENCIES = ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_TOO_FINE = frozenset({"SECONDLY", "MINUTELY"})
_DAYS = {"HOURLY": 1, "DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}  # at most in a period
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def parts(line: str) -> Mapping[str, str]:
    """Return the parts of an ``RRULE:`` line in upper case, without the blanks some write."""
    _, _, rule = line.upper().partition(":")
    pairs = (part.partition("=") for part in "".join(rule.split()).split(";"))
    return {name: value for name, _, value in pairs if name}


def rules(recurrence: Iterable[str]) -> list[str]:
    """Return the RRULE lines."""
    return [line for line in recurrence if line.upper().startswith("RRULE")]


def check(line: str) -> None:
    """Raise ValueError, saying what is wrong, for an RRULE or EXRULE line that does not parse."""
    name, _, rule = line.partition(":")
    if len(rule) > LONGEST:
        raise ValueError(f"its {name} is longer than {LONGEST} characters")
    found = parts(line)
    if found.get("FREQ") not in _FREQUENCIES:
        raise ValueError(f"its {name} has no FREQ that RFC 5545 knows")
    try:
        vRecur.from_ical("".join(rule.split()).upper())
    except ValueError:
        raise ValueError(f"its {name} cannot be read") from None


def refusal(recurrence: Iterable[str]) -> str | None:
    """Return why a series is never expanded, None if it may be (reliability.md, limits).

    Beside what would run too long, that is what never gives an occurrence: it would be looked
    for until the year 9999.
    """
    lines = list(recurrence)
    if any(line.upper().startswith("EXRULE") for line in lines):
        return "EXRULE"
    return next(filter(None, map(_refused, map(parts, rules(lines)))), None)


def _refused(found: Mapping[str, str]) -> str | None:
    frequency = found.get("FREQ", "")
    if frequency in _TOO_FINE:
        return f"FREQ={frequency}"
    if number(found.get("COUNT")) > MOST_COUNT:
        return f"COUNT above {MOST_COUNT}"
    lists = (value.count(",") + 1 for name, value in found.items() if name.startswith("BY"))
    if prod(lists) > MOST_COMBINATIONS:
        return f"more than {MOST_COMBINATIONS} combinations of BY-parts"
    if "INTERVAL" in found and number(found["INTERVAL"]) < 1:
        return "INTERVAL below 1"
    if _unreachable(found, frequency):
        return "BYSETPOS beyond its set"
    return "a day that no month has" if _impossible(found) else None


def _unreachable(found: Mapping[str, str], frequency: str) -> bool:
    finer = (
        ("BYMINUTE", "BYSECOND") if frequency == "HOURLY" else ("BYHOUR", "BYMINUTE", "BYSECOND")
    )
    times = prod(found[name].count(",") + 1 for name in finer if name in found)
    positions = [number(one.lstrip("+-")) for one in _listed(found, "BYSETPOS")]
    return bool(positions) and min(positions) > times * _DAYS.get(frequency, 1)


def _impossible(found: Mapping[str, str]) -> bool:
    days = [number(one.lstrip("+-")) for one in _listed(found, "BYMONTHDAY")]
    months = [number(one) for one in _listed(found, "BYMONTH")] or [1]
    longest = max(
        (LONGEST_MONTHS[one - 1] for one in months if 0 < one <= len(LONGEST_MONTHS)), default=0
    )
    return bool(days) and not any(0 < day <= longest for day in days)


def _listed(found: Mapping[str, str], name: str) -> list[str]:
    return found[name].split(",") if name in found else []


def number(text: str | None) -> int:
    """Return a part's number, 0 if it has none."""
    if not (text and text.isascii() and text.isdecimal()):
        return 0
    return int(text[:_LONGEST_NUMBER])
