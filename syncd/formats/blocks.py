"""A calendar object open for edits: what no edit touches stays as it was, byte for byte (D19)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from syncd.formats.lines import DEEPEST, PARAMETER, Component, Line, line_of, unfolded
from syncd.formats.scripts import folded, parameter
from syncd.model.errors import InvalidError

_PHYSICAL = re.compile(rb"[^\r\n]*+(?:\r\n|\n|\r)|[^\r\n]++")
_BLANKS = (b" ", b"\t")
_BROKEN = "the calendar object is broken and cannot be changed safely"


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One content line as it is written, folds and line ends and all; ``line`` if it is one."""

    raw: bytes
    line: Line | None


class Block:
    """A component, or as the outermost the whole text; ``parts`` are rows and blocks in order."""

    __slots__ = ("begin", "end", "eol", "name", "parts")

    def __init__(self, name: str, begin: Row | None, eol: bytes) -> None:
        """Begin it; what is written into it ends its lines with ``eol``."""
        self.name = name
        self.begin = begin
        self.end: Row | None = None
        self.parts = list[Row | Block]()
        self.eol = eol

    def text(self) -> bytes:
        """Return everything as it stands."""
        inner = [one.raw if isinstance(one, Row) else one.text() for one in self.parts]
        edges = (b"" if row is None else row.raw for row in (self.begin, self.end))
        return b"".join((next(edges), *inner, next(edges)))

    def component(self) -> Component:
        """Return it as reading sees it."""
        found = Component(self.name, closed=True)
        for one in self.parts:
            if isinstance(one, Block):
                found.parts.append(one.component())
            elif one.line is not None:
                found.lines.setdefault(one.line.name, []).append(one.line)
        return found

    def blocks(self, name: str) -> list["Block"]:
        """Return the components of this name directly inside."""
        return [one for one in self.parts if isinstance(one, Block) and one.name == name]

    def lines(self, *names: str) -> Iterator[tuple[Row, Line]]:
        """Yield the rows of these names, with their lines; they may be replaced meanwhile."""
        for one in list(self.parts):
            if isinstance(one, Row) and one.line is not None and one.line.name in names:
                yield one, one.line

    def first(self, name: str) -> Line | None:
        """Return the first line of this name."""
        return next((line for _, line in self.lines(name)), None)

    def put(self, name: str, value: str, head: str = "") -> None:
        """Write a property: over the first of its name, else behind all others."""
        first = next((row for row, _ in self.lines(name)), None)
        if first is None:
            self.add(name, value, head)
        else:
            self.replace(first, name, value, head)

    def replace(self, row: Row, name: str, value: str, head: str = "") -> None:
        """Write over a row, unless it says the same already."""
        line = row.line
        if line is not None and (line.name, line.head, line.value) == (name, head, value):
            return
        self.parts[self._at(row)] = self._row(name, value, head)

    def add(self, name: str, value: str, head: str = "") -> None:
        """Write one more property."""
        at = next((at for at, one in enumerate(self.parts) if isinstance(one, Block)), None)
        self.parts.insert(len(self.parts) if at is None else at, self._row(name, value, head))

    def insert(self, block: "Block", *, before: "Block | None" = None) -> None:
        """Take a component in, at the end or before another."""
        at = len(self.parts) if before is None else self._at(before)
        self.parts.insert(at, block)

    def remove(self, *names: str) -> None:
        """Remove every property of these names."""
        for row, _ in self.lines(*names):
            self.drop(row)

    def drop(self, one: "Row | Block") -> None:
        """Remove one property or component."""
        del self.parts[self._at(one)]

    def copy(self) -> "Block":
        """Return the same once more."""
        made = Block(self.name, self.begin, self.eol)
        made.end = self.end
        made.parts = [one if isinstance(one, Row) else one.copy() for one in self.parts]
        return made

    def _at(self, one: "Row | Block") -> int:
        return next(at for at, other in enumerate(self.parts) if other is one)

    def _row(self, name: str, value: str, head: str) -> Row:
        text = f"{name}{head}:{value}"
        return Row(folded(text, self.eol), line_of(text))


def opened(raw: bytes) -> Block:
    """Return a text as one block without edges; raises InvalidError if its components are broken.

    Reading forgives a component that has lost its end; to write into it would be guessing.
    """
    rows = list(_rows(raw))
    root = Block("", None, _eol(rows))
    open_ = [root]
    for row in rows:
        line = row.line
        if line is None or line.name not in ("BEGIN", "END"):
            open_[-1].parts.append(row)
        elif line.name == "BEGIN":
            if len(open_) > DEEPEST:
                raise InvalidError(_BROKEN)
            begun = Block(line.word, row, root.eol)
            open_[-1].parts.append(begun)
            open_.append(begun)
        elif open_[-1].name == line.word and len(open_) > 1:
            open_.pop().end = row
        else:
            raise InvalidError(_BROKEN)
    if len(open_) > 1:
        raise InvalidError(_BROKEN)
    return root


def made(text: str, eol: bytes) -> Block:
    """Return the one component that this text is, its lines LF and not folded."""
    written = b"".join(folded(one, eol) for one in text.split("\n") if one)
    (block,) = (one for one in opened(written).parts if isinstance(one, Block))
    return block


def headed(head: str, parameters: Mapping[str, str | None]) -> str:
    """Return a line's parameters with these set, or with None removed; others stay verbatim."""
    kept = [found for found in PARAMETER.finditer(head) if found[1].upper() not in parameters]
    told = [parameter(name, value) for name, value in parameters.items() if value is not None]
    return "".join([found[0] for found in kept] + told)


def _rows(raw: bytes) -> Iterator[Row]:
    """Cut a text as reading does: folds, even over empty lines, belong to the line before."""
    rows, gap = list[list[bytes]](), list[bytes]()
    for physical in _PHYSICAL.findall(raw):
        if not physical.strip(b"\r\n"):
            gap.append(physical)
        elif rows and physical.startswith(_BLANKS):
            rows[-1] += [*gap, physical]
            gap.clear()
        else:
            rows += [[one] for one in gap]
            rows.append([physical])
            gap.clear()
    rows += [[one] for one in gap]
    for row in rows:
        whole = b"".join(row)
        plain = whole.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")
        yield Row(whole, line_of(unfolded(plain)) if plain else None)


def _eol(rows: list[Row]) -> bytes:
    first = rows[0].raw if rows else b""
    return first[len(first.rstrip(b"\r\n")) :] or b"\r\n"
