"""Operations as JSON over HTTP on the daemon's Unix socket; who may open the file may use them.

``POST /<operation>`` with an object of arguments answers ``{"answer": …}``, or
``{"error": {"kind", "message"}}`` with the class of the error tree, so that the command line
raises what was raised here.
The same operations run without a daemon in the command's own process (design decision 9).
"""

from typing import Any

import orjson
import structlog
from aiohttp import web

from syncd.model.errors import InvalidError, NotFoundError, SyncdError
from syncd.runtime.operations import OPERATIONS
from syncd.runtime.wiring import Core

_MOST_BYTES = 1 << 20

log = structlog.get_logger()


async def perform(core: Core, name: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Run an operation; raises NotFoundError for an unknown one and what the operation raises."""
    operation = OPERATIONS.get(name)
    if operation is None:
        raise NotFoundError(f"this syncd has no operation {name}: use the same version everywhere")
    try:
        return await operation(core, **arguments)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise  # a fault inside of it
        raise InvalidError(f"{name} does not take these arguments") from error


def application(core: Core) -> web.Application:
    """Return what answers on the Unix socket."""
    app = web.Application(client_max_size=_MOST_BYTES)

    async def answer(request: web.Request) -> web.Response:
        name = request.match_info["operation"]
        try:
            found = await perform(core, name, orjson.loads(await request.read()))
        except SyncdError as error:
            return _json({"error": {"kind": type(error).__name__, "message": str(error)}})
        except Exception:
            log.exception("operation.broken", operation=name)
            return _json({"error": {"kind": "", "message": f"{name} failed: see the log"}})
        return _json({"answer": found})

    app.router.add_post("/{operation}", answer)
    return app


def _json(body: object) -> web.Response:
    return web.Response(body=orjson.dumps(body), content_type="application/json")
