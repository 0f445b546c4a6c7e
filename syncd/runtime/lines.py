"""Activities as lines that a person reads; with rich's markup."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

_COLORS = {"add": "green", "update": "yellow", "delete": "red"}
_SHOWN_CHANGES = 3
_LONGEST = 40
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
        f"[bold]{_escaped(f'{_name(about):<{_NAME_WIDTH}}')}[/bold]",
        f"[dim]{_escaped(', '.join(_details(record)))}[/dim]",
    )
    return "  ".join(parts)


def _name(about: Mapping[str, Any]) -> str:
    return _short(about["account"] if about["type"] == "account" else about.get("name"))


def _details(record: Mapping[str, Any]) -> Iterator[str]:
    about = record["metadata"]
    if record["type"] == "update":
        changes = list(record.get("changes", {}).items())
        for name, change in changes[:_SHOWN_CHANGES]:
            yield f"{name} {_short(change['old'])} → {_short(change['new'])}"
        if len(changes) > _SHOWN_CHANGES:
            yield f"{len(changes) - _SHOWN_CHANGES} more"
    elif about["type"] == "event":
        yield _when(about)
        if about.get("location"):
            yield str(about["location"])
    elif about["type"] == "account":
        yield str(about["state"])


def _when(event: Mapping[str, Any]) -> str:
    start = str(event["start"])
    if event["all_day"]:
        return start
    told = datetime.fromisoformat(start).strftime("%a %d %b %H:%M")
    return f"{told}, repeats" if event["recurrence"] else told


def _short(value: object) -> str:
    match value:
        case None | "" | []:
            return "nothing"
        case str() if "T" in value and value[:4].isdecimal():
            return _instant(value)
        case list():
            return f"{len(value)} entries"
        case _:
            text = " ".join(str(value).split())
            return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _instant(text: str) -> str:
    try:
        return datetime.fromisoformat(text).strftime("%d %b %H:%M")
    except ValueError:
        return text


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
