"""Microsoft Graph over HTTP: tokens, tries, limits, links, and JSON that came whole (P1, P12)."""

from asyncio import Semaphore
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from aiohttp import ClientResponse, ClientSession, ClientTimeout
from multidict import CIMultiDict
from yarl import URL

from syncd.model.errors import MalformedReplyError, RelinkRequiredError
from syncd.ports.clock import Clock
from syncd.ports.passing import sent_along
from syncd.providers.answers import PassingError, UnansweredError, wait_of
from syncd.providers.graph.refusals import Refused, refusal
from syncd.providers.graph.translate import Json
from syncd.providers.limits import retried

AT_ONCE = 4  # requests of an application to one mailbox (MG10)
NEXT, DELTA = "@odata.nextLink", "@odata.deltaLink"
_PREFER = ('IdType="ImmutableId"', 'outlook.timezone="UTC"', 'outlook.body-content-type="text"')
_TIMEOUT = ClientTimeout(total=120, sock_connect=10, sock_read=60)
_LARGEST = 64 * 2**20  # bytes of a page
_CHUNK = 64 * 2**10
_EMPTY = frozenset({202, 204})  # Accepted, No Content


class Tokens(Protocol):
    """Gives access tokens; ``refused`` is one that did not work."""

    def __call__(self, *, refused: str | None = None) -> Awaitable[str]:
        """Obey ``Keeper.token``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request; ``path`` are the unquoted parts below the API's address.

    A ``link`` that an answer gave stands for both path and query. ``page`` is how many entries of
    a change feed come at once (MG3).
    """

    method: str = "GET"
    path: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    page: int | None = None
    body: Json | None = None
    etag: str = ""  # for If-Match

    @property
    def writes(self) -> bool:
        """Tell whether it changes something."""
        return self.method != "GET"


class GraphClient:
    """One mailbox; a token goes nowhere but to the API's own origin."""

    def __init__(
        self,
        session: Callable[[], ClientSession],
        clock: Clock,
        base: str,
        tokens: Tokens,
        *,
        lanes: Semaphore,
    ) -> None:
        """Ask below ``base``; ``lanes`` has ``AT_ONCE`` places for all who ask this mailbox."""
        self._session = session
        self._clock = clock
        self._base = base.rstrip("/")
        self._tokens = tokens
        self._lanes = lanes

    async def read(self, ask: Ask) -> Json:
        """Return what is there, after up to three tries."""
        return await retried(lambda: self.send(ask), self._clock)

    async def pages(self, ask: Ask) -> AsyncIterator[Json]:
        """Yield the pages of a list or feed; one may be empty while there are more (MG2)."""
        asked = set[str]()
        while True:
            page = await self.read(ask)
            items = page.get("value")
            if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
                raise MalformedReplyError("Microsoft Graph answered with a page without a value")
            yield page
            link = page.get(NEXT)
            if link is None:
                return
            if not isinstance(link, str) or link in asked:
                raise MalformedReplyError("Microsoft Graph gave the same link twice")
            asked.add(link)
            ask = Ask(link=link, page=ask.page)

    async def send(self, ask: Ask) -> Json:
        """Send once, or twice where the access token was refused; return the answer's object.

        Raises UnansweredError for a write that may have been done all the same.
        """
        url = self._url(ask)
        async with self._lanes:
            token = await self._tokens()
            try:
                return await self._sent(ask, url, token)
            except RelinkRequiredError:
                token = await self._tokens(refused=token)
                return await self._sent(ask, url, token)

    async def _sent(self, ask: Ask, url: URL, token: str) -> Json:
        headers = CIMultiDict(sent_along() if ask.writes else {})
        headers.update({"Authorization": f"Bearer {token}", "Accept": "application/json"})
        page = () if ask.page is None else (f"odata.maxpagesize={ask.page}",)
        headers["Prefer"] = ", ".join((*_PREFER, *page))
        if ask.etag:
            headers["If-Match"] = ask.etag
        content = None
        if ask.body is not None:
            content = orjson.dumps(ask.body)
            headers["Content-Type"] = "application/json"
        try:
            async with self._session().request(
                ask.method,
                url,
                data=content,
                headers=headers,
                timeout=_TIMEOUT,
                allow_redirects=False,
            ) as response:
                body = await _body(response)
        except aiohttp.ClientConnectorError as error:
            raise PassingError(f"Microsoft Graph cannot be reached: {error}") from error
        except aiohttp.ClientResponseError as error:
            raise MalformedReplyError("what Microsoft Graph answered is no HTTP") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            lost = UnansweredError if ask.writes else PassingError
            raise lost(f"Microsoft Graph did not answer: {error}") from error
        return self._read(ask, response, body)

    def _read(self, ask: Ask, response: ClientResponse, body: bytes) -> Json:
        status = response.status
        if not 200 <= status <= 299:  # noqa: PLR2004 - the success class
            header = response.headers.get("Retry-After")
            wait = wait_of(header, self._clock.now())
            waits = header is not None
            raise refusal(
                Refused(status=status, body=body, wait=wait, waits=waits, writes=ask.writes)
            )
        if status in _EMPTY and ask.writes:
            return {}
        if status not in (200, 201) or response.content_type != "application/json":
            raise MalformedReplyError(
                f"Microsoft Graph answered {status} with {response.content_type}"
            )
        try:
            told = orjson.loads(body)
        except ValueError as error:
            raise MalformedReplyError("what Microsoft Graph answered is no JSON") from error
        if not isinstance(told, dict):
            raise MalformedReplyError("what Microsoft Graph answered is no JSON object")
        return told

    def _url(self, ask: Ask) -> URL:
        if ask.link:
            return self._followed(ask.link)
        path = "/".join(quote(part, safe="") for part in ask.path)
        query = f"?{urlencode(ask.query, quote_via=quote, safe='$')}" if ask.query else ""
        return URL(f"{self._base}/{path}{query}", encoded=True)

    def _followed(self, link: str) -> URL:
        """Return where a link leads if that is the API's own origin (P12)."""
        try:
            url = URL(link, encoded=True)
            if url.origin() == URL(self._base).origin() and url.user is None:
                return url
        except ValueError:
            pass
        raise MalformedReplyError("Microsoft Graph gave a link that leads away from it")


async def _body(response: ClientResponse) -> bytes:
    """Return a whole body, counted after decompression (O4)."""
    found = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        found += chunk
        if len(found) > _LARGEST:
            raise MalformedReplyError(f"Microsoft Graph answered with over {_LARGEST >> 20} MiB")
    return bytes(found)
