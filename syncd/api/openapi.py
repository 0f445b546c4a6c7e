"""The OpenAPI 3.1 document, written from the routes' shapes and docstrings (api.md N23)."""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import models_json_schema

from syncd import __version__
from syncd.api.dialect import Dialect
from syncd.api.idempotency import KEY, REPLAYED
from syncd.api.oauth import OAuthProblem, worded
from syncd.api.parts import Json
from syncd.api.route import PAGE, NoQuery, Route, Shape

_FORM = "application/x-www-form-urlencoded"
TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS.value
_REF = "#/components/schemas/{model}"
_PATH_PARAMETERS: Mapping[str, Json] = {
    "account_id": {
        "description": "An account's id, or `me`: the only account of the token.",
        "schema": {"type": "string", "pattern": "^([1-9][0-9]{0,17}|me)$"},
        "example": "me",
    },
    "account_ids": {
        "description": "Ids of accounts, separated by commas; `me` at place n is that of token n.",
        "schema": {"type": "string", "pattern": "^([1-9][0-9]{0,17}|me)(,[1-9][0-9]{0,17})*$"},
        "example": "me",
    },
    "profile_id": {
        "description": "Either name of a profile: `pro_…` or the account id.",
        "schema": {"type": "string", "pattern": "^([1-9][0-9]{0,17}|pro_[a-z2-7]{4,13})$"},
        "example": "1",
    },
    "calendar_id": {
        "description": "A calendar's id, or `primary`.",
        "example": "primary",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
    },
    "contact_id": {
        "description": "A contact's id.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
    },
    "event_uid": {
        "description": "`event_uid` of an event.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
    },
    "page_id": {
        "description": "The end of a `next_page`.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
    },
    "name": {
        "description": "The name of a calendar of tokens, or its id, which wins.",
        "schema": {"type": "string", "minLength": 1},
    },
    "tag": {
        "description": "The name of a tag.",
        "schema": {"type": "string", "minLength": 1},
    },
    "secret": {
        "description": "The secret of a published file, which is all that it takes to read it.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9]+$"},
    },
    "feed_id": {
        "description": "A feed's id.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9]+$"},
    },
    "webhook_id": {
        "description": "A webhook's id.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_]+$"},
    },
    "channel_id": {
        "description": "A channel's id.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_]+$"},
    },
    "subscription_id": {
        "description": "A subscription's id, or `default`: the one that every account has.",
        "example": "default",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_]+$"},
    },
    "delivery_id": {
        "description": "The id of an attempt to deliver.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_]+$"},
    },
    "resource_id": {
        "description": "A resource's id.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
    },
    "event_id": {
        "description": "An event's id; occurrences and exceptions have ids of their own.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
    },
}
_REQUEST_HEADERS: Mapping[str, Json] = {
    "X-Kloudless-Raw-Data": {
        "description": "`true`: every object has its provider's own form under `raw`.",
        "schema": {"type": "boolean"},
    },
    "If-None-Match": {
        "description": "Versions that the caller holds: 304 for one of them.",
        "schema": {"type": "string"},
    },
    "If-Match": {
        "description": "Versions that may be changed: 412 if it is none of them, here or at the "
        "provider; `*` is any.",
        "schema": {"type": "string"},
    },
    "X-Kloudless-Raw-Method": {
        "description": "The method of the request to the provider.",
        "required": True,
        "schema": {
            "type": "string",
            "pattern": "^[A-Z][A-Z-]{0,31}$",
            "not": {"enum": ["CONNECT", "TRACE"]},
        },
        "example": "PROPFIND",
    },
    "X-Kloudless-Raw-URI": {
        "description": "A path at the provider, or an address of it.",
        "required": True,
        "schema": {"type": "string", "pattern": r"^(/(?!/)|https?://)[!-\[\]-~]*$"},
        "example": "/",
    },
    KEY: {
        "description": "Makes the request safe to repeat: for 24 h the same key and body get the "
        "first answer again, with `Idempotency-Replayed: true`.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "If-Modified-Since": {
        "description": "`Last-Modified` of what the caller holds: 304 if nothing changed since.",
        "schema": {"type": "string"},
    },
    "X-Goog-Channel-ID": {
        "description": "The channel that Google calls through.",
        "schema": {"type": "string"},
    },
    "X-Goog-Channel-Token": {
        "description": "The secret of the channel.",
        "schema": {"type": "string"},
    },
    "Last-Event-ID": {
        "description": "The last `id` that was received; wins over `cursor`.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
    },
}
_ANSWER_HEADERS: Mapping[str, str] = {
    "X-Syncd-Cursor": "The stream position that the answer reflects: list, then follow from it.",
    "X-Syncd-Polled-At": "When what was read was last polled to the end; absent before the first.",
    "X-Syncd-State": "connected, initial, suspect, paused or disconnected.",
    "X-Syncd-Truncated": "`true` if the limits of expansion cut the listing short.",
    "ETag": "The version of the object.",
    "Location": "The URL of what was made.",
    "X-Syncd-Ignored": "Members that the provider does not store; absent if all are stored.",
    "Last-Modified": "Since when the file is as it is.",
    REPLAYED: "`true` on an answer that was given before.",
}
_TOKENS: Mapping[str, Json] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A profile's or a user's token; several, separated by commas, cover more.",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`APIKey <key>`: an application. Accounts are named by id.",
    },
}


