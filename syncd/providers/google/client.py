"""Google over HTTP: tokens, tries, limits, and JSON that came whole (P1, P12)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from aiohttp import ClientResponse, ClientSession
from yarl import URL

from syncd.model.errors import MalformedReplyError, RelinkRequiredError
from syncd.model.ids import ProfileId
from syncd.ports.clock import Clock
from syncd.ports.passing import Passed, PassedAnswer, sent_along
from syncd.providers.answers import PassingError, UnansweredError, wait_of
from syncd.providers.google.refusals import Refused, refusal
from syncd.providers.limits import Limits, SpentError, retried
from syncd.providers.oauth.passing import TIMEOUT, pass_on, whole_body
from syncd.providers.oauth.sign_in import Tokens

Json = dict[str, Any]
FREE_BUSY = ("freeBusy",)
_LARGEST = 64 * 2**20  # bytes of a page: 2,500 events


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request; ``path`` are the unquoted parts below the API's address."""

    method: str = "GET"
    path: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None
    etag: str = ""  # for If-Match

    @property
    def writes(self) -> bool:
        """Tell whether it changes something; free time is asked for by POST, and only read."""
        return self.method != "GET" and self.path != FREE_BUSY


class GoogleClient:
    """One profile at one API; a token goes nowhere else."""

    def __init__(  # noqa: PLR0913 - what a request touches
        self,
        session: Callable[[], ClientSession],
        clock: Clock,
        base: str,
        tokens: Tokens,
        *,
        limits: Limits,
        profile: ProfileId | None = None,
    ) -> None:
        """Ask below ``base``, within ``limits``; without a ``profile`` somebody is signing in."""
        self._limits = limits
        self._profile = profile
        self._session = session
        self._clock = clock
        self._base = base.rstrip("/")
        self._tokens = tokens

    def now(self) -> datetime:
        """Return the time."""
        return self._clock.now()

    async def get(self, *path: str, **query: str) -> Json:
        """Return what is there, after up to three tries."""
        return await self.read(Ask(path=path, query=query))

    async def read(self, ask: Ask) -> Json:
        """Return what is told, after up to three tries; for what changes nothing."""
        return await retried(lambda: self.send(ask), self._clock)

    async def send(self, ask: Ask) -> Json:
        """Send once, or twice where the access token was refused; return the answer's object.

        Raises UnansweredError for a write that may have been done all the same.
        """
        token = await self._tokens()
        try:
            return await self._sent(ask, token)
        except RelinkRequiredError:
            token = await self._tokens(refused=token)
            return await self._sent(ask, token)

    async def keep_alive(self) -> None:
        """Have a token, and ask for nothing."""
        await self._tokens()

    async def passed(self, asked: Passed) -> PassedAnswer:
        """Send something of the caller's own, once; return what comes back (K29)."""
        await self._limits.turn(self._profile)
        return await pass_on(self._session, asked, self._tokens, base=self._base)

    async def _sent(self, ask: Ask, token: str) -> Json:
        await self._limits.turn(self._profile)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if ask.writes:
            headers = {**sent_along(), **headers}
        if ask.etag:
            headers["If-Match"] = ask.etag
        content = None
        if ask.body is not None:
            content = orjson.dumps(ask.body)
            headers["Content-Type"] = "application/json"
        try:
            async with self._session().request(
                ask.method,
                self._url(ask),
                data=content,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                body = await whole_body(response, _LARGEST)
        except aiohttp.ClientConnectorError as error:
            raise PassingError(f"Google cannot be reached: {error}") from error
        except aiohttp.ClientResponseError as error:
            raise MalformedReplyError("what Google answered is no HTTP") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            lost = UnansweredError if ask.writes else PassingError
            raise lost(f"Google did not answer: {error}") from error
        try:
            return self._read(ask, response, body)
        except SpentError as error:
            self._limits.spent(error.retry_after or error.lasts)
            raise

    def _read(self, ask: Ask, response: ClientResponse, body: bytes) -> Json:
        if not 200 <= response.status <= 299:  # noqa: PLR2004 - the success class
            header = response.headers.get("Retry-After")
            raise refusal(
                Refused(
                    status=response.status,
                    body=body,
                    wait=wait_of(header, self._clock.now()),
                    waits=header is not None,
                    writes=ask.writes,
                    feed="syncToken" in ask.query,
                )
            )
        if response.status == 204:  # noqa: PLR2004 - No Content
            return {}
        if response.status != 200 or response.content_type != "application/json":  # noqa: PLR2004
            raise MalformedReplyError(
                f"Google answered {response.status} with {response.content_type}"
            )
        try:
            told = orjson.loads(body)
        except ValueError as error:
            raise MalformedReplyError("what Google answered is no JSON") from error
        if not isinstance(told, dict):
            raise MalformedReplyError("what Google answered is no JSON object")
        return told

    def _url(self, ask: Ask) -> URL:
        path = "/".join(map(_quoted, ask.path))
        query = "&".join(f"{name}={_quoted(one)}" for name, one in ask.query.items())
        return URL(f"{self._base}/{path}{'?' if query else ''}{query}", encoded=True)


@lru_cache(maxsize=16_384)  # a quiet calendar is asked with the same words again and again
def _quoted(text: str) -> str:
    """Return a word percent-encoded whole (G14)."""
    return quote(text, safe="")
