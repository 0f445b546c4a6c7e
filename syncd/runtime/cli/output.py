"""What commands print: tables for people, one JSON value for programs; always on stdout."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

_WIDTH_OF_A_PIPE = 200


class Format(StrEnum):
    """``-o``."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What stands before the command."""

    config: Path | None = None
    format: Format = Format.TABLE


def show(options: Options, found: Any, columns: Sequence[str] = ()) -> None:  # noqa: ANN401 - JSON
    """Print an answer; of a list's objects people see ``columns``."""
    if options.format is Format.JSON:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    elif isinstance(found, Mapping):
        _object(found)
    else:
        _list(found, columns)


def _object(found: Mapping[str, Any]) -> None:
    table = _table()
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    nested = {key: value for key, value in found.items() if _is_list_of_objects(value)}
    for key, value in found.items():
        if key not in nested:
            table.add_row(key, _text(value))
    _print(table)
    for key, rows in nested.items():
        _print(f"\n{key}")
        _list(rows, tuple(rows[0]))


def _list(found: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    if not found:
        _print("(none)")
        return
    table = _table(header=True)
    for column in columns:
        table.add_column(column, overflow="fold")
    for one in found:
        table.add_row(*(_text(one.get(column)) for column in columns))
    _print(table)


def _is_list_of_objects(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _text(value: object) -> str:
    match value:
        case None | [] | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case {"code": str(), "message": str(message)}:
            return message
        case Mapping():
            return ", ".join(f"{key} {_text(inner)}" for key, inner in value.items()) or "-"
        case list() | tuple():
            return ", ".join(map(_text, value))
        case _:
            return str(value)


def _table(*, header: bool = False):  # type: ignore[no-untyped-def]  # noqa: ANN202 - rich is imported late
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(show_header=header, box=SIMPLE_HEAD if header else None, pad_edge=False)


def _print(what: object) -> None:
    from rich.console import Console

    width = None if sys.stdout.isatty() else _WIDTH_OF_A_PIPE
    Console(width=width, highlight=False, markup=False).print(what)
