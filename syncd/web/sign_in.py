"""What every form for credentials needs: a token against forgery, and a limit to guessing."""

import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict, deque
from datetime import datetime, timedelta

from aiohttp import web

from syncd.model.access import digest
from syncd.model.errors import MisconfiguredError
from syncd.ports.clock import Clock
from syncd.ports.vault import Secret, Vault
from syncd.web.page import page

LASTS = timedelta(days=1)  # how long a page may be open before its form is refused
_COOKIE = re.compile(r"[\w-]{43}", re.ASCII)  # of 32 bytes
_REMEMBERED = 10_000  # forms with failed tries; the one longest unused is forgotten


class FormTokens:
    """Tokens bound to a cookie and a path (api.md §4), good for a day.

    Every process with the key ring takes what another one has given, or itself before a restart
    (ADR 54).
    """

    def __init__(self, vault: Vault, clock: Clock) -> None:
        """Seal them by ``vault``."""
        self._vault = vault
        self._clock = clock

    @staticmethod
    def issue(request: web.Request, response: web.StreamResponse, cookie: str) -> None:
        """Keep ``cookie`` in the browser."""
        keep(request, response, cookie_name(request), cookie)

    @staticmethod
    def cookie_of(request: web.Request) -> str:
        """Return the browser's cookie, or a new one."""
        return FormTokens.held(request) or secrets.token_urlsafe(32)

    @staticmethod
    def held(request: web.Request) -> str:
        """Return the browser's cookie, empty without one of ours."""
        held = request.cookies.get(cookie_name(request), "")
        return held if _COOKIE.fullmatch(held) else ""

    def token(self, request: web.Request, cookie: str, *, action: str | None = None) -> str:
        """Return what the form on this page carries; ``action`` if it posts to another path."""
        until = self._clock.now() + LASTS
        place = _place(cookie, action or request.path)
        sealed = self._vault.seal(Secret(until.isoformat()), place=place)
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def is_ours(self, request: web.Request, given: str) -> bool:
        """Tell whether a form came from our page in this browser, within a day."""
        cookie = self.held(request)
        try:
            sealed = urlsafe_b64decode(given + "=" * (-len(given) % 4))
            until = self._vault.open(sealed, place=_place(cookie, request.path)).reveal()
        except (ValueError, MisconfiguredError):
            return False
        return cookie != "" and self._clock.now() < datetime.fromisoformat(until)


def _place(cookie: str, path: str) -> str:
    return f"forms|{digest(cookie).hex()}|{path.rstrip('/')}"


def cookie_name(request: web.Request, name: str = "syncd-form") -> str:
    """Return the name of a cookie: over https the strictest kind, which other hosts cannot set."""
    return f"__Host-{name}" if request.scheme == "https" else name


def keep(request: web.Request, response: web.StreamResponse, name: str, value: str) -> None:
    """Keep a cookie until the browser is closed; no script and no other site's form sees it."""
    secure = request.scheme == "https"
    response.set_cookie(name, value, httponly=True, samesite="Lax", secure=secure, path="/")


class Tries:
    """Counts failed tries per form; a try counts from its start, so parallel ones gain nothing."""

    def __init__(self, clock: Clock, *, most: int, within: timedelta) -> None:
        """Allow ``most`` failures ``within`` a time."""
        self._clock = clock
        self._most = most
        self._within = within.total_seconds()
        self._failed = OrderedDict[str, deque[float]]()

    def wait(self, form: str) -> float | None:
        """Return the seconds to wait if there were too many, and count nothing."""
        failed = self._recent(form)
        if len(failed) < self._most:
            return None
        return self._within - (self._clock.monotonic() - failed[0])

    def begin(self, form: str) -> float | None:
        """Count a try; return the seconds to wait instead if there were too many."""
        wait = self.wait(form)
        if wait is None:
            self._failed[form].append(self._clock.monotonic())
        return wait

    def forgive(self, form: str) -> None:
        """Take the last try back: it was no guess."""
        if failed := self._failed.get(form):
            failed.pop()

    def _recent(self, form: str) -> deque[float]:
        failed = self._failed.setdefault(form, deque())
        self._failed.move_to_end(form)
        if len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)
        while failed and self._clock.monotonic() - failed[0] >= self._within:
            failed.popleft()
        return failed


def too_many(request: web.Request, wait: float) -> web.Response:
    """Return the page of whoever tried too often."""
    minutes = max(1, round(wait / 60))
    shown = page(
        request,
        "message.html",
        status=429,
        title="Too many tries",
        message=f"Please wait {minutes} minutes, then open the link again.",
    )
    shown.headers["Retry-After"] = str(max(1, int(wait)))
    return shown
