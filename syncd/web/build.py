"""The pages for people, added to the application of the api."""

from datetime import timedelta

import aiohttp_jinja2
from aiohttp import web
from jinja2 import PackageLoader

from syncd.engine.consents import Consents
from syncd.engine.expiries import Expiries
from syncd.engine.invitations import Invitations
from syncd.engine.link import Linking
from syncd.ports.clock import Clock
from syncd.ports.link import Linker
from syncd.web import assets
from syncd.web import connect as connecting
from syncd.web import relink as relinking
from syncd.web.callback import CallbackPage
from syncd.web.connect import ConnectPages
from syncd.web.dashboard.build import add_dashboard
from syncd.web.dashboard.desk import Desk
from syncd.web.expiries import ExpiryPages
from syncd.web.journeys import Door, Journeys
from syncd.web.relink import RelinkPages
from syncd.web.sign_in import FormTokens, Tries

FAILED_TRIES = 5
FAILED_GUESSES = 30  # of one address at connect pages, of which anybody may ask for many
WITHIN = timedelta(minutes=15)


def add_pages(  # noqa: PLR0913 - what the pages stand on
    app: web.Application,
    *,
    linking: Linking,
    consents: Consents,
    invitations: Invitations,
    linker: Linker,
    expiries: Expiries,
    clock: Clock,
    desk: Desk,
) -> None:
    """Serve the pages of signing in (api.md N1-N6), of tokens (M9, M11), and the dashboard."""
    environment = aiohttp_jinja2.setup(app, loader=PackageLoader("syncd.web"), autoescape=True)
    environment.globals["asset"] = assets.address
    forms = FormTokens(desk.vault, clock)
    journeys = Journeys(consents)
    guesses = Tries(clock, most=FAILED_GUESSES, within=WITHIN)
    door = Door(forms=forms, tries=_tries(clock), guesses=guesses, journeys=journeys)
    relink = RelinkPages(linking, consents, door)
    connect = ConnectPages(invitations, consents, linker, door)
    pages = {relinking.PREFIX: relink.returned, connecting.PREFIX: connect.returned}
    callback = CallbackPage(journeys, pages)
    tokens = ExpiryPages(expiries, forms, clock)
    app.router.add_get("/calendars/{secret}/view", tokens.show)
    app.router.add_get("/actions", tokens.ask)
    app.router.add_post("/actions", tokens.act)
    app.router.add_get("/relink/done", relink.done)
    app.router.add_get("/relink/{secret}", relink.show)
    app.router.add_post("/relink/{secret}", relink.sign_in)
    app.router.add_get("/connect/{secret}", connect.show)
    app.router.add_post("/connect/{secret}", connect.act)
    app.router.add_get("/oauth/callback/{provider}", callback.show)
    for name in assets.NAMES:
        app.router.add_get(f"/static/{name}", assets.serve)
    add_dashboard(app, desk, forms, _tries(clock))


def _tries(clock: Clock) -> Tries:
    return Tries(clock, most=FAILED_TRIES, within=WITHIN)
