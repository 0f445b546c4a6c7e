"""The pages for people, added to the application of the api."""

from datetime import timedelta

import aiohttp_jinja2
from aiohttp import web
from jinja2 import PackageLoader

from syncd.engine.expiries import Expiries
from syncd.engine.link import Linking
from syncd.ports.clock import Clock
from syncd.web import assets
from syncd.web.dashboard.build import add_dashboard
from syncd.web.dashboard.desk import Desk
from syncd.web.expiries import ExpiryPages
from syncd.web.relink import RelinkPages
from syncd.web.sign_in import FormTokens, Tries

FAILED_TRIES = 5
WITHIN = timedelta(minutes=15)


def add_pages(
    app: web.Application, *, linking: Linking, expiries: Expiries, clock: Clock, desk: Desk
) -> None:
    """Serve the pages of relinking (api.md N1, N2), of tokens (M9, M11), and the dashboard."""
    environment = aiohttp_jinja2.setup(app, loader=PackageLoader("syncd.web"), autoescape=True)
    environment.globals["asset"] = assets.address
    forms = FormTokens()
    relink = RelinkPages(linking, forms, _tries(clock))
    tokens = ExpiryPages(expiries, forms, clock)
    app.router.add_get("/calendars/{secret}/view", tokens.show)
    app.router.add_get("/actions", tokens.ask)
    app.router.add_post("/actions", tokens.act)
    app.router.add_get("/relink/done", relink.done)
    app.router.add_get("/relink/{secret}", relink.show)
    app.router.add_post("/relink/{secret}", relink.sign_in)
    for name in assets.NAMES:
        app.router.add_get(f"/static/{name}", assets.serve)
    add_dashboard(app, desk, forms, _tries(clock))


def _tries(clock: Clock) -> Tries:
    return Tries(clock, most=FAILED_TRIES, within=WITHIN)
