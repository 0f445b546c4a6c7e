"""The lines of a vCard: groups, parameters of three versions, values decoded (RFC 6350 §3.3, §4).

What vCard 2.1 left behind is taken too: parameters without a name (``TEL;HOME:``), charsets, and
quoted-printable, whose lines go on behind a ``=``.
"""

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass

from syncd.formats.lines import Component, Line, components, unescaped

_FOLD = re.compile(rb"\r?\n[ \t]")
_CHARSET = re.compile(rb'CHARSET="?([A-Za-z0-9_.:-]{1,40})', re.IGNORECASE)
_PARAMETER = re.compile(r';((?:"[^"]*+"|[^";])*+)')
_CARET = re.compile(r"\^([n'^])")  # RFC 6868
_CARETS = {"n": "\n", "'": '"', "^": "^"}
_QUOTED = "QUOTED-PRINTABLE"
_ENCODINGS = frozenset({_QUOTED, "BASE64", "8BIT", "7BIT"})  # as words without a name (2.1)
_WESTERN = "cp1252"  # what is no UTF-8 and does not say what it is


@dataclass(frozen=True, slots=True)
class Property:
    """One property: ``group`` in upper case or empty, parameters by name in upper case.

    A parameter has every value it was given, also in a list or as a word without a name (a TYPE
    of 2.1). ``value`` is still escaped, as some values are lists.
    """

    name: str
    group: str
    parameters: dict[str, tuple[str, ...]]
    value: str

    @property
    def text(self) -> str | None:
        """Return the value as text, None if it is blank."""
        return plain(self.value)

    @property
    def types(self) -> frozenset[str]:
        """Return the words of TYPE, in lower case."""
        return frozenset(word.lower() for word in self.parameters.get("TYPE", ()))

    def parameter(self, name: str) -> str:
        """Return a parameter's first value, empty without one."""
        return self.parameters.get(name, ("",))[0]


def cards(raw: bytes) -> list[Component]:
    """Return the cards of a body; raises MalformedReplyError beyond the limits of ``lines``."""
    return [one for one in components(_in_utf8(_joined(raw))) if one.name == "VCARD"]


def properties(card: Component) -> Iterator[Property]:
    """Yield the properties of a card, those of one name in the order of their lines."""
    for lines in card.lines.values():
        for line in lines:
            yield _property(line)


def plain(text: str) -> str | None:
    """Return text without escapes and surrounding blanks, None if nothing is left."""
    return unescaped(text).strip() or None


def split(value: str, separator: str = ";") -> list[str]:
    """Return the parts of a structured value or list, still escaped (RFC 6350 §3.4)."""
    found, begun, escaped = list[str](), 0, False
    for at, letter in enumerate(value):
        if letter == separator and not escaped:
            found.append(value[begun:at])
            begun = at + 1
        escaped = letter == "\\" and not escaped
    return [*found, value[begun:]]


def _property(line: Line) -> Property:
    group, _, name = line.name.rpartition(".")
    parameters = dict[str, tuple[str, ...]]()
    for written in _PARAMETER.findall(line.head):
        key, words = _parameter(written)
        parameters[key] = (*parameters.get(key, ()), *words)
    value = line.value
    if parameters.get("ENCODING", ("",))[0].upper() == _QUOTED:
        value = _unquoted(value, parameters.get("CHARSET", ("utf-8",))[0])
    return Property(name, group, parameters, value)


def _parameter(written: str) -> tuple[str, tuple[str, ...]]:
    """Return a parameter's name and values; a list may be in quotes as a whole (RFC 6350 §5.6)."""
    key, equals, value = written.partition("=")
    if not equals:
        word = key.strip().upper()
        return "ENCODING" if word in _ENCODINGS else "TYPE", (word,)
    text = _CARET.sub(lambda caret: _CARETS[caret[1]], value.replace('"', ""))
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    return key.strip().upper(), words


def _unquoted(value: str, charset: str) -> str:
    """Return a quoted-printable value; a semicolon that was written as ``=3B`` separates not."""
    decoded = [
        _decoded(quopri.decodestring(part.encode()), charset).replace("\r\n", "\n")
        for part in split(value)
    ]
    return ";".join(re.sub(r"(?<!\\);", r"\\;", part) for part in decoded)


def _joined(raw: bytes) -> bytes:
    """Return the body with the soft line breaks of quoted-printable values undone."""
    if _QUOTED.encode() not in raw.upper():
        return raw
    rows, open_ = list[bytes](), False
    for row in raw.replace(b"\r\n", b"\n").split(b"\n"):
        if open_:
            rows[-1] = rows[-1][:-1] + row.lstrip(b" \t")
        else:
            rows.append(row)
        quoted = _QUOTED.encode() in rows[-1].partition(b":")[0].upper()
        open_ = quoted and rows[-1].endswith(b"=")
    return b"\r\n".join(rows)


def _in_utf8(raw: bytes) -> bytes:
    """Return a body in UTF-8 whatever it is in; a fold may part the bytes of one character."""
    unfolded = _FOLD.sub(b"", raw)
    try:
        unfolded.decode()
    except UnicodeDecodeError:
        named = _CHARSET.search(unfolded)
        return _decoded(unfolded, named[1].decode() if named else _WESTERN).encode()
    return raw


def _decoded(raw: bytes, charset: str) -> str:
    """Return text in the charset it claims, else in UTF-8, else in that of old western writers."""
    for name in (charset, "utf-8"):
        try:
            return raw.decode(name)
        except (LookupError, ValueError):
            continue
    return raw.decode(_WESTERN, "replace")
