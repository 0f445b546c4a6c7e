"""What all pages for people have in common: their headers, and how their forms are read."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp_jinja2
from aiohttp import web

_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
}
_FIELDS = 10  # few forms of ours have more


def headers(targets: Iterable[str] = ()) -> dict[str, str]:
    """Return the headers of a page.

    ``targets`` are addresses that its forms may lead to beside ours: browsers hold redirects
    after a POST against ``form-action`` too.
    """
    forms = " ".join(["'self'", *sorted({_source(one) for one in targets} - {""})])
    policy = (
        f"default-src 'none'; style-src 'self'; frame-ancestors 'none'; form-action {forms}; "
        "base-uri 'none'"
    )
    return {**_PRIVATE, "Content-Security-Policy": policy}


HEADERS = headers()  # of a page whose forms lead back here


def page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    targets: Iterable[str] = (),
    **context: Any,  # noqa: ANN401 - of the template
) -> web.Response:
    """Return a page; its forms may lead to ``targets``."""
    made = aiohttp_jinja2.render_template(template, request, context, status=status)
    made.headers.update(headers(targets))
    return made


def gone_to(location: str) -> web.Response:
    """Send the browser on, after a form or a sign-in."""
    return web.Response(status=303, headers={**HEADERS, "Location": location})


async def fields(request: web.Request) -> dict[str, str]:
    """Return the form's fields; none if it is no form."""
    return {name: values[0] for name, values in (await choices(request)).items()}


async def choices(request: web.Request, *, most: int = _FIELDS) -> dict[str, list[str]]:
    """Return the form's fields, of which some may be ticked more than once."""
    text = (await request.read()).decode(errors="replace")
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=most)
    except ValueError:
        return {}


def _source(url: str) -> str:
    """Return an address as a policy names it: its origin, or the scheme of another kind."""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"} and parts.hostname:
        port = "" if parts.port is None else f":{parts.port}"
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return f"{parts.scheme}://{host}{port}"
    return f"{parts.scheme}:" if parts.scheme else ""
