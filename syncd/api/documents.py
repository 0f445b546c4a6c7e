"""``/openapi.json``, and ``/docs``: the same for people, without outside resources (N23)."""

import base64
from collections.abc import Sequence
from hashlib import sha256

import orjson
from aiohttp import web
from markupsafe import escape

from syncd.api.address import base_url
from syncd.api.answers import answer
from syncd.api.dialect import Dialect
from syncd.api.manual import ADDRESS, STYLE, manual
from syncd.api.openapi import openapi
from syncd.api.problems import STATUSES
from syncd.api.route import Route, route

_ERRORS = {code: status for status, code in STATUSES.values()} | {
    "invalid_page": 400,
    "ambiguous_account": 400,
    "invalid_token": 400,
    "unauthorized": 401,
    "insufficient_scope": 403,
    "method_not_allowed": 405,
    "too_large": 413,
    "idempotency_mismatch": 422,
    "too_many_requests": 429,
}


class Documents:
    """The document and its page, written once."""

    def __init__(self, routes: Sequence[Route], dialects: Sequence[Dialect]) -> None:
        """Describe these routes."""
        told = openapi(routes, dialects)
        self.json = orjson.dumps(told)
        errors = sorted(_ERRORS.items(), key=lambda one: (one[1], one[0]))
        self.page = manual(told, errors)


DOCUMENTS = web.AppKey("documents", Documents)
_STYLE_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
_PAGE_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


@route("GET", "/openapi.json", scope=None, content_type="application/json")
async def show_openapi(request: web.Request) -> web.Response:
    """Return this document."""
    return answer(request.config_dict[DOCUMENTS].json)


@route("GET", "/docs", scope=None, content_type="text/html")
async def show_page(request: web.Request) -> web.Response:
    """Show this document to people."""
    page = request.config_dict[DOCUMENTS].page.replace(ADDRESS, escape(base_url(request)))
    return web.Response(text=page, content_type="text/html", headers=_PAGE_HEADERS)
