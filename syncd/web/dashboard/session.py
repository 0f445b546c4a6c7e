"""Who is logged in: a sealed cookie that names a token, and ends with it (ADR 39)."""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from aiohttp import web

from syncd.model.access import Token
from syncd.model.errors import MisconfiguredError
from syncd.model.ids import TokenId
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.vault import Secret, Vault

LASTS = timedelta(hours=12)
_PLACE = "sessions|cookie|admin"
_LONGEST = 2048
_REMEMBERED = 10_000  # sessions that were ended before their time


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A browser that showed an administrator's token; every form of it carries ``form``."""

    id: str
    form: str
    token_id: TokenId
    until: datetime

    def is_ours(self, given: str) -> bool:
        """Tell whether a form came from a page of this session."""
        return hmac.compare_digest(self.form.encode(), given.encode())


SESSION = web.RequestKey("session", Session)


class Sessions:
    """Begins sessions, recognises and ends them.

    The cookie is all there is of a session: it lives over a restart, and only that somebody logged
    out is remembered here.
    """

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        """Seal cookies by ``vault``."""
        self._store = store
        self._vault = vault
        self._clock = clock
        self._ended = dict[str, datetime]()

    def begin(self, request: web.Request, response: web.StreamResponse, token: Token) -> None:
        """Give the browser a session that it did not have before."""
        session = Session(
            id=secrets.token_urlsafe(16),
            form=secrets.token_urlsafe(32),
            token_id=token.id,
            until=self._clock.now() + LASTS,
        )
        told = [session.id, session.form, session.token_id, session.until.isoformat()]
        sealed = self._vault.seal(Secret(orjson.dumps(told).decode()), place=_PLACE)
        response.set_cookie(
            _cookie_name(request),
            urlsafe_b64encode(sealed).decode(),
            httponly=True,
            samesite="Lax",
            secure=request.scheme == "https",
            path="/",
            max_age=int(LASTS.total_seconds()),
        )

    async def of(self, request: web.Request) -> Session | None:
        """Return the request's session, None without one or with one that has ended."""
        session = self._opened(request.cookies.get(_cookie_name(request), ""))
        return session if session is not None and await self.lives(session) else None

    async def lives(self, session: Session) -> bool:
        """Tell whether a session goes on: its token may have been revoked meanwhile."""
        now = self._clock.now()
        if now >= session.until or session.id in self._ended:
            return False
        token = await self._store.token(session.token_id)
        return token is not None and token.admin and token.alive(now)

    def end(self, request: web.Request, response: web.StreamResponse, session: Session) -> None:
        """End it here and in the browser; who copied the cookie has nothing either."""
        now = self._clock.now()
        self._ended = {one: until for one, until in self._ended.items() if until > now}
        if len(self._ended) >= _REMEMBERED:
            self._ended.pop(next(iter(self._ended)))
        self._ended[session.id] = session.until
        response.del_cookie(
            _cookie_name(request),
            path="/",
            httponly=True,
            samesite="Lax",
            secure=request.scheme == "https",
        )

    def _opened(self, text: str) -> Session | None:
        if not text or len(text) > _LONGEST:
            return None
        try:
            sealed = urlsafe_b64decode(text)
            told = orjson.loads(self._vault.open(sealed, place=_PLACE).reveal())
        except (ValueError, MisconfiguredError):
            return None
        name, form, token, until = told
        return Session(
            id=name, form=form, token_id=TokenId(token), until=datetime.fromisoformat(until)
        )


def _cookie_name(request: web.Request) -> str:
    """Return the name of the cookie; ``__Host-`` needs https."""
    return "__Host-syncd-session" if request.scheme == "https" else "syncd-session"
