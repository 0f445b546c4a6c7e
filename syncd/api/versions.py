"""Strong ETags of single objects: 304 for who holds the version, 412 for who does not (R18)."""

from collections.abc import Callable
from hashlib import blake2b

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.problems import Problem, ProblemError


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


def demanded(request: web.Request) -> Callable[..., bool] | None:
    """Return what tells whether ``If-Match`` names one of some versions; None without the header.

    Compared strongly: a weak version matches nothing.
    """
    given = request.headers.getall("If-Match", [])
    if not given:
        return None
    names = {name.strip() for line in given for name in line.split(",")}
    return lambda *tags: "*" in names or not names.isdisjoint(tags)


def check_demanded(request: web.Request, tag: str, what: str) -> None:
    """Refuse with 412 if ``If-Match`` names other versions of ``what`` than this one."""
    demand = demanded(request)
    if demand is not None and not demand(tag):
        message = f"the {what} is no longer the one that If-Match names"
        raise ProblemError(Problem(status=412, code="precondition_failed", message=message))


def versioned(
    request: web.Request, body: bytes, tag: str, headers: dict[str, str], *, status: int = 200
) -> web.Response:
    """Return an object with its version, or 304 without it to who reads and holds that."""
    headers = headers | {"ETag": tag, "Vary": "X-Kloudless-Raw-Data"}
    if request.method in {"GET", "HEAD"} and is_held(request, tag):
        return web.Response(status=304, headers=headers)
    return answer(body, status=status, headers=headers)
