"""Reading a body, whatever its declared type, and refusing what is none (api.md R2, R3)."""

import json
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from syncd.api.limits import too_large_body
from syncd.api.parts import Json
from syncd.api.problems import invalid

DEEPEST = 64
MOST_FIELDS = 1000
_LARGEST = 2**63


async def read_bytes(request: web.Request) -> bytes:
    """Return the body as it was sent, the same each time; 413 for one that is too large."""
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large_body() from None


async def read_body(request: web.Request, *, form: bool = False) -> Json:
    """Return the body's object, ``{}`` for an empty one; 400 or 413 for what R2 refuses.

    ``form``: what does not begin with a brace is read as a form. Of DELETE, ``null`` is empty too.
    """
    text = await read_bytes(request)
    if request.method == "DELETE" and text.strip() == b"null":
        return {}
    if form and not text.lstrip().startswith(b"{"):
        return parse_form(text)
    return parse_json(text)


def parse_form(text: bytes) -> Json:
    """Return the fields of an URL-encoded form; of one that is named twice the last counts."""
    try:
        fields = parse_qsl(
            text.strip().decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:  # UnicodeDecodeError is one
        raise invalid("the body is neither a JSON object nor a form in UTF-8") from None
    return dict(fields)


def parse_json(text: bytes) -> Json:
    """Return the object that ``text`` is."""
    if not text.strip():
        return {}
    try:
        told = orjson.loads(text)  # refuses NaN, infinities, lone surrogates and bad UTF-8
    except orjson.JSONDecodeError as error:
        raise invalid(f"the body is not JSON: {error}") from None
    if not isinstance(told, dict):
        raise invalid("the body must be a JSON object")
    if _deeper(told, DEEPEST):
        raise invalid(f"the body is nested more than {DEEPEST} levels deep")
    json.loads(text, parse_int=_integer)  # orjson makes floats of what 64 bits do not hold
    return told


def _deeper(value: Any, levels: int) -> bool:  # noqa: ANN401 - JSON
    layer = [value]
    for _ in range(levels + 1):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not layer:
            return False
    return True


def _integer(digits: str) -> int:
    if len(digits) > len(str(-_LARGEST)) or not -_LARGEST <= int(digits) < 2 * _LARGEST:
        raise invalid("the body has a number beyond 64 bits")
    return int(digits)
