"""The document as a page for people: one file, no script, nothing from outside (api.md N23)."""

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

import orjson
from jinja2 import Environment
from markupsafe import Markup, escape

from syncd.api.parts import Json

ADDRESS = "http://127.0.0.1:8470"  # replaced by the one that was asked
_FOLDER = files("syncd.api") / "page"
STYLE = (_FOLDER / "docs.css").read_text()
_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    (_FOLDER / "docs.html").read_text()
)
_ALWAYS = {"401", "403", "429", "default"}  # told in one line, not a row each
_BOUNDS = (
    ("minimum", "at least"),
    ("maximum", "at most"),
    ("minLength", "at least characters:"),
    ("maxLength", "at most characters:"),
    ("pattern", "matching"),
    ("format", "as"),
)


def manual(document: Json, errors: Iterable[tuple[str, int]]) -> str:
    """Return the page of an OpenAPI document; ``errors`` are codes with their status."""
    groups: dict[str, list[Json]] = {}
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            groups.setdefault(told["tags"][0], []).append(_operation(method, path, told))
    schemas = document["components"]["schemas"]
    return _PAGE.render(
        style=STYLE,
        version=document["info"]["version"],
        summary=document["info"]["summary"],
        example=f"{ADDRESS}/v1/accounts/me/events",
        groups=[{"name": name, "operations": found} for name, found in groups.items()],
        shapes=[_shape(name, schemas[name]) for name in sorted(_named(document["paths"], schemas))],
        errors=errors,
    )


def _named(told: Any, schemas: Json) -> set[str]:  # noqa: ANN401 - JSON
    """Return the shapes that are reached; parameters stand where they are taken."""
    found, behind = set[str](), [told]
    while behind:
        one = behind.pop()
        if isinstance(one, dict):
            name = str(one.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                behind.append(schemas[name])
            behind += one.values()
        elif isinstance(one, list | tuple):
            behind += one
    return found


def _operation(method: str, path: str, told: Json) -> Json:
    answers = told["responses"]
    scopes = [scope for one in told["security"] for scope in one.get("bearer", ())]
    refusals = [status for status in answers if status in _ALWAYS - {"default"}]
    body = told.get("requestBody", {}).get("content", {})
    return {
        "id": told["operationId"],
        "method": method,
        "path": path,
        "breaking": Markup("/<wbr>").join(path.split("/")),
        "text": _text(f"{told['summary']} {told.get('description', '')}"),
        "admits": _admits(told["security"], scopes),
        "parameters": [
            {
                "name": one["name"],
                "place": one["in"],
                "kind": _kind(one["schema"]),
                "required": one.get("required", False),
                "text": _text(one.get("description", "")),
            }
            for one in told["parameters"]
        ],
        "body": Markup(" ").join(
            Markup("{} <span class='quiet'>{}</span>").format(_kind(one["schema"]), kind)
            for kind, one in body.items()
        ),
        "answers": [
            {"status": status, "text": one["description"], "shape": _content(one)}
            for status, one in answers.items()
            if status not in _ALWAYS
        ],
        "refusals": f"Also {', '.join(refusals)}." if refusals else "",
    }


def _admits(security: list[Any], scopes: list[str]) -> Markup:
    if not security:
        return Markup("Needs no token.")
    if not scopes:
        return Markup("Takes any live token.")
    return Markup("Scope <code>{}</code>").format(scopes[0])


def _content(answer: Json) -> Markup:
    shown = [
        _kind(content["schema"]) if "schema" in content else escape(kind)
        for kind, content in answer.get("content", {}).items()
    ]
    return Markup(", ").join(shown)


def _shape(name: str, schema: Json) -> Json:
    required = set(schema.get("required", ()))
    return {
        "name": name,
        "text": _text(schema.get("description", "")),
        "kind": _kind(schema),
        "members": [
            {
                "name": member,
                "kind": _kind(one),
                "required": member in required,
                "text": _text(one.get("description", "")),
            }
            for member, one in schema.get("properties", {}).items()
        ],
        "examples": [
            orjson.dumps(one, option=orjson.OPT_INDENT_2).decode()
            for one in schema.get("examples", ())
        ],
    }


def _kind(schema: Mapping[str, Any]) -> Markup:
    """Say what a value may be, with links to shapes."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#shape-{0}">{0}</a>').format(name)
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return Markup(" or ").join(_kind(one) for one in schema[word])
    if "enum" in schema:
        return Markup(", ").join(Markup("<code>{}</code>").format(_json(x)) for x in schema["enum"])
    if "const" in schema:
        return Markup("<code>{}</code>").format(_json(schema["const"]))
    told = _plain(schema)
    for bound, words in _BOUNDS:
        if bound in schema:
            told += Markup(", {} <code>{}</code>").format(words, schema[bound])
    if schema.get("default") is not None:
        told += Markup(", default <code>{}</code>").format(_json(schema["default"]))
    return told


def _plain(schema: Mapping[str, Any]) -> Markup:
    kind = schema.get("type", "anything")
    if kind == "array":
        return Markup("list of ") + _kind(schema.get("items", {}))
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Markup("object of ") + _kind(schema["additionalProperties"])
    if isinstance(kind, list):
        return Markup(" or ").join(escape(one) for one in kind)
    return escape(kind)


def _json(value: object) -> str:
    if isinstance(value, str):
        return value or '""'
    return orjson.dumps(value).decode()


def _text(text: str) -> Markup:
    """Escape a docstring; what stands between backticks is code."""
    told = str(escape(" ".join(text.split())))
    return Markup(re.sub(r"`+([^`]+)`+", r"<code>\1</code>", told))  # noqa: S704 - escaped above