def openapi(routes: Sequence[Route], dialects: Sequence[Dialect]) -> Json:
    """Return the document of these routes."""
    schemas = _schemas(routes, dialects)
    paths: dict[str, Json] = {}
    for route in routes:
        dialect = next(one for one in dialects if one.owns(route.path))
        told = _operation(route, dialect, schemas)
        paths.setdefault(route.path, {})[route.method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "syncd",
            "version": __version__,
            "summary": "Every connected calendar's changes, as one durable activity stream.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": dict(_TOKENS)},
    }


def _schemas(routes: Iterable[Route], dialects: Iterable[Dialect]) -> dict[str, Json]:
    shapes: set[type[Shape]] = {OAuthProblem, *(dialect.problem for dialect in dialects)}
    for route in routes:
        known = (route.query, route.body, route.answer, *route.more.values())
        shapes |= {shape for shape in known if shape is not None and shape is not NoQuery}
    ordered = sorted(shapes, key=lambda shape: shape.__name__)
    _, told = models_json_schema([(shape, "validation") for shape in ordered], ref_template=_REF)
    found: dict[str, Json] = told["$defs"]
    return found


def _operation(route: Route, dialect: Dialect, schemas: Mapping[str, Json]) -> Json:
    summary, _, description = route.text.partition("\n\n")
    told: Json = {
        "operationId": route.name,
        "tags": [dialect.name],
        "summary": " ".join(summary.split()),
        "parameters": [*_in_path(route), *_in_query(route, schemas), *_in_header(route)],
        "responses": _answers(route, dialect),
        "security": [],
    }
    if description:
        told["description"] = " ".join(description.split())
    if route.guarded:
        scopes = [] if route.scope is None else [route.scope.value]
        told["security"] = [{"bearer": scopes}, {"apiKey": scopes}]
    if route.body is not None:
        kinds = ["application/json", *([_FORM] if route.form else [])]
        schema = _ref(route.body)
        if route.method == "DELETE":  # clients send ``null`` for no body (R3)
            schema = {"anyOf": [schema, {"type": "null"}]}
        told["requestBody"] = {"content": {kind: {"schema": schema} for kind in kinds}}
    return told


def _in_path(route: Route) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, **told}
        for name, told in _PATH_PARAMETERS.items()
        if f"{{{name}}}" in route.path
    ]


def _in_query(route: Route, schemas: Mapping[str, Json]) -> list[Json]:
    if route.query is NoQuery:
        return []
    properties = schemas[route.query.__name__]["properties"]
    return [_parameter(name, told) for name, told in properties.items()]


def _parameter(name: str, told: Mapping[str, Any]) -> Json:
    left = {"title", "description", "uniqueItems"}  # naming a word twice does no harm
    schema = {key: value for key, value in told.items() if key not in left}
    if schema.get("default", "") is None:
        del schema["default"]
    options = [one for one in schema.pop("anyOf", []) if one != {"type": "null"}]
    schema |= options[0] if len(options) == 1 else {"anyOf": options} if options else {}
    if isinstance(schema.get("default"), list):
        schema["default"] = sorted(schema["default"])
    parameter: Json = {"name": name, "in": "query", "schema": schema}
    if "description" in told:
        parameter["description"] = told["description"]
    if schema.get("type") == "array":
        parameter |= {"style": "form", "explode": name.endswith("[]")}
    return parameter


def _in_header(route: Route) -> list[Json]:
    taken = [*route.takes, *([KEY] if route.idempotent else [])]
    return [{"name": name, "in": "header", **_REQUEST_HEADERS[name]} for name in taken]


def _answers(route: Route, dialect: Dialect) -> Json:
    answers: Json = {}
    for status, shape in {route.status: route.answer, **route.more}.items():
        answers[str(status)] = _answer(route, status, shape)
    words = worded(dialect) if route.oauth else dialect
    problem = _problem(route, words)
    for status in _problems(route, words):
        told = _problem(route, dialect) if status == TOO_MANY else problem  # said at the edge
        answers[str(status)] = {"description": _phrase(status), "content": told}
    if route.guarded:
        answers["default"] = {"description": "Any other problem", "content": problem}
    return answers


def _problem(route: Route, dialect: Dialect) -> Json:
    told: Json = {dialect.problem_type: {"schema": _ref(dialect.problem)}}
    return told | {PAGE: {}} if route.content_type == PAGE else told


def _problems(route: Route, dialect: Dialect) -> list[int]:
    found = {TOO_MANY, *route.errors}
    if route.query is not NoQuery or route.body is not None:
        found.add(dialect.invalid)
    if route.guarded:
        found |= {401} if route.scope is None else {401, 403}
    if route.idempotent:
        found |= {400, 409, 422}
    if "{" in route.path:
        found |= {400, 404} if "{account_id" in route.path else {404}  # ``me`` may be ambiguous
    return sorted(found)


def _answer(route: Route, status: int, shape: type[Shape] | None) -> Json:
    told: Json = {"description": _phrase(status)}
    kind = route.content_type if status == route.status else None
    if shape is not None:
        told["content"] = {kind or "application/json": {"schema": _ref(shape)}}
    elif kind is not None:
        told["content"] = {kind: {}}
    names = [*route.headers, *([REPLAYED] if route.idempotent else [])]
    headers = {name: _header(name) for name in names}
    return told | {"headers": headers} if headers else told


def _header(name: str) -> Json:
    return {"description": _ANSWER_HEADERS[name], "schema": {"type": "string"}}


def _ref(shape: type[Shape]) -> Json:
    return {"$ref": _REF.format(model=shape.__name__)}


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase
