"""Microsoft Graph over HTTP: tokens, tries, limits, links, and JSON that came whole (P1, P12)."""

from asyncio import Semaphore
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from aiohttp import ClientResponse, ClientSession
from multidict import CIMultiDict
from yarl import URL

from syncd.formats.outlook import Json
from syncd.model.errors import MalformedReplyError, RelinkRequiredError
from syncd.ports.clock import Clock
from syncd.ports.passing import Passed, PassedAnswer, sent_along
from syncd.providers.answers import PassingError, UnansweredError, wait_of
from syncd.providers.graph.batch import (
    BATCH,
    MOST_PARTS,
    Part,
    PartsError,
    answers_of,
    batch_body,
)
from syncd.providers.graph.refusals import Refused, refusal
from syncd.providers.limits import retried
from syncd.providers.oauth.passing import TIMEOUT, pass_on, whole_body
from syncd.providers.oauth.sign_in import Tokens

AT_ONCE = 4  # requests of an application to one mailbox (MG10)
NEXT, DELTA = "@odata.nextLink", "@odata.deltaLink"
PREFER = ('IdType="ImmutableId"', 'outlook.timezone="UTC"', 'outlook.body-content-type="text"')
SCHEDULE = ("me", "calendar", "getSchedule")
_READING = (BATCH, SCHEDULE)  # by POST
_LARGEST = 64 * 2**20  # bytes of a page
_EMPTY = frozenset({202, 204})  # Accepted, No Content


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
        """Tell whether it changes something; what is batched here only reads, as free time is."""
        return self.method != "GET" and self.path not in _READING

    @property
    def target(self) -> str:
        """Return path and query, quoted, below the API's address."""
        path = "/".join(quote(part, safe="$") for part in self.path)
        query = f"?{urlencode(self.query, quote_via=quote, safe='$')}" if self.query else ""
        return f"/{path}{query}"


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

    async def keep_alive(self) -> None:
        """Have a token, and ask for nothing."""
        await self._tokens()

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

    async def batch(self, asks: Sequence[Ask]) -> list[Part]:
        """Return what each of many reads answers, in order; None for what is not there (MG10).

        What a part is refused for alone stands in its place, after up to three tries of all.
        """
        found = list[Part]()
        for start in range(0, len(asks), MOST_PARTS):
            some = asks[start : start + MOST_PARTS]
            body = batch_body([one.target for one in some], ", ".join(PREFER))
            try:
                found += await retried(partial(self._batched, body), self._clock)
            except PartsError as error:
                found += error.parts
        return found

    async def passed(self, asked: Passed) -> PassedAnswer:
        """Send something of the caller's own, once; return what comes back (K29)."""
        ours = {"Prefer": ", ".join(PREFER)}
        async with self._lanes:
            return await pass_on(self._session, asked, self._tokens, base=self._base, headers=ours)

    async def _batched(self, body: Json) -> list[Part]:
        told = await self.send(Ask(method="POST", path=BATCH, body=body))
        parts = answers_of(told, len(body["requests"]), self._clock.now())
        if any(isinstance(one, PassingError) for one in parts):
            raise PartsError(parts)
        return parts

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
        headers["Prefer"] = ", ".join((*PREFER, *page))
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
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                body = await whole_body(response, _LARGEST)
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
        return URL(self._base + ask.target, encoded=True)

    def _followed(self, link: str) -> URL:
        """Return where a link leads if that is the API's own origin (P12)."""
        try:
            url = URL(link, encoded=True)
            if url.origin() == URL(self._base).origin() and url.user is None:
                return url
        except ValueError:
            pass
        raise MalformedReplyError("Microsoft Graph gave a link that leads away from it")
