"""Logging in with an administrator's token, and out again."""

import re
from contextlib import suppress

from aiohttp import web

from syncd.model.errors import TransientError
from syncd.web.dashboard.desk import desk_of
from syncd.web.dashboard.frame import away, show
from syncd.web.dashboard.session import Sessions
from syncd.web.page import fields
from syncd.web.sign_in import FormTokens, Tries

LOGIN = "/dashboard/login"
_OURS = re.compile(r"/(?:dashboard/[\w/.-]*)?(?:\?[\w=&.%+:-]*)?", re.ASCII)
_WRONG = "There is no such token, or it has expired or was revoked."
_NO_ADMIN = (
    "This token is valid, but it is not an administrator's. `syncd token create --admin` makes one."
)
_OLD = "This page was open for too long. Please try again."


class LoginPages:
    """The page at the door; tries are counted per address."""

    def __init__(self, sessions: Sessions, forms: FormTokens, tries: Tries) -> None:
        """Begin ``sessions``."""
        self._sessions = sessions
        self._forms = forms
        self._tries = tries

    async def ask(self, request: web.Request) -> web.Response:
        """Show the form in place of a page; afterwards one is back there."""
        asked_for = request.method in {"GET", "HEAD"}
        to = request.path_qs if asked_for else "/"
        shown = self._form(request, to, status=200 if request.path == "/" and asked_for else 403)
        if "HX-Request" in request.headers:
            shown.headers["HX-Refresh"] = "true"  # a part of a page is no place for it
        return shown

    async def begin(self, _: web.Request) -> web.Response:
        """Lead to the first page: what people type, or find in their address bar."""
        return away("/")

    async def log_in(self, request: web.Request) -> web.Response:
        """Try a token."""
        given = await fields(request)
        to = given.get("to", "/")
        if not self._forms.is_ours(request, given.get("form", "")):
            return self._form(request, to, status=403, problem=_OLD)
        whose = f"login {request.remote}"
        wait = self._tries.begin(whose)
        if wait is not None:
            minutes = max(1, round(wait / 60))
            problem = f"Too many tries. Please wait {minutes} minutes."
            shown = self._form(request, to, status=429, problem=problem)
            shown.headers["Retry-After"] = str(max(1, int(wait)))
            return shown
        desk = desk_of(request)
        presented = await desk.tokens.presented(given.get("token", "").strip())
        if presented is None or not presented.token.alive(desk.clock.now()):
            return self._form(request, to, status=422, problem=_WRONG)
        self._tries.forgive(whose)
        if not presented.token.admin:
            return self._form(request, to, status=403, problem=_NO_ADMIN)
        with suppress(TransientError):  # a full store still reads
            await desk.store.touch_token(presented.token.id, desk.clock.now())
        entered = away(to if _OURS.fullmatch(to) else "/")
        self._sessions.begin(request, entered, presented.token)
        return entered

    async def log_out(self, request: web.Request, _: dict[str, list[str]]) -> web.Response:
        """End the session."""
        left = away("/")
        session = await self._sessions.of(request)
        if session is not None:
            self._sessions.end(request, left, session)
        return left

    def _form(
        self, request: web.Request, to: str, *, status: int, problem: str | None = None
    ) -> web.Response:
        cookie = self._forms.cookie_of(request)
        token = self._forms.token(request, cookie, action=LOGIN)
        shown = show(
            request,
            "login.html",
            status=status,
            problem=problem,
            form_token=token,
            to=to if _OURS.fullmatch(to) else "/",
        )
        self._forms.issue(request, shown, cookie)
        return shown
