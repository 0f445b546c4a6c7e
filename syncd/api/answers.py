"""JSON answers under exactly ``application/json`` (api.md R1)."""

from collections.abc import Mapping

import orjson
from aiohttp import web

from syncd.api.parts import Json


def answer(
    told: Json | bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return an object, or bytes that are one already."""
    return web.Response(
        status=status,
        body=told if isinstance(told, bytes) else orjson.dumps(told),
        content_type="application/json",
        headers=headers,
    )
