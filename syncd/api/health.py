"""Health, metrics and the document (api.md N23): no token, no dialect, no ids."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.params import Said
from syncd.api.parts import Check, parts_of
from syncd.api.route import Shape, route
from syncd.model.errors import SyncdError

_PATIENCE = 10  # seconds that a check may take


class ReadyQuery(Shape):
    """How much to tell."""

    verbose: Said = False


class Checked(Shape):
    """One check; `message` is null when all is well."""

    name: str
    ok: bool
    message: str | None


class Health(Shape):
    """Whether all is well; `checks` if they were asked for, or one of them fails."""

    ok: bool
    checks: tuple[Checked, ...] | None = None


@route("GET", "/livez", scope=None, answer=Health, more={503: Health})
async def is_live(request: web.Request) -> web.Response:
    """Tell whether loop, writer and schedule move; 503 means: restart me."""
    return await _told(parts_of(request).live, verbose=False)


@route("GET", "/readyz", scope=None, query=ReadyQuery, answer=Health, more={503: Health})
async def is_ready(request: web.Request, query: ReadyQuery) -> web.Response:
    """Tell whether requests should come here; `verbose` lists every check."""
    return await _told(parts_of(request).ready, verbose=query.verbose)


@route("GET", "/metrics", scope=None, content_type="text/plain")
async def show_metrics(request: web.Request) -> web.Response:
    """Return all counters in Prometheus' text format."""
    text = await parts_of(request).metrics()
    kind = "text/plain; version=0.0.4; charset=utf-8"
    return web.Response(body=text, headers={"Content-Type": kind})


async def _told(checks: Sequence[Check], *, verbose: bool) -> web.Response:
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_one(check), name=f"check {check.name}") for check in checks]
    checked = tuple(task.result() for task in asked)
    ok = all(one.ok for one in checked)
    health = Health(ok=ok, checks=checked if verbose or not ok else None)
    told = health.model_dump(exclude_none=not verbose and ok)
    return answer(told, status=200 if ok else 503)


async def _one(check: Check) -> Checked:
    try:
        async with asyncio.timeout(_PATIENCE):
            message = await check.ask()
    except TimeoutError:
        message = f"no answer for {_PATIENCE} s"
    except SyncdError as error:
        message = str(error)
    return Checked(name=check.name, ok=message is None, message=message)
