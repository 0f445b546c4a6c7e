"""Recurrence lines as a caller writes them to lines as an event keeps them (api.md K25): pure."""

import re
from collections.abc import Sequence
from datetime import UTC

from syncd.formats.dates import listed
from syncd.formats.lines import line_of
from syncd.formats.patterned import FIELD, unsupported, unsupported_part
from syncd.formats.rule import check, number, parts, rules
from syncd.model.edit import UNSET, Not
from syncd.model.errors import InvalidError

_NAMED = re.compile(r"(RRULE|RDATE|EXDATE|EXRULE)[:;]", re.IGNORECASE)
_OFFSET = re.compile(r"(UNTIL=\d{8}T\d{6})[+-]\d{2}:?\d{2}", re.IGNORECASE)


def settle_recurrence(
    given: Sequence[str], *, any_rule: bool, before: Sequence[str] = ()
) -> tuple[str, ...] | Not:
    """Return lines with their names in front, UNSET if they are those ``before``.

    ``any_rule`` as in Abilities. Raises InvalidError for what RFC 5545 does not know, with the code
    ``unsupported_recurrence`` for what the provider has no place for.
    """
    if given and tuple(map(_with_name, given)) == tuple(before):
        return UNSET  # written back as it was read: a provider could forget exceptions
    lines = tuple(_line(text) for text in given)
    names = [line.partition(":")[0].partition(";")[0] for line in lines]
    if names.count("RRULE") > 1:
        raise _invalid("there may be one RRULE")
    if lines and "RRULE" not in names and "RDATE" not in names:
        raise _invalid("there is no RRULE, nor RDATE, to begin with")
    if not any_rule and (part := next(filter(None, map(unsupported_part, lines)), None)):
        raise unsupported(part)
    for found in map(parts, rules(lines)):
        for name in ("INTERVAL", "COUNT"):
            if name in found and number(found[name]) < 1:
                raise _invalid(f"{name} must be at least 1")
    return lines


def _with_name(text: str) -> str:
    row = text.strip()
    return row if _NAMED.match(row) else f"RRULE:{row}"


def _line(text: str) -> str:
    if not text.strip() or any(ord(letter) < ord(" ") for letter in text.strip()):
        raise _invalid("each object holds one line of RFC 5545")
    row = _with_name(text)
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
    if len(found) < sum(map(bool, row.split(";"))):
        raise _invalid("each part of an RRULE stands there once")
    if "COUNT" in found and "UNTIL" in found:
        raise _invalid("COUNT and UNTIL exclude one another")


def _invalid(message: str) -> InvalidError:
    return InvalidError(message, field=FIELD)
