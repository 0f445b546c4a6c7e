"""Reading a stream back, by itself: nothing here comes from the engine."""

from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import orjson

from syncd.model.activity import Activity
from tests.fakes.provider import FakeServer

Shape = tuple[object, ...]


@dataclass
class Replay:
    """What a reader knows who applied every record since position 0; faults it met are raised."""

    position: int = 0
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    calendars: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    contacts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def copy(self) -> "Replay":
        return deepcopy(self)

    def apply(self, activities: Iterable[Activity]) -> list[dict[str, Any]]:
        """Apply records; return the metadata of deleted events and contacts."""
        deleted = list[dict[str, Any]]()
        for activity in activities:
            assert activity.position == self.position + 1, "a gap"
            self.position = activity.position
            record = orjson.loads(activity.body)
            told = record["metadata"]
            assert record["id"].endswith(f"-{activity.position}")
            here: dict[str, dict[str, Any]] = {
                "event": self.events,
                "calendar": self.calendars,
                "account": self.accounts,
                "contact": self.contacts,
            }[told["type"]]
            name = str(told["id"])
            match record["type"]:
                case "add":
                    assert name not in here, f"add on a present id: {name}"
                    here[name] = told
                case "update":
                    assert name in here, f"update of nothing: {name}"
                    for member, change in record["changes"].items():
                        assert here[name].get(member) == change["old"], "changes begin elsewhere"
                        assert told.get(member) == change["new"]
                    here[name] = told
                case "delete":
                    assert name in here, f"delete of nothing: {name}"
                    del here[name]
                    if told["type"] in {"event", "contact"}:
                        deleted.append(told)
                case other:
                    raise AssertionError(other)
            self._consistent(told)
        return deleted

    def _consistent(self, told: dict[str, Any]) -> None:
        if told["type"] == "event":
            assert told["calendar_id"] in self.calendars, "an event of no calendar"
        if told["type"] == "calendar" and told["id"] not in self.calendars:
            left = [one for one in self.events.values() if one["calendar_id"] == told["id"]]
            assert not left, "a calendar was deleted before its events"

    def shape(self) -> Counter[Shape]:
        """Return what a person would see: calendars, events and contacts by what they show."""
        seen = Counter[Shape]((one["name"],) for one in self.calendars.values())
        for one in self.contacts.values():
            seen[one["initials"], one["name"]] += 1
        for one in self.events.values():
            master = one.get("recurring_master_id")
            assert master is None or one["id"].startswith(f"{master}_")
            seen[
                self.calendars[one["calendar_id"]]["name"],
                one["ical_uid"],
                one["name"],
                _same(one["start"]),
                _same(one["end"]),
                _same(one["original_start"]) if "original_start" in one else None,
                tuple(line["rrule"] for line in one["recurrence"]),
            ] += 1
        return seen


def truth(server: FakeServer) -> Counter[Shape]:
    """Return the same of a server."""
    seen = Counter[Shape](
        (one.contact.initials, one.contact.name)
        for book in server.books.values()
        for one in book.resources.values()
        if one.contact is not None
    )
    for here in server.calendars.values():
        name = here.calendar.name
        seen[name,] += 1
        for resource in here.resources.values():
            for one in resource.events:
                seen[
                    name, one.uid, one.name, one.start, one.end, one.original_start, one.recurrence
                ] += 1
    return seen


def _same(text: str) -> date:
    if len(text) == len("2026-11-20"):
        return date.fromisoformat(text)
    return datetime.fromisoformat(text).astimezone(UTC)
