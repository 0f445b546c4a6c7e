"""What all pages for people have in common: their headers, and how their forms are read."""

from typing import Any
from urllib.parse import parse_qs

import aiohttp_jinja2
from aiohttp import web

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; "
    "frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
}
_FIELDS = 10  # few forms of ours have more


def page(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    **context: Any,  # noqa: ANN401 - of the template
) -> web.Response:
    """Return a page."""
    made = aiohttp_jinja2.render_template(template, request, context, status=status)
    made.headers.update(HEADERS)
    return made


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
