"""What every form for credentials needs: a token against forgery, and a limit to guessing."""

import hmac
import secrets
from collections import OrderedDict, deque
from datetime import timedelta
from hashlib import sha256

from aiohttp import web

from syncd.ports.clock import Clock
from syncd.web.page import page

_REMEMBERED = 10_000  # forms with failed tries; the one longest unused is forgotten


class FormTokens:
    """Tokens bound to a cookie and a path (api.md §4); they end with the process."""

    def __init__(self) -> None:
        """Draw a key."""
        self._key = secrets.token_bytes(32)

    def issue(self, request: web.Request, response: web.StreamResponse, cookie: str) -> None:
        """Keep ``cookie`` in the browser."""
        keep(request, response, cookie_name(request), cookie)

    def cookie_of(self, request: web.Request) -> str:
        """Return the browser's cookie, or a new one."""
        return self.held(request) or secrets.token_urlsafe(32)

    def held(self, request: web.Request) -> str:
        """Return the browser's cookie, empty without one."""
        return request.cookies.get(cookie_name(request), "")

    def token(self, request: web.Request, cookie: str, *, action: str | None = None) -> str:
        """Return what the form on this page carries; ``action`` if it posts to another path."""
        bound = f"{cookie}|{(action or request.path).rstrip('/')}"
        return hmac.new(self._key, bound.encode(), sha256).hexdigest()

    def is_ours(self, request: web.Request, given: str) -> bool:
        """Tell whether a form came from our page in this browser."""
        cookie = request.cookies.get(cookie_name(request), "")
        ours = hmac.compare_digest(self.token(request, cookie).encode(), given.encode())
        return ours and cookie != ""


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
