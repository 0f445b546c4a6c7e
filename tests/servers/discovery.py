"""Google's discovery document as the judge of requests and answers (providers.md 10.4)."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from tests.servers.judged import Judge

Json = dict[str, Any]


def _schema(told: object, *, patch: bool) -> Any:  # noqa: ANN401
    """Return a discovery schema as JSON Schema: nothing that is not named may be there."""
    if isinstance(told, list):
        return [_schema(one, patch=patch) for one in told]
    if not isinstance(told, dict):
        return told
    if "$ref" in told:
        return {"$ref": f"#/$defs/{told['$ref']}"}
    kept: Json = {}
    if "type" in told and told["type"] != "any":
        kept["type"] = [told["type"], "null"] if patch else told["type"]
    if "enum" in told:
        kept["enum"] = told["enum"]
    if "items" in told:
        kept["items"] = _schema(told["items"], patch=patch)
    if told.get("type") == "object":
        properties = told.get("properties", {})
        kept["properties"] = {name: _schema(one, patch=patch) for name, one in properties.items()}
        extra = told.get("additionalProperties")
        kept["additionalProperties"] = False if extra is None else _schema(extra, patch=patch)
    return kept


class Discovery:
    """One API: its methods by path, its schemas."""

    def __init__(self, name: str) -> None:
        folder = files("googleapiclient.discovery_cache") / "documents"
        self.document: Json = json.loads((folder / f"{name}.json").read_text())
        self._methods = [
            (method["httpMethod"], _pattern(method.get("flatPath") or method["path"]), method)
            for method in _methods(self.document)
        ]

    def method(self, verb: str, path: str) -> Json | None:
        """Return what a request below the API's address is."""
        found = [
            one for name, shape, one in self._methods if name == verb and shape.fullmatch(path)
        ]
        return found[0] if found else None

    def faults(self, method: Json, query: dict[str, str], body: object) -> list[str]:
        """Return what is wrong with a request."""
        known = method.get("parameters", {}).keys() | self.document["parameters"].keys()
        wrong = [f"{method['id']} has no parameter {one}" for one in query if one not in known]
        if body is not None:
            name = method.get("request", {}).get("$ref")
            if name is None:
                return [*wrong, f"{method['id']} takes no body"]
            patch = method["httpMethod"] == "PATCH"
            wrong += [
                f"{method['id']}: {one.json_path}: {one.message}"
                for one in self._judge(name, patch=patch).faults(body)
            ]
        return wrong

    def answer_faults(self, method: Json, body: object) -> list[str]:
        """Return what is wrong with a good answer of ours."""
        name = method.get("response", {}).get("$ref")
        if name is None:
            return [] if body is None else [f"{method['id']} answers nothing"]
        return [
            f"answer of {method['id']}: {one.json_path}: {one.message}"
            for one in self._judge(name, patch=False).faults(body)
        ]

    @cache  # noqa: B019 - one object a test run
    def _judge(self, name: str, *, patch: bool) -> Judge:
        schemas = self.document["schemas"]
        defs = {one: _schema(told, patch=patch) for one, told in schemas.items()}
        return Judge({"$ref": f"#/$defs/{name}", "$defs": defs})


@cache
def calendar_api() -> Discovery:
    """Return Calendar v3."""
    return Discovery("calendar.v3")


@cache
def people_api() -> Discovery:
    """Return People v1."""
    return Discovery("people.v1")


@cache
def directory_api() -> Discovery:
    """Return Directory v1."""
    return Discovery("admin.directory_v1")


def _methods(told: Json) -> Iterator[Json]:
    """Yield the methods of resources, and of the resources inside of them."""
    yield from told.get("methods", {}).values()
    for part in told.get("resources", {}).values():
        yield from _methods(part)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("".join(r"[^/]+" if one.startswith("{") else re.escape(one)
                              for one in re.split(r"(\{[^}]+\})", path)))  # fmt: skip
