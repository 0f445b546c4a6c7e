"""Sending a browser to a provider, with a cookie that only this journey has (api.md N3)."""

import secrets
from dataclasses import dataclass

from aiohttp import web

from syncd.engine.consents import LASTS, Back, Consents
from syncd.model.errors import NotFoundError
from syncd.web.page import gone_to
from syncd.web.sign_in import FormTokens, Tries

_SHORT = 16  # characters: enough to tell journeys of one browser apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What pages have where people sign in; ``tries`` are of forms, ``guesses`` of addresses."""

    forms: FormTokens
    tries: Tries
    guesses: Tries
    journeys: "Journeys"


class Journeys:
    """The browser's side of ``Consents``.

    Each journey has a cookie of its own, drawn when it begins: one that somebody planted in the
    browser before is worth nothing, and two tabs do not disturb one another.
    """

    def __init__(self, consents: Consents) -> None:
        """Keep journeys in ``consents``."""
        self._consents = consents

    async def send(
        self, request: web.Request, provider: str, *, login: str = "", contacts: bool = True
    ) -> web.Response:
        """Send somebody from this page to a provider; raises what ``Consents.begin`` raises."""
        cookie = secrets.token_urlsafe(32)
        sent = await self._consents.begin(
            provider, path=request.path_qs, cookie=cookie, login=login, contacts=contacts
        )
        response = gone_to(sent.url)
        response.set_cookie(
            _cookie_name(request, sent.name),
            cookie,
            max_age=int(LASTS.total_seconds()),
            httponly=True,
            samesite="Lax",
            secure=request.scheme == "https",
            path="/",
        )
        return response

    async def end(self, request: web.Request) -> Back:
        """Take somebody back; raises NotFoundError for whoever was not sent from this browser."""
        state = request.query.get("state", "")
        cookie = request.cookies.get(self._cookie(request))
        if not cookie:
            raise NotFoundError("this browser began no such sign-in")
        return await self._consents.end(request.match_info["provider"], state=state, cookie=cookie)

    def forget(self, request: web.Request, response: web.StreamResponse) -> None:
        """Take the journey's cookie from the browser."""
        response.del_cookie(self._cookie(request), path="/", secure=request.scheme == "https")

    def _cookie(self, request: web.Request) -> str:
        return _cookie_name(request, self._consents.name_of(request.query.get("state", "")))


def _cookie_name(request: web.Request, name: str) -> str:
    prefix = "__Host-" if request.scheme == "https" else ""
    return f"{prefix}syncd-consent-{name[:_SHORT]}"
