"""CORS for the origins that applications registered, and for nobody else (api.md R19)."""

from aiohttp import web

from syncd.api.parts import parts_of

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
HEADERS = (
    "Authorization",
    "Content-Type",
    "Accept",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Last-Event-ID",
)
OWN = "x-kloudless-"
EXPOSED = (
    "ETag",
    "Location",
    "Retry-After",
    "X-Request-Id",
    "X-Syncd-Cursor",
    "X-Syncd-Polled-At",
    "X-Syncd-State",
    "X-Syncd-Truncated",
    "X-Syncd-Ignored",
)
MAX_AGE = "600"


async def cors_headers(request: web.Request) -> dict[str, str]:
    """Return the headers that let a registered origin read the answer; none for others."""
    origin = request.headers.get("Origin")
    if origin is None or origin not in await parts_of(request).store.origins():
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": ", ".join(EXPOSED),
        "Vary": "Origin",
    }


def preflight_headers(request: web.Request, allowed: dict[str, str]) -> dict[str, str]:
    """Return what a preflight of a registered origin is told."""
    asked = request.headers.get("Access-Control-Request-Headers", "").split(",")
    own = [name.strip() for name in asked if name.strip().lower().startswith(OWN)]
    return allowed | {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": ", ".join([*HEADERS, *own]),
        "Access-Control-Max-Age": MAX_AGE,
    }
