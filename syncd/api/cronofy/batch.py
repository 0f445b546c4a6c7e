"""Several requests in one, each answered by itself (api.md C22)."""

# ruff: noqa: SLF001 - a request inside of a request is made as aiohttp itself makes one

from typing import Annotated, Any

import orjson
from aiohttp import web
from multidict import CIMultiDict
from pydantic import Field
from yarl import URL

from syncd.api.cronofy.answers import told
from syncd.api.edge import answered
from syncd.api.idempotency import KEY
from syncd.api.keys import DIALECT
from syncd.api.limits import TARGET
from syncd.api.parts import Json
from syncd.api.problems import invalid
from syncd.api.route import Shape, route

PATH = "/v1/batch"
_MOST = 50
_LEFT_OUT = frozenset({"Content-Type", "Content-Length"})


class BatchEntry(Shape):
    """One request of this API."""

    method: str = Field(pattern="^[A-Za-z]{1,10}$")
    relative_url: str = Field(max_length=TARGET, description="`/v1/…`, with its query.")
    content: Any = Field(default=None, alias="data", description="The body.")


class BatchBody(Shape):
    """Requests, in the order in which they are run."""

    batch: Annotated[tuple[BatchEntry, ...], Field(min_length=1, max_length=_MOST)]


class EntryAnswer(Shape):
    """What one request was answered with."""

    status: int
    headers: dict[str, str]
    content: Any = Field(alias="data")


class BatchAnswer(Shape):
    """The answers, in the order of the requests."""

    batch: tuple[EntryAnswer, ...]


@route("POST", PATH, scope=None, any_token=True, body=BatchBody, answer=BatchAnswer)
async def run_batch(request: web.Request, body: BatchBody) -> web.Response:
    """Run up to 50 requests of this API one after the other; each needs its own scope.

    A request that fails is told in its place and stops no other. A batch holds no batch.
    """
    return told({"batch": [await _one(request, entry) for entry in body.batch]})


async def _one(request: web.Request, entry: BatchEntry) -> Json:
    inner = _inner(request, entry)

    async def run() -> web.StreamResponse:
        path = inner.path.rstrip("/")
        if path == PATH:
            raise invalid("a batch holds no batch", field="relative_url")
        if not request[DIALECT].owns(inner.path):
            raise web.HTTPNotFound
        found = await request.app.router.resolve(inner)
        found.add_app(request.app)
        found.freeze()
        inner._match_info = found
        return await found.handler(inner)

    answer = await answered(inner, run)
    content = answer.body if isinstance(answer, web.Response) else None
    return {
        "status": answer.status,
        "headers": {str(k): v for k, v in answer.headers.items() if k not in _LEFT_OUT},
        "data": orjson.loads(content) if isinstance(content, bytes) and content else None,
    }


def _inner(request: web.Request, entry: BatchEntry) -> web.Request:
    """Return an entry as a request of its own, by the same caller.

    aiohttp clones no request whose body was read, and keeps what was read in ``_read_bytes``.
    """
    headers = CIMultiDict(request.headers)
    headers.popall(KEY, None)  # of the whole batch; the same for two entries would be a mistake
    given, request._read_bytes = request._read_bytes, None
    try:
        inner = request.clone(
            method=entry.method.upper(),
            rel_url=_url(entry),
            headers=headers,
            scheme=request.scheme,
            host=request.host,
            remote=request.remote or "",
        )
    finally:
        request._read_bytes = given
    inner._read_bytes = b"" if entry.content is None else orjson.dumps(entry.content)
    return inner


def _url(entry: BatchEntry) -> URL:
    """Return the path and query; of what is none, a path that nobody has."""
    try:
        found = URL(entry.relative_url)
    except ValueError:
        return URL("/")
    return URL("/") if found.absolute or not found.path.startswith("/") else found
