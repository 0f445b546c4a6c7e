"""Strong ETags of single objects, and 304 for those who hold the version (api.md R18)."""

from hashlib import blake2b

from aiohttp import web

from syncd.api.answers import answer


def etag(*parts: bytes) -> str:
    """Return the strong ETag of a version that is made of these bytes."""
    digest = blake2b(digest_size=12)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return f'"{digest.hexdigest()}"'


def is_held(request: web.Request, tag: str) -> bool:
    """Tell whether ``If-None-Match`` names this version."""
    given = request.headers.get("If-None-Match", "")
    names = [name.strip().removeprefix("W/") for name in given.split(",")]
    return tag in names or "*" in names


def versioned(request: web.Request, body: bytes, tag: str, headers: dict[str, str]) -> web.Response:
    """Return an object with its version, or 304 without it."""
    headers = headers | {"ETag": tag, "Vary": "X-Kloudless-Raw-Data"}
    if is_held(request, tag):
        return web.Response(status=304, headers=headers)
    return answer(body, headers=headers)
