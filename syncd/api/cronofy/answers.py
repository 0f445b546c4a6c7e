"""JSON answers with the charset that this dialect names (api.md R1)."""

from collections.abc import Mapping

import orjson
from aiohttp import web

from syncd.api.parts import Json

KIND = "application/json; charset=utf-8"


def told(body: Json | bytes, *, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return 200 with an object, or with bytes that are one already."""
    return web.Response(
        body=body if isinstance(body, bytes) else orjson.dumps(body),
        headers={"Content-Type": KIND, **(headers or {})},
    )


def accepted(headers: Mapping[str, str] | None = None) -> web.Response:
    """Return 202, which has no body here."""
    return web.Response(status=202, headers={"Content-Type": KIND, **(headers or {})})
