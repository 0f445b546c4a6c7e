"""Microsoft Graph's published schema, as a judge over what is sent and told (providers.md 10.4)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.servers.judged import Judge

EXTRACT = Path(__file__).parents[1] / "data" / "graph-v1.json"
Json = dict[str, Any]
_PAGING = {"$skiptoken"}
_WINDOW = {"startDateTime", "endDateTime"}
# what Microsoft's pages name and the OpenAPI document leaves out
DOCUMENTED: Mapping[str, set[str]] = {
    "/me/calendars": _PAGING,
    "/me/calendars/{calendar-id}/events": _PAGING | {"$expand"},
    "/me/calendars/{calendar-id}/events/{event-id}": {"$expand"},
    "/me/calendars/{calendar-id}/calendarView/microsoft.graph.delta()": _PAGING
    | _WINDOW
    | {"$deltatoken"},
    "/me/events/{event-id}": {"$expand"},
    "/me/events/{event-id}/instances": _PAGING | _WINDOW,
    "/users/{user-id}/calendar/calendarView": _PAGING,
    "/users/{user-id}/calendar/events": _PAGING,
    "/me/outlook/masterCategories": _PAGING,
    "/me/contactFolders/{contactFolder-id}/childFolders": _PAGING,
    "/me/contacts/microsoft.graph.delta()": _PAGING | {"$deltatoken"},
    "/me/contactFolders/{contactFolder-id}/contacts/microsoft.graph.delta()": _PAGING
    | {"$deltatoken"},
}
_QUALIFIED = re.compile(r"microsoft\.graph\.(?!room$)(\w+)(\(\))?")  # delta() is asked for as delta


@cache
def published() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(EXTRACT.read_text())
    return document


def check(name: str, told: object) -> None:
    """Raise jsonschema's ValidationError for what is no ``name`` of Microsoft Graph."""
    _judge(f"microsoft.graph.{name}").check(told)


@dataclass(frozen=True)
class Operation:
    """One method of one path of the document."""

    path: str
    method: str

    def faults(self, query: Mapping[str, str], body: object) -> list[str]:
        """Return what is wrong with a request."""
        known = {*published()["paths"][self.path][self.method], *DOCUMENTED.get(self.path, ())}
        wrong = [f"{self} has no parameter {name}" for name in query if name not in known]
        schema = published()["bodies"][self.path][self.method]["sent"]
        if schema is None or body is None:
            odd = (schema is None) != (body is None)
            return [*wrong, f"{self} takes {'no' if schema is None else 'a'} body"] * odd or wrong
        if self._is_action:  # OData compares the names of parameters without their case
            named = {name.lower(): name for name in schema["properties"]}
            assert isinstance(body, dict)
            body = {named.get(name.lower(), name): value for name, value in body.items()}
        return wrong + self._wrong(schema, body)

    def answer_faults(self, told: object) -> list[str]:
        """Return what is wrong with a good answer of ours."""
        schema = published()["bodies"][self.path][self.method]["told"]
        if schema is None or told is None:
            return [] if told is None else [f"{self} answers nothing"]
        if isinstance(told, dict) and self.path.endswith("delta()"):
            told = {**told, "value": [_without_tombstone(one) for one in told["value"]]}
        return [f"answer of {one}" for one in self._wrong(schema, told)]

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def _is_action(self) -> bool:
        return self.method == "post" and "microsoft.graph." in self.path

    def _wrong(self, schema: Json, body: object) -> list[str]:
        return [
            f"{self}: {one.json_path}: {one.message}"
            for one in _judge(json.dumps(schema)).faults(body)
        ]


def operation(method: str, path: str) -> Operation | None:
    """Return what a request below the API's address is; ``path`` is quoted."""
    found = [one for shape, one in _shapes() if shape.fullmatch(path)]
    fitting = [one for one in found if method.lower() in published()["paths"][one]]
    return Operation(fitting[0], method.lower()) if fitting else None


@cache
def _shapes() -> list[tuple[re.Pattern[str], str]]:
    return [(_pattern(path), path) for path in published()["paths"]]


def _pattern(path: str) -> re.Pattern[str]:
    plain = _QUALIFIED.sub(r"\1", path)
    parts = re.split(r"(\{[^}]+\})", plain)
    return re.compile("".join("[^/]+" if one.startswith("{") else re.escape(one) for one in parts))


@cache
def _judge(named: str) -> Judge:
    """Return the judge of a definition's name, or of a schema as text."""
    told = json.loads(named) if named.startswith("{") else {"$ref": f"#/$defs/{named}"}
    return Judge({"$defs": published()["$defs"], **told})


def _without_tombstone(item: Json) -> Json:
    if "@removed" not in item:
        return item
    assert item.keys() == {"id", "@removed"}, item
    assert item["@removed"] == {"reason": "deleted"}, item
    return {"id": item["id"]}
