"""Health, metrics and the document (api.md N23): no token, no dialect, no ids."""

import asyncio
from collections.abc import Sequence

import orjson
from aiohttp import web

from syncd.api.params import Flag
from syncd.api.parts import Check, parts_of
from syncd.api.route import Shape, route
from syncd.model.errors import SyncdError

_PATIENCE = 10  # seconds that a check may take


class ReadyQuery(Shape):
    """How much to tell."""

    verbose: Flag | None = None


class Checked(Shape):
    """One check; `message` is null when all is well."""

    name: str
    ok: bool
    message: str | None


class Readiness(Shape):
    """Whether syncd can serve, with the checks behind it."""

    ok: bool
    checks: tuple[Checked, ...]


@route("GET", "/livez", scope=None, content_type="text/plain", errors=(503,))
async def is_live(request: web.Request) -> web.Response:
    """Tell whether loop, writer and schedule move; 503 means: restart me."""
    checked = await _ask(parts_of(request).live)
    return _plain(checked)


@route("GET", "/readyz", scope=None, query=ReadyQuery, answer=Readiness, errors=(503,))
async def is_ready(request: web.Request, query: ReadyQuery) -> web.Response:
    """Tell whether requests should come here; `verbose` lists every check."""
    checked = await _ask(parts_of(request).ready)
    if "verbose" not in request.query or query.verbose is False:
        return _plain(checked)
    ready = Readiness(ok=all(one.ok for one in checked), checks=tuple(checked))
    return web.Response(
        status=200 if ready.ok else 503,
        body=orjson.dumps(ready.model_dump()),
        content_type="application/json",
    )


@route("GET", "/metrics", scope=None, content_type="text/plain")
async def show_metrics(request: web.Request) -> web.Response:
    """Return all counters in Prometheus' text format."""
    text = await parts_of(request).metrics()
    kind = "text/plain; version=0.0.4; charset=utf-8"
    return web.Response(body=text, headers={"Content-Type": kind})


async def _ask(checks: Sequence[Check]) -> Sequence[Checked]:
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_one(check), name=f"check {check.name}") for check in checks]
    return [task.result() for task in asked]


async def _one(check: Check) -> Checked:
    try:
        async with asyncio.timeout(_PATIENCE):
            message = await check.ask()
    except TimeoutError:
        message = f"no answer for {_PATIENCE} s"
    except SyncdError as error:
        message = str(error)
    return Checked(name=check.name, ok=message is None, message=message)


def _plain(checked: Sequence[Checked]) -> web.Response:
    wrong = [f"{one.name}: {one.message}" for one in checked if not one.ok]
    return web.Response(status=503 if wrong else 200, text="\n".join(wrong or ["ok"]) + "\n")
