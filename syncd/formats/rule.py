"""Recurrence rule lines (RFC 5545 §3.3.10): taken apart, and refused where expansion cannot end."""

from collections.abc import Iterable, Mapping
from math import prod

MOST_COUNT = 10_000
MOST_COMBINATIONS = 10_000
_LONGEST_NUMBER = 18  # digits; what is longer is beyond every limit anyway
_TOO_FINE = frozenset({"SECONDLY", "MINUTELY"})


def parts(line: str) -> Mapping[str, str]:
    """Return the parts of an ``RRULE:`` line, names and values in upper case."""
    _, _, rule = line.upper().partition(":")
    pairs = (part.partition("=") for part in rule.strip().split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}


def rules(recurrence: Iterable[str]) -> list[str]:
    """Return the RRULE lines."""
    return [line for line in recurrence if line.upper().startswith("RRULE")]


def refusal(recurrence: Iterable[str]) -> str | None:
    """Return why a series is never expanded, None if it may be (reliability.md, limits)."""
    lines = list(recurrence)
    if any(line.upper().startswith("EXRULE") for line in lines):
        return "EXRULE"
    for line in rules(lines):
        found = parts(line)
        if found.get("FREQ", "") in _TOO_FINE:
            return f"FREQ={found['FREQ']}"
        if number(found.get("COUNT")) > MOST_COUNT:
            return f"COUNT above {MOST_COUNT}"
        lists = (value.count(",") + 1 for name, value in found.items() if name.startswith("BY"))
        if prod(lists) > MOST_COMBINATIONS:
            return f"more than {MOST_COMBINATIONS} combinations of BY-parts"
    return None


def number(text: str | None) -> int:
    """Return a part's number, 0 if it has none."""
    if not (text and text.isascii() and text.isdecimal()):
        return 0
    return int(text[:_LONGEST_NUMBER])
