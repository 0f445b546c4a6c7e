"""Activities as lines that a person reads; with rich's markup."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from syncd.engine.telling import details, name

_COLORS = {"add": "green", "update": "yellow", "delete": "red"}
_NAME_WIDTH = 30


def line(record: Mapping[str, Any]) -> str:
    """Return one line for a record of api.md K42: time, what, which, and what changed."""
    about = record["metadata"]
    color = _COLORS[record["type"]]
    at = datetime.fromisoformat(record["recorded_at"]).strftime("%H:%M:%S")
    parts = (
        f"[dim]{at}[/dim]",
        f"[{color}]{record['action']} {record['type']:<6}[/{color}]",
        f"{about['type']:<8}",
        f"[bold]{_escaped(f'{name(about):<{_NAME_WIDTH}}')}[/bold]",
        f"[dim]{_escaped(', '.join(details(record)))}[/dim]",
    )
    return "  ".join(parts)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
