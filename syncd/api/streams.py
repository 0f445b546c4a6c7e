"""Requests that stay open, and what ends them: revocation, drain, age (api.md R5, K41)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from aiohttp import web

from syncd.api.keys import tokens_of
from syncd.api.parts import Pace, parts_of
from syncd.api.problems import Problem, ProblemError
from syncd.model.access import Token
from syncd.model.errors import TransientError
from syncd.model.ids import TokenId
from syncd.ports.clock import Clock
from syncd.ports.store import Store

T = TypeVar("T")

MOST_SECONDS = 86_400.0  # that a timedelta is asked to hold
_REVOKED = Problem(
    status=401,
    code="unauthorized",
    message="the token was revoked or has expired",
    headers={"WWW-Authenticate": 'Bearer realm="syncd", error="invalid_token"'},
)


class EndedError(Exception):
    """An open request was ended from outside; ``revoked`` tells whether its token died."""

    def __init__(self, *, revoked: bool) -> None:
        """Say why."""
        super().__init__("revoked" if revoked else "ended")
        self.revoked = revoked


class OpenRequests:
    """Knows which requests wait or stream by which token; looks at those tokens twice a second."""

    def __init__(self, store: Store, clock: Clock, pace: Pace) -> None:
        """Begin with none."""
        self._store = store
        self._clock = clock
        self._pace = pace
        self._open = dict[asyncio.Timeout, TokenId]()
        self._revoked = set[asyncio.Timeout]()
        self._draining = False

    @asynccontextmanager
    async def held(self, token: Token, longest: timedelta) -> AsyncIterator[None]:
        """Run a block until it ends, or raise EndedError in place of what it waits for."""
        if self._draining:
            raise EndedError(revoked=False)
        scope = asyncio.timeout(longest.total_seconds())
        try:
            async with scope:
                self._open[scope] = token.id
                yield
        except TimeoutError:
            if not scope.expired():
                raise
            raise EndedError(revoked=scope in self._revoked) from None
        finally:
            self._open.pop(scope, None)
            self._revoked.discard(scope)

    async def watch(self) -> None:
        """End what dead tokens hold open; until cancelled."""
        while True:
            await asyncio.sleep(self._pace.token_check.total_seconds())
            for token in frozenset(self._open.values()):
                if not await self._alive(token):
                    self._revoke(token)

    def drain(self) -> None:
        """End everything that is open, and refuse more."""
        self._draining = True
        self._end(self._open)

    def _revoke(self, token: TokenId) -> None:
        dead = [scope for scope, holder in self._open.items() if holder == token]
        self._revoked.update(dead)
        self._end(dead)

    def _end(self, scopes: Iterable[asyncio.Timeout]) -> None:
        now = asyncio.get_running_loop().time()
        for scope in scopes:
            if not scope.expired():
                scope.reschedule(now)

    async def _alive(self, token: TokenId) -> bool:
        try:
            found = await self._store.token(token)
        except TransientError:
            return True  # a store that does not answer proves nothing
        return found is not None and found.alive(self._clock.now())


OPEN = web.AppKey("open", OpenRequests)


async def awaited(
    request: web.Request, seconds: float, read: Callable[[timedelta], Awaitable[T]]
) -> T:
    """Read, waiting for news so many seconds (K40); 401 if the token dies meanwhile (R5)."""
    longest = parts_of(request).pace.longest_wait
    wait = min(timedelta(seconds=min(seconds, MOST_SECONDS)), longest)
    if wait:
        try:
            async with holding(request, longest * 2):
                return await read(wait)
        except EndedError as ended:
            if ended.revoked:
                raise ProblemError(_REVOKED) from None
    return await read(timedelta())


@asynccontextmanager
async def holding(request: web.Request, longest: timedelta) -> AsyncIterator[None]:
    """Run a block that any of the request's tokens ends when it dies (R5)."""
    async with AsyncExitStack() as stack:
        for token in tokens_of(request):
            await stack.enter_async_context(open_requests(request).held(token, longest))
        yield


def open_requests(request: web.Request) -> OpenRequests:
    """Return the application's open requests."""
    return request.config_dict[OPEN]
