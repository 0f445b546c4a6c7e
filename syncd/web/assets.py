"""The files that pages link to: one stylesheet, our few lines of script, and htmx (VENDORED.md)."""

from functools import cache
from hashlib import sha256
from importlib.resources import files

from aiohttp import web

_KINDS = {"css": "text/css", "js": "text/javascript"}
NAMES = ("syncd.css", "desk.js", "popup.js", "htmx.min.js")
_A_YEAR = "public, max-age=31536000, immutable"
_AN_HOUR = "public, max-age=3600"


def address(name: str) -> str:
    """Return where pages find a file: another address when it is another file."""
    return f"/static/{name}?v={_version(name)}"


async def serve(request: web.Request) -> web.Response:
    """Return one of the files."""
    name = request.path.rpartition("/")[2]
    lasting = request.query.get("v") == _version(name)
    return web.Response(
        body=_content(name),
        content_type=_KINDS[name.rpartition(".")[2]],
        charset="utf-8",
        headers={
            "Cache-Control": _A_YEAR if lasting else _AN_HOUR,
            "X-Content-Type-Options": "nosniff",
        },
    )


@cache
def _content(name: str) -> bytes:
    return files("syncd.web").joinpath(f"static/{name}").read_bytes()


@cache
def _version(name: str) -> str:
    return sha256(_content(name)).hexdigest()[:12]
