"""The dashboard's addresses, and the words that its templates use."""

import asyncio

import aiohttp_jinja2
from aiohttp import web

from syncd.web.dashboard import (
    access,
    activity,
    deliveries,
    feeds,
    overview,
    profile,
    subscriptions,
    system,
    words,
)
from syncd.web.dashboard.activity import STOPPING
from syncd.web.dashboard.desk import DESK, Desk
from syncd.web.dashboard.frame import SESSIONS, Door, nothing
from syncd.web.dashboard.login import LOGIN, LoginPages
from syncd.web.dashboard.session import Sessions
from syncd.web.sign_in import FormTokens, Tries

_PROFILE = "/dashboard/profiles/{profile}"
_TOKEN = "/dashboard/tokens/{token}"  # noqa: S105 - a path
_APPLICATION = "/dashboard/applications/{application}"
_SUBSCRIPTION = f"{subscriptions.ROOT}/{{subscription}}"
_FEED = f"{feeds.ROOT}/{{feed}}"
_DELIVERY = f"{_SUBSCRIPTION}/deliveries/{{delivery}}"


def add_dashboard(app: web.Application, desk: Desk, forms: FormTokens, tries: Tries) -> None:
    """Serve the dashboard at ``/`` and below ``/dashboard``."""
    sessions = Sessions(desk.store, desk.vault, desk.clock)
    app[DESK], app[SESSIONS], app[STOPPING] = desk, sessions, asyncio.Event()
    app.on_shutdown.append(_stop)
    login = LoginPages(sessions, forms, tries)
    door = Door(sessions=sessions, log_in=login.ask)
    app.router.add_post(LOGIN, login.log_in)
    app.router.add_post("/dashboard/logout", door.takes(login.log_out))
    for path, page in (
        ("/", overview.overview),
        (_PROFILE, profile.retrieve),
        (f"{_PROFILE}/confirm", profile.ask_deletes),
        ("/dashboard/activity", activity.watch),
        (activity.STREAM, activity.follow),
        ("/dashboard/access", access.access),
        (_TOKEN, access.ask_token),
        (_APPLICATION, access.ask_application),
        (subscriptions.ROOT, subscriptions.overview),
        (_SUBSCRIPTION, subscriptions.retrieve),
        (f"{_SUBSCRIPTION}/secret", subscriptions.ask_rotate),
        (f"{_SUBSCRIPTION}/remove", subscriptions.ask_remove),
        (_DELIVERY, deliveries.retrieve),
        (feeds.ROOT, feeds.overview),
        (f"{_FEED}/remove", feeds.ask_remove),
        ("/dashboard/system", system.system),
    ):
        app.router.add_get(path, door.shows(page))
    for path, act in (
        (f"{_PROFILE}/poll", profile.poll),
        (f"{_PROFILE}/pause", profile.pause),
        (f"{_PROFILE}/resume", profile.resume),
        (f"{_PROFILE}/relink", profile.relink),
        (f"{_PROFILE}/confirm", profile.confirm_deletes),
        ("/dashboard/tokens", access.create_token),
        (f"{_TOKEN}/revoke", access.revoke_token),
        ("/dashboard/applications", access.add_application),
        (f"{_APPLICATION}/rotate", access.rotate_application),
        (f"{_APPLICATION}/remove", access.remove_application),
        (f"{_SUBSCRIPTION}/pause", subscriptions.pause),
        (f"{_SUBSCRIPTION}/resume", subscriptions.resume),
        (f"{_SUBSCRIPTION}/test", subscriptions.try_out),
        (f"{_SUBSCRIPTION}/replay", subscriptions.replay_failed),
        (f"{_SUBSCRIPTION}/secret", subscriptions.rotate),
        (f"{_SUBSCRIPTION}/remove", subscriptions.remove),
        (f"{_DELIVERY}/replay", deliveries.replay),
        (f"{_FEED}/remove", feeds.remove),
    ):
        app.router.add_post(path, door.takes(act))
    for path in ("/dashboard", "/dashboard/", LOGIN):
        app.router.add_get(path, login.begin)
    app.router.add_get("/dashboard/{path:.+}", door.shows(nothing))  # what none of those is
    environment = aiohttp_jinja2.get_env(app)
    environment.filters.update(
        coded=words.coded,
        initial=words.initial,
        relative=words.relative,
        absolute=words.absolute,
        span=words.span,
        number=words.number,
        size=words.size,
        milliseconds=words.milliseconds,
        provider=words.provider,
        reason=words.reason,
        pushed_as=words.format_name,
        disabled=words.disabled,
        reach=access.reach_of,
    )
    environment.globals.update(plural=words.plural, states=words.STATES)


async def _stop(app: web.Application) -> None:
    app[STOPPING].set()
