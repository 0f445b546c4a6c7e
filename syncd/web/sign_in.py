"""What every form for credentials needs: a token against forgery, and a limit to guessing."""

import hmac
import secrets
from collections import OrderedDict, deque
from datetime import timedelta
from hashlib import sha256

from aiohttp import web

from syncd.ports.clock import Clock

_REMEMBERED = 10_000  # forms with failed tries; the one longest unused is forgotten


class FormTokens:
    """Tokens bound to a cookie and a path (api.md §4); they end with the process."""

    def __init__(self) -> None:
        """Draw a key."""
        self._key = secrets.token_bytes(32)

    def issue(self, request: web.Request, response: web.StreamResponse, cookie: str) -> None:
        """Keep ``cookie`` in the browser; over https by the strictest kind of name."""
        secure = request.scheme == "https"
        response.set_cookie(
            cookie_name(request), cookie, httponly=True, samesite="Lax", secure=secure, path="/"
        )

    def cookie_of(self, request: web.Request) -> str:
        """Return the browser's cookie, or a new one."""
        return request.cookies.get(cookie_name(request)) or secrets.token_urlsafe(32)

    def token(self, request: web.Request, cookie: str, *, action: str | None = None) -> str:
        """Return what the form on this page carries; ``action`` if it posts to another path."""
        bound = f"{cookie}|{(action or request.path).rstrip('/')}"
        return hmac.new(self._key, bound.encode(), sha256).hexdigest()

    def is_ours(self, request: web.Request, given: str) -> bool:
        """Tell whether a form came from our page in this browser."""
        cookie = request.cookies.get(cookie_name(request), "")
        ours = hmac.compare_digest(self.token(request, cookie).encode(), given.encode())
        return ours and cookie != ""


def cookie_name(request: web.Request) -> str:
    """Return the name of the cookie; ``__Host-`` needs https."""
    return "__Host-syncd-form" if request.scheme == "https" else "syncd-form"


class Tries:
    """Counts failed tries per form; a try counts from its start, so parallel ones gain nothing."""

    def __init__(self, clock: Clock, *, most: int, within: timedelta) -> None:
        """Allow ``most`` failures ``within`` a time."""
        self._clock = clock
        self._most = most
        self._within = within.total_seconds()
        self._failed = OrderedDict[str, deque[float]]()

    def begin(self, form: str) -> float | None:
        """Count a try; return the seconds to wait instead if there were too many."""
        now = self._clock.monotonic()
        failed = self._failed.setdefault(form, deque())
        self._failed.move_to_end(form)
        if len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)
        while failed and now - failed[0] >= self._within:
            failed.popleft()
        if len(failed) >= self._most:
            return self._within - (now - failed[0])
        failed.append(now)
        return None

    def forgive(self, form: str) -> None:
        """Take the last try back: it was no guess."""
        if failed := self._failed.get(form):
            failed.pop()
