"""Every page of the dashboard: who may see it, what goes around it, and how faults are told."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import aiohttp_jinja2
from aiohttp import web

from syncd.model.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
)
from syncd.web.dashboard.desk import desk_of
from syncd.web.dashboard.session import SESSION, Session, Sessions
from syncd.web.page import HEADERS, choices

SESSIONS = web.AppKey("sessions", Sessions)
Choices = dict[str, list[str]]
Show = Callable[[web.Request], Awaitable[web.StreamResponse]]
Act = Callable[[web.Request, Choices], Awaitable[web.StreamResponse]]
LogIn = Callable[[web.Request], Awaitable[web.Response]]

DESK_HEADERS = HEADERS | {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "X-Frame-Options": "DENY",
}
_MOST_FIELDS = 60
_SECTIONS = (  # which link of the header a page belongs to; the rest are about profiles
    ("/dashboard/activity", ("/dashboard/activity",)),
    ("/dashboard/access", ("/dashboard/access", "/dashboard/tokens", "/dashboard/applications")),
    ("/dashboard/subscriptions", ("/dashboard/subscriptions",)),
    ("/dashboard/feeds", ("/dashboard/feeds",)),
    ("/dashboard/system", ("/dashboard/system",)),
)
_FAULTS: tuple[tuple[type[SyncdError], tuple[int, str]], ...] = (
    (NotFoundError, (404, "There is nothing here")),
    (InvalidError, (422, "That cannot be")),
    (ConflictError, (409, "Not now")),
    (RelinkRequiredError, (409, "Not now")),
    (SyncdError, (503, "Not now")),
)
DONE = {  # what a page says after a form, by the word in its address
    "polled": "Polled.",
    "polling": "The poll goes on. Look again in a moment.",
    "paused": "Paused. Nothing is polled until it is resumed.",
    "resumed": "Resumed. It is polled at once.",
    "relink": "Hand the link below to the person whose login this is.",
    "confirmed": "The missing events are deleted, and the stream tells of it.",
    "revoked": "The token is revoked.",
    "removed": "The application is removed; its secrets and tokens have ended.",
    "held": "Paused. Nothing is sent until it is resumed, and nothing is skipped.",
    "released": "Resumed. It goes on where it stood.",
    "hurried": "It is tried at once, and by its whole schedule from here on.",
    "replayed": "It is sent again; the log tells what comes of it.",
    "no_replay": "There is nothing that was never delivered.",
    "unpublished": "The feed is removed; its address leads nowhere any more.",
    "unsubscribed": "The subscription is removed, with all that was kept of it.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Lets sessions in; shows everybody else the page to log in at."""

    sessions: Sessions
    log_in: LogIn

    def shows(self, asked: Show) -> Show:
        """Return a page for who is logged in."""

        @wraps(asked)
        async def show(request: web.Request) -> web.StreamResponse:
            session = await self.sessions.of(request)
            if session is None:
                return await self.log_in(request)
            request[SESSION] = session
            return await _told(request, asked(request))

        return show

    def takes(self, asked: Act) -> Show:
        """Return what a form of ours leads to."""

        @wraps(asked)
        async def act(request: web.Request) -> web.StreamResponse:
            session = await self.sessions.of(request)
            if session is None:
                return await self.log_in(request)
            request[SESSION] = session
            given = await choices(request, most=_MOST_FIELDS)
            if not session.is_ours(one(given, "form")):
                sentence = "This page was not made by this syncd, or is too old. Nothing was done."
                return fault(request, 403, "Nothing was done", sentence)
            return await _told(request, asked(request, given))

        return act


def session_of(request: web.Request) -> Session:
    """Return who asks."""
    return request[SESSION]


def one(given: Choices, name: str) -> str:
    """Return a field's first value, empty without one."""
    return given.get(name, [""])[0].strip()


def show(
    request: web.Request,
    template: str,
    *,
    status: int = 200,
    **context: Any,  # noqa: ANN401 - of the template
) -> web.Response:
    """Return a page of the dashboard."""
    session = request.get(SESSION)
    around = {
        "now": desk_of(request).clock.now(),
        "form": None if session is None else session.form,
        "here": request.path,
        "within": next((path for path, parts in _SECTIONS if request.path.startswith(parts)), "/"),
        "done": DONE.get(request.query.get("done", "")),
    }
    made = aiohttp_jinja2.render_template(
        f"dashboard/{template}", request, around | context, status=status
    )
    made.headers.update(DESK_HEADERS)
    return made


def fault(request: web.Request, status: int, title: str, message: str) -> web.Response:
    """Return a page that says what went wrong."""
    return show(request, "fault.html", status=status, title=title, message=message)


async def nothing(request: web.Request) -> web.Response:
    """Raise NotFoundError: no page is there."""
    raise NotFoundError(f"there is no page at {request.path}")


def away(to: str) -> web.Response:
    """Return to a page of ours after a form."""
    return web.Response(status=303, headers={**DESK_HEADERS, "Location": to})


async def _told(request: web.Request, answer: Awaitable[web.StreamResponse]) -> web.StreamResponse:
    try:
        return await answer
    except SyncdError as error:
        status, title = next(told for kind, told in _FAULTS if isinstance(error, kind))
        return fault(request, status, title, sentence_of(error))


def sentence_of(error: SyncdError) -> str:
    """Return an error's message as a sentence."""
    text = str(error) or "it could not be done"
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
