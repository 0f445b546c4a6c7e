"""The aiohttp application of all dialects."""

import asyncio
from collections.abc import AsyncIterator
from functools import cache

from aiohttp import web

from syncd.api import cronofy, documents, health, kloudless, mytoken, native
from syncd.api.edge import edge, mark
from syncd.api.limits import BODY, GATE, Gate
from syncd.api.parts import PARTS, Parts
from syncd.api.published import PATHS, path_gate
from syncd.api.route import Route, routes_of
from syncd.api.serving import serving
from syncd.api.streams import OPEN, OpenRequests
from syncd.api.together import TOGETHER, Together

DIALECTS = (kloudless.DIALECT, cronofy.DIALECT, mytoken.DIALECT, native.DIALECT)


def routes() -> tuple[Route, ...]:
    """Return every route, dialect by dialect."""
    modules = [module for dialect in DIALECTS for module in dialect.modules]
    return tuple(one for module in [*modules, health, documents] for one in routes_of(module))


@cache
def described() -> documents.Documents:
    """Return the documents of these routes, which every application of a process shares."""
    return documents.Documents(routes(), DIALECTS)


def build(parts: Parts) -> web.Application:
    """Return the application; run it with ``READ_AT_MOST`` of ``api.limits`` (R23).

    Its shutdown ends open streams (K41); pages for people are added by ``web.build``.
    """
    app = web.Application(middlewares=[edge(DIALECTS)], client_max_size=BODY)
    app[PARTS] = parts
    app[GATE] = Gate(parts.rates, parts.clock)
    app[PATHS] = path_gate(parts.clock)
    app[OPEN] = OpenRequests(parts.store, parts.clock, parts.pace)
    app[TOGETHER] = Together()
    app[documents.DOCUMENTS] = described()
    for one in routes():
        add(app, one)
    app.on_response_prepare.append(mark)
    app.on_shutdown.append(_drain)
    app.cleanup_ctx.append(_watch)
    return app


def add(app: web.Application, route: Route) -> None:
    """Serve a route, with one trailing slash too (R4), and HEAD wherever GET is (R1)."""
    serve = serving(route)
    for path in (route.path, f"{route.path}/"):
        app.router.add_route(route.method, path, serve)
        if route.method == "GET":
            app.router.add_route("HEAD", path, serve)


async def _drain(app: web.Application) -> None:
    app[OPEN].drain()


async def _watch(app: web.Application) -> AsyncIterator[None]:
    async with app[TOGETHER], asyncio.TaskGroup() as group:
        watching = group.create_task(app[OPEN].watch(), name="watch tokens of open requests")
        yield
        watching.cancel()
