"""iCalendar text to components and lines (RFC 5545 §3.1), taken as far as they can be understood.

A line that is none is passed over; nothing here judges values. Times stay text, so that one bad
value costs its own event and a zone named in one file means nothing in another.
"""

import re
from dataclasses import dataclass, field
from sys import intern

from syncd.model.errors import MalformedReplyError

LARGEST = 25 * 2**20  # bytes; reliability.md, limits
LONGEST_LINE = 2**20  # bytes, as it was folded
MOST_COMPONENTS = 50_000
MOST_LINES = 500_000  # each costs some hundred bytes of memory
DEEPEST = 16  # a component in a component in …; RFC 5545 knows three

_OUTER = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"})
_FOLD = re.compile(rb"(?<!\n)\n++[ \t]")  # from the first line break of a run: linear
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LINE = re.compile(
    r'[ \t]*+([A-Za-z0-9.-]++)[ \t]*+((?:;[^":]*+(?:"[^"]*+"[^":]*+)*+)?):(.*)', re.DOTALL
)
PARAMETER = re.compile(r';[ \t]*+([A-Za-z0-9-]++)[ \t]*+=[ \t]*+((?:"[^"]*+"|[^";])*+)')
_ESCAPE = re.compile(r"\\([\\;,:nN])")
_CARET = re.compile(r"\^([n'^])")  # RFC 6868
_CARETS = {"n": "\n", "'": '"', "^": "^"}


@dataclass(frozen=True, slots=True)
class Line:
    """One content line, unfolded: its name in upper case, parameters and value as written."""

    name: str
    head: str
    value: str

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters, names in upper case; of a name given twice the first counts."""
        found: dict[str, str] = {}
        for name, value in PARAMETER.findall(self.head):
            quoted = len(value) > 1 and value[0] == value[-1] == '"'
            bare = value[1:-1] if quoted else value.strip()
            plain = _CARET.sub(lambda caret: _CARETS[caret[1]], bare.replace('"', ""))
            found.setdefault(name.upper(), unescaped(plain))
        return found

    @property
    def text(self) -> str:
        """Return the value as TEXT was meant (RFC 5545 §3.3.11)."""
        return unescaped(self.value)

    @property
    def word(self) -> str:
        """Return the value for comparison."""
        return self.value.strip().upper()


@dataclass(slots=True)
class Component:
    """What stands between BEGIN and END; ``closed`` unless the END is missing."""

    name: str
    lines: dict[str, list[Line]] = field(default_factory=dict)
    parts: list["Component"] = field(default_factory=list)
    closed: bool = False

    def all(self, name: str) -> list[Line]:
        """Return every line of this name."""
        return self.lines.get(name, [])

    def first(self, name: str) -> Line | None:
        """Return the first line of this name."""
        found = self.lines.get(name)
        return found[0] if found else None

    def text(self, name: str) -> str | None:
        """Return the TEXT of the first line of this name."""
        found = self.first(name)
        return None if found is None else found.text

    def inside(self, name: str) -> list["Component"]:
        """Return the components of this name directly inside."""
        return [part for part in self.parts if part.name == name]


def unescaped(text: str) -> str:
    """Return TEXT with its escapes undone."""
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], text)


def components(raw: bytes) -> list[Component]:
    """Return the outermost components, however their lines end and whatever encloses them.

    Raises MalformedReplyError beyond the limits above.
    """
    roots: list[Component] = []
    opened: list[Component] = []
    begun = 0
    for row in rows(raw):
        line = line_of(row)
        if line is None:
            continue
        if line.name == "BEGIN":
            begun += 1
            if begun > MOST_COMPONENTS:
                raise MalformedReplyError(f"it has more than {MOST_COMPONENTS} components")
            _begin(line.word, roots, opened)
        elif line.name == "END":
            _end(line.word, opened)
        elif opened:
            opened[-1].lines.setdefault(line.name, []).append(line)
    return roots


def rows(raw: bytes) -> list[str]:
    """Return a text's content lines, unfolded; raises MalformedReplyError beyond the limits."""
    if len(raw) > LARGEST:
        raise MalformedReplyError(f"it has more than {LARGEST} bytes")
    folded = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if max(map(len, folded.split(b"\n"))) > LONGEST_LINE:
        raise MalformedReplyError(f"it has a line of more than {LONGEST_LINE} bytes")
    text = unfolded(folded)
    if text.count("\n") > MOST_LINES:
        raise MalformedReplyError(f"it has more than {MOST_LINES} lines")
    return text.split("\n")


def unfolded(folded: bytes) -> str:
    """Return text that was folded, its line ends LF, without a mark of byte order in front."""
    # before it is decoded: a fold may part the bytes of one character
    return _CONTROL.sub("", _FOLD.sub(b"", folded).decode("utf-8-sig", "replace"))


def line_of(row: str) -> Line | None:
    """Return an unfolded content line, None for text without a colon."""
    found = _LINE.match(row)
    if found is not None:
        return Line(intern(found[1].upper()), found[2], found[3])
    front, colon, value = row.partition(":")  # a quote may be open
    name, _, head = front.partition(";")
    return Line(name.strip().upper(), f";{head}", value) if colon else None


def _begin(name: str, roots: list[Component], opened: list[Component]) -> None:
    if name in _OUTER:  # never inside another: what is still open has lost its END
        while opened and opened[-1].name != "VCALENDAR":
            opened.pop()
    if len(opened) >= DEEPEST:
        raise MalformedReplyError(f"components are nested more than {DEEPEST} deep")
    begun = Component(name)
    (opened[-1].parts if opened else roots).append(begun)
    opened.append(begun)


def _end(name: str, opened: list[Component]) -> None:
    for at in range(len(opened) - 1, -1, -1):
        if opened[at].name == name:
            opened[at].closed = True
            del opened[at:]
            return
