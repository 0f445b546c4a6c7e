"""What an activity says, in the few words that a line has for it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

_SHOWN_CHANGES = 3
_LONGEST = 40


def name(about: Mapping[str, Any]) -> str:
    """Return what a record's ``metadata`` is called."""
    return _short(about["account"] if about["type"] == "account" else about.get("name"))


def details(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what else there is to say of a record of api.md K42."""
    about = record["metadata"]
    if record["type"] == "update":
        changes = list(record.get("changes", {}).items())
        for field, change in changes[:_SHOWN_CHANGES]:
            yield f"{field} {_short(change['old'])} → {_short(change['new'])}"
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
