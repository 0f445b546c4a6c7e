"""``/openapi.json``, and ``/docs``: the same for people, without outside resources (N23)."""

import base64
from collections.abc import Sequence
from hashlib import sha256

import orjson
from aiohttp import web
from jinja2 import Environment

from syncd.api.answers import answer
from syncd.api.dialect import Dialect
from syncd.api.openapi import openapi
from syncd.api.parts import Json
from syncd.api.problems import STATUSES
from syncd.api.route import Route, route

_STYLE = """
:root{color-scheme:light dark;font:16px/1.55 system-ui,sans-serif}
body{max-width:56rem;margin:0 auto;padding:2rem 1rem 4rem}
h1{margin:0}h2{margin-top:3rem}h3{margin:2rem 0 .3rem;font:600 1rem ui-monospace,monospace}
code{font:.9em ui-monospace,monospace}b{color:light-dark(#06c,#6bf);margin-right:.6em}
table{border-collapse:collapse;width:100%}
td{border-top:1px solid light-dark(#ddd,#444);padding:.3rem .8rem .3rem 0;vertical-align:top}
td:first-child{white-space:nowrap}p{margin:.3rem 0}.scope{opacity:.7}
"""
_PAGE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>syncd: the API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{{ style|safe }}</style></head>
<body><h1>syncd {{ document.info.version }}</h1>
<p>{{ document.info.summary }} The same for programs: <a href="openapi.json">openapi.json</a>.</p>
{% for name, operations in dialects.items() %}
<h2>{{ name }}</h2>
{% for method, path, operation in operations %}
<h3 id="{{ operation.operationId }}"><b>{{ method|upper }}</b>{{ path }}</h3>
<p>{{ operation.summary }} {{ operation.description }}</p>
{% if operation.security %}
<p class="scope">Scope <code>{{ operation.security[0].bearer[0] }}</code></p>
{% endif %}
{% if operation.parameters %}
<table>
{% for one in operation.parameters %}
<tr><td><code>{{ one.name }}</code></td><td>{{ one["in"] }}</td><td>{{ one.description }}</td></tr>
{% endfor %}
</table>
{% endif %}
<p>Answers {{ operation.responses|join(", ") }}</p>
{% endfor %}
{% endfor %}
<h2>Errors</h2>
<table>
{% for code, status in errors %}
<tr id="{{ code }}"><td><code>{{ code }}</code></td><td>{{ status }}</td></tr>
{% endfor %}
</table>
</body></html>
""")
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
        grouped: dict[str, list[tuple[str, str, Json]]] = {}
        for path, operations in told["paths"].items():
            for method, operation in operations.items():
                grouped.setdefault(operation["tags"][0], []).append((method, path, operation))
        errors = sorted(_ERRORS.items(), key=lambda one: (one[1], one[0]))
        self.page = _PAGE.render(document=told, dialects=grouped, style=_STYLE, errors=errors)


DOCUMENTS = web.AppKey("documents", Documents)
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
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
    page = request.config_dict[DOCUMENTS].page
    return web.Response(text=page, content_type="text/html", headers=_PAGE_HEADERS)
