"""The pages for people, added to the application of the api."""

from datetime import timedelta
from importlib.resources import files

import aiohttp_jinja2
from aiohttp import web
from jinja2 import PackageLoader

from syncd.engine.expiries import Expiries
from syncd.engine.link import Linking
from syncd.ports.clock import Clock
from syncd.web.expiries import ExpiryPages
from syncd.web.relink import RelinkPages
from syncd.web.sign_in import FormTokens, Tries

FAILED_TRIES = 5
_KINDS = {"css": "text/css", "js": "text/javascript"}
WITHIN = timedelta(minutes=15)


def add_pages(app: web.Application, *, linking: Linking, expiries: Expiries, clock: Clock) -> None:
    """Serve the pages of relinking (api.md N1, N2) and of tokens (M9, M11), and the stylesheet."""
    aiohttp_jinja2.setup(app, loader=PackageLoader("syncd.web"), autoescape=True)
    forms = FormTokens()
    relink = RelinkPages(linking, forms, Tries(clock, most=FAILED_TRIES, within=WITHIN))
    tokens = ExpiryPages(expiries, forms, clock)
    app.router.add_get("/calendars/{secret}/view", tokens.show)
    app.router.add_get("/actions", tokens.ask)
    app.router.add_post("/actions", tokens.act)
    app.router.add_get("/relink/done", relink.done)
    app.router.add_get("/relink/{secret}", relink.show)
    app.router.add_post("/relink/{secret}", relink.sign_in)
    app.router.add_get("/static/syncd.css", _static)
    app.router.add_get("/static/popup.js", _static)


async def _static(request: web.Request) -> web.Response:
    """Return a file of ours."""
    file = files("syncd.web").joinpath(request.path.lstrip("/"))
    headers = {"Cache-Control": "public, max-age=3600"}
    kind = _KINDS[request.path.rpartition(".")[2]]
    return web.Response(
        body=file.read_bytes(), content_type=kind, charset="utf-8", headers=headers
    )
