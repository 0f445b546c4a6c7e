"""Values to iCalendar text: escapes, parameters, folding (RFC 5545 §3.1-§3.3, RFC 6868)."""

import re

WIDEST = 75  # octets, the line end not counted

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAK = re.compile("\r\n|\r|\n")
_SPECIAL = re.compile(r"[\\;,]")
_MEANT = re.compile(r"\\(?=[\\;,:nN])")  # a backslash that reading would take for an escape
_PLAIN = re.compile(r'[^\s",;:]+(?: [^\s",;:]+)*')


def text(value: str) -> str:
    """Return TEXT (RFC 5545 §3.3.11)."""
    escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", one_line(value, "\n"))
    return escaped.replace("\n", "\\n")


def one_line(value: str, breaks: str = "\\n") -> str:
    """Return a value without control characters, its line breaks written as ``breaks``."""
    return _CONTROL.sub("", _BREAK.sub(lambda _: breaks, value))


def parameter(name: str, value: str) -> str:
    """Return ``;NAME=value``, quoted where it must be (RFC 6868 for what quotes cannot hold)."""
    meant = _MEANT.sub(r"\\\\", one_line(value, "\n"))
    told = meant.replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f";{name}={told}" if _PLAIN.fullmatch(told) else f';{name}="{told}"'


def folded(line: str, eol: bytes) -> bytes:
    """Return a content line with its end, folded between characters."""
    rest = line.encode("utf-8", "replace")
    rows, widest = list[bytes](), WIDEST
    while len(rest) > widest:
        cut = widest
        while rest[cut] & 0xC0 == 0x80:  # noqa: PLR2004 - inside a character
            cut -= 1
        rows.append(rest[:cut])
        rest = rest[cut:]
        widest = WIDEST - 1
    return (eol + b" ").join([*rows, rest]) + eol
