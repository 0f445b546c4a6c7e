"""``Idempotency-Key``: a creating request that is sent again gets its first answer (api.md R17)."""

import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256

import orjson
from aiohttp import web

from syncd.api.body import read_bytes
from syncd.api.keys import DIALECT, REQUEST_ID
from syncd.api.parts import parts_of
from syncd.api.problems import Fault, Problem, ProblemError, problem_of, seconds
from syncd.engine.prune import ANSWERS_KEPT
from syncd.model.access import Token
from syncd.model.errors import SyncdError
from syncd.ports.store.repeats import Asked, Begun, Differs, Kept
from syncd.ports.vault import Secret

KEY = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
MARKED = timedelta(seconds=90)  # a creating request takes less, or its process has died
SOON = 2.0  # seconds after which to ask for the answer of a request that runs

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_NAME = web.RequestKey("object_name", str)
_NAME_BYTES = 24
_PASSING = frozenset({423, 429})  # nothing was done: mend it or wait, then the same key serves
_NOT_KEPT = frozenset({"Content-Length", "Date", "Server", "Transfer-Encoding"})

Run = Callable[[], Awaitable[web.StreamResponse]]


def object_name(request: web.Request) -> str:
    """Return the name under which a handler creates something: URL-safe, 32 characters.

    Random; with an ``Idempotency-Key`` it is that of the first attempt, so that what was created
    before a crash is found by the second one and not created again.
    """
    if _NAME not in request:
        request[_NAME] = secrets.token_urlsafe(_NAME_BYTES)
    return request[_NAME]


async def once(request: web.Request, token: Token, route: str, run: Run) -> web.StreamResponse:
    """Run a creating request, or repeat its answer if the same was asked under its key.

    For routes that do not say ``idempotent`` because they find their token by themselves.
    """
    given = request.headers.getall(KEY, [])
    if not given:
        return await run()
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise _problem(400, "invalid_parameters", f"{KEY} is 1 to 255 visible ASCII characters")
    asked = Asked(token=token.id, route=route, key=given[0], digest=await _digest(request))
    parts = parts_of(request)
    now = parts.clock.now()
    begun = await parts.store.begin_request(
        asked, name=object_name(request), now=now, until=now + MARKED, kept_since=now - ANSWERS_KEPT
    )
    match begun:
        case Kept():
            return _opened(parts.vault.open(begun.sealed, place=_place(asked)))
        case Differs():
            told = "idempotency_mismatch: this Idempotency-Key was sent with another request"
            raise _problem(422, "idempotency_mismatch", told)
        case Begun():
            request[_NAME] = begun.name
            return await _run(request, asked, run)
        case _:
            told = "the same request is still running"
            raise _problem(409, "conflict", told, {"Retry-After": seconds(SOON)})


async def _run(request: web.Request, asked: Asked, run: Run) -> web.StreamResponse:
    parts = parts_of(request)
    kept = False
    try:
        answer = await _answered(request, run)
        if isinstance(answer, web.Response) and _lasts(answer.status):
            sealed = parts.vault.seal(_closed(answer), place=_place(asked))
            await parts.store.keep_answer(asked, sealed)
            kept = True
        return answer
    finally:
        if not kept:
            await parts.store.end_request(asked)


async def _answered(request: web.Request, run: Run) -> web.StreamResponse:
    """Return what the request is answered with; a refusal is an answer like any other."""
    try:
        return await run()
    except ProblemError as error:
        problem = error.problem
        if not _lasts(problem.status):
            raise
    except SyncdError as error:
        problem = problem_of(error)
        if not _lasts(problem.status):
            raise
    return request[DIALECT].answer(problem, request[REQUEST_ID])


def _lasts(status: int) -> bool:
    return status < 500 and status not in _PASSING  # noqa: PLR2004 - ours or the provider's fault


async def _digest(request: web.Request) -> bytes:
    """Return what tells this request from another under the same key."""
    target = request.path_qs.rstrip("/").encode()
    return sha256(target + b"\0" + await read_bytes(request)).digest()


def _closed(answer: web.Response) -> Secret:
    """Return an answer as text: it may show what is shown only once, such as a secret."""
    body = answer.body if isinstance(answer.body, bytes | bytearray) else b""
    headers = [[k, v] for k, v in answer.headers.items() if k.title() not in _NOT_KEPT]
    told = [answer.status, headers, bytes(body).decode()]
    return Secret(orjson.dumps(told).decode())


def _opened(kept: Secret) -> web.Response:
    status, headers, body = orjson.loads(kept.reveal())
    repeated = [*((name, value) for name, value in headers), (REPLAYED, "true")]
    return web.Response(status=status, body=body.encode() or None, headers=repeated)


def _place(asked: Asked) -> str:
    return f"repeats|{asked.token}|{asked.route}|{asked.key}|answer"


def _problem(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> ProblemError:
    faults = {"base": (Fault(key="errors.invalid", description=message),)} if status == 422 else {}  # noqa: PLR2004 - Cronofy tells it by field (R14b)
    return ProblemError(
        Problem(status=status, code=code, message=message, headers=headers or {}, faults=faults)
    )
