"""Pages about expiring tokens: a calendar to look at, and the links in its events (M9, M11)."""

import shlex
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from syncd.engine.expiries import Action, Expiries
from syncd.formats.ical_expiry import Expiry
from syncd.model.access import Token
from syncd.model.errors import NotFoundError
from syncd.ports.clock import Clock
from syncd.web.page import fields, page
from syncd.web.sign_in import FormTokens, Tries

PER_HOUR = 600  # looks at one calendar from one address
_NEAR = timedelta(days=7)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One token, as the page shows it; ``when`` is in words."""

    expiry: Expiry
    when: str
    near: bool


class ExpiryPages:
    """Pages for whoever has a calendar's path, or the code of one of its links."""

    def __init__(self, expiries: Expiries, forms: FormTokens, clock: Clock) -> None:
        """Show what ``expiries`` knows."""
        self._expiries = expiries
        self._forms = forms
        self._clock = clock
        self._looks = Tries(clock, most=PER_HOUR, within=timedelta(hours=1))

    async def show(self, request: web.Request) -> web.Response:
        """Show a calendar's tokens, the next to expire first."""
        try:
            file = await self._expiries.file(request.match_info["secret"])
        except NotFoundError:
            return _dead(request)
        wait = self._looks.begin(f"{file.calendar.id} {request.remote}")
        if wait is not None:
            shown = page(
                request,
                "message.html",
                status=429,
                title="Too many looks",
                message="This calendar was looked at too often. Please wait a while.",
            )
            shown.headers["Retry-After"] = str(max(1, int(wait)))
            return shown
        now = self._clock.now()
        rows = [_row(one, one.expires_at - now) for one in file.expiries("")]
        return page(
            request,
            "expiries.html",
            name=file.calendar.name,
            description=file.calendar.description,
            ahead=[one for one in rows if one.expiry.expires_at > now],
            behind=[one for one in reversed(rows) if one.expiry.expires_at <= now],
            path=request.path.removesuffix("/view"),
        )

    async def ask(self, request: web.Request) -> web.Response:
        """Show what a link would do; changes nothing, however often it is asked for."""
        return await self._asked(request)

    async def act(self, request: web.Request) -> web.Response:
        """Do it: once for a removal."""
        given = await fields(request)
        if not self._forms.is_ours(request, given.get("token", "")):
            return await self._asked(request, problem="This page was open for too long.")
        try:
            action = Action(request.query.get("action", ""))
            code = request.query.get("code", "")
            calendar, token = await self._expiries.by_code(action, code)
            if action is Action.REMOVE:
                await self._expiries.remove_by_code(code)
        except (ValueError, NotFoundError):
            return _dead(request)
        if action is Action.RECREATE:
            return page(request, "command.html", name=token.name, command=command(token))
        return page(
            request,
            "message.html",
            title="Removed",
            message=f"{calendar.name} no longer reminds of this token. The token itself is as "
            "it was.",
        )

    async def _asked(self, request: web.Request, problem: str | None = None) -> web.Response:
        try:
            action = Action(request.query.get("action", ""))
            found = await self._expiries.by_code(action, request.query.get("code", ""))
        except (ValueError, NotFoundError):
            return _dead(request)
        calendar, token = found
        cookie = self._forms.cookie_of(request)
        shown = page(
            request,
            "action.html",
            status=200 if problem is None else 403,
            removes=action is Action.REMOVE,
            calendar=calendar.name,
            name=token.name,
            expires_at=token.expires_at,
            token=self._forms.token(request, cookie),
            action=request.path_qs,
            problem=problem,
        )
        self._forms.issue(request, shown, cookie)
        return shown


def command(token: Token) -> str:
    """Return the command that makes a token of the same name, scopes and lifetime.

    One option a line, so that a narrow page does not break it where a shell would.
    """
    words = [["syncd", "token", "create"]]
    if token.profile_id is not None:
        words += [["--profile", str(token.profile_id)]]
    elif token.user_id is not None:
        words += [["--user", token.user_id]]
    words += [["--scope", scope] for scope in sorted(token.scopes)]
    if token.expires_at is not None:
        seconds = max(1, round((token.expires_at - token.created).total_seconds()))
        words += [["--expires-in", _lifetime(seconds)]]
    if token.name is not None:
        words += [["--name", token.name]]
    if token.rotates:
        words += [["--rotate"]]
    return " \\\n  ".join(map(shlex.join, words))


def _lifetime(seconds: int) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _row(one: Expiry, left: timedelta) -> Row:
    days = abs(left) // _DAY
    span = f"{days} day{'' if days == 1 else 's'}" if days else "less than a day"
    when = f"in {span}" if left > timedelta() else f"{span} ago"
    return Row(expiry=one, when=when, near=timedelta() < left <= _NEAR)


def _dead(request: web.Request) -> web.Response:
    return page(
        request,
        "message.html",
        status=404,
        title="This link is no longer valid",
        message="What it led to was removed, or was already done.",
    )
