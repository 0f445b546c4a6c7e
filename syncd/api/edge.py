"""The outermost stage of every request: its id, its limits, and errors in its dialect's words."""

import re
import secrets
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from syncd.api.address import behind_proxy
from syncd.api.cors import cors_headers, preflight_headers
from syncd.api.dialect import Dialect
from syncd.api.keys import DIALECT, REQUEST_ID
from syncd.api.limits import GATE, check_size
from syncd.api.parts import parts_of
from syncd.api.problems import CODES, FAULT, Problem, ProblemError, invalid, problem_of
from syncd.model.errors import SyncdError

log = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EXTRA = web.RequestKey("extra", dict[str, str])
_BEGUN = web.RequestKey("begun", bool)  # the answer is on its way: no other can take its place


def edge(dialects: Sequence[Dialect]) -> Middleware:
    """Return the middleware; the first dialect that owns a path answers for it."""

    @web.middleware
    async def at_edge(request: web.Request, handler: Handler) -> web.StreamResponse:
        parts = parts_of(request)
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)
        dialect = next(one for one in dialects if one.owns(request.path))
        request[REQUEST_ID] = request_id
        request[DIALECT] = dialect
        request[_EXTRA] = extra = {"X-Request-Id": request_id}
        seen = behind_proxy(request, parts)

        async def run() -> web.StreamResponse:
            check_size(seen)
            request.config_dict[GATE].spend(seen.remote)
            extra.update(await cors_headers(seen))
            return await handler(seen)

        answer = await answered(seen, run)
        parts.meter.count("requests_total", dialect=dialect.name, status=str(answer.status))
        return answer

    return at_edge


async def answered(
    request: web.Request, run: Callable[[], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Return what ``run`` does; what it raises as an answer in the words of its dialect."""
    request_id = request[REQUEST_ID]
    try:
        return await run()
    except web.HTTPException as error:
        if error.status == 405 and request.method == "OPTIONS":  # noqa: PLR2004 - R19
            return _options(request, error, request[_EXTRA])
        problem = _of_aiohttp(request, error)
    except ProblemError as error:
        problem = error.problem
    except SyncdError as error:
        problem = problem_of(error)
        if problem.status == 500:  # noqa: PLR2004 - ours, not the caller's
            log.exception("request.failed", **_named(request))
    except web.RequestPayloadError:
        problem = invalid("the body cannot be read: it is not encoded as it says").problem
    except Exception as error:
        if request.get(_BEGUN):
            raise  # aiohttp logs it and closes the connection
        if isinstance(error, ConnectionError) and request.transport is None:
            problem = invalid("the connection ended before the body did").problem  # for the meter
        else:
            log.exception("request.failed", **_named(request))
            problem = Problem(status=500, code="internal_error", message=FAULT)
    return request[DIALECT].answer(problem, request_id)


def _named(request: web.Request) -> dict[str, str]:
    return {"request_id": request[REQUEST_ID], "dialect": request[DIALECT].name}


async def mark(request: web.Request, response: web.StreamResponse) -> None:
    """Put on every answer, streams too, what R14, R18 and R19 ask for (``on_response_prepare``)."""
    request[_BEGUN] = True
    headers = response.headers
    for name, value in request.get(_EXTRA, {}).items():
        if name == "Vary" and name in headers:
            headers[name] = f"{headers[name]}, {value}"
        else:
            headers[name] = value
    headers.setdefault("Cache-Control", "private, no-cache")
    if response.status == 204:  # noqa: PLR2004 - No Content (R1)
        headers.pop("Content-Type", None)


def _of_aiohttp(request: web.Request, error: web.HTTPException) -> Problem:
    unknown = request[DIALECT].unknown(request.path) if error.status == 404 else None  # noqa: PLR2004
    if unknown is not None:
        return unknown
    code = CODES.get(error.status)
    if code is None:
        return Problem(status=500, code="internal_error", message=FAULT)
    messages = {
        404: f"there is nothing at {request.path}"
        + ("; /docs tells what there is" if request.path == "/" else ""),
        405: f"{request.path} does not take {request.method}",
    }
    allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    message = messages.get(error.status, error.reason)
    return Problem(status=error.status, code=code, message=message, headers=allow)


def _options(request: web.Request, error: web.HTTPException, extra: dict[str, str]) -> web.Response:
    """Answer what a path allows; a registered origin's preflight is told the rest (R19)."""
    if "Access-Control-Allow-Origin" in extra:
        extra.update(preflight_headers(request, extra))
    return web.Response(status=204, headers={"Allow": error.headers["Allow"]})
