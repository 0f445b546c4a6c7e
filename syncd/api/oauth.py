"""What the token endpoints of all dialects have in common (RFC 6749 §2.3, §5; R14)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import unquote_plus

from aiohttp import web

from syncd.api.dialect import Dialect
from syncd.api.parts import Json
from syncd.api.problems import Problem
from syncd.api.route import Shape

_WORDS = {"invalid_parameters": "invalid_request", "unavailable": "temporarily_unavailable"}


NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # §5.1


class TokenBody(Shape):
    """Who asks for tokens, and for what it gives them."""

    grant_type: str | None = None
    client_id: str | None = None
    client_secret: str | None = None

    def given(self) -> Mapping[str, str]:
        """Return the members that have a value."""
        return {name: value for name, value in self if value}


class OAuthProblem(Shape):
    """An error, by its word in RFC 6749 §5.2."""

    error: str
    error_description: str


def shape(problem: Problem, request_id: str) -> Json:
    """Return the body of an error."""
    del request_id  # stands in the header
    word = _WORDS.get(problem.code, problem.code)
    return {"error": word, "error_description": problem.message}


def worded(dialect: Dialect) -> Dialect:
    """Return a dialect that words its errors so; its content type stays."""
    return replace(dialect, shape=shape, problem=OAuthProblem, invalid=400)


def client_of(request: web.Request) -> Mapping[str, str]:
    """Return the secret that the ``Authorization`` header has, as ``APIKey`` or ``Basic``."""
    scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
    match scheme.lower():
        case "apikey":
            return {"client_secret": text.strip()}
        case "basic":
            return _basic(text.strip())
        case _:
            return {}


def _basic(text: str) -> Mapping[str, str]:
    """Read ``client_id:client_secret``, each URL-encoded (§2.3.1)."""
    try:
        name, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return {}
    return {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)}
