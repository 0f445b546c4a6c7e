"""CalDAV over HTTP: signing in, redirects, tries, limits, and what an answer means."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

import aiohttp
from aiohttp import (
    ClientHandlerType,
    ClientMiddlewareType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    encode_basic_auth,
)
from lxml.etree import _Element
from multidict import CIMultiDict
from yarl import URL

from syncd.model.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    SyncdError,
    SyncTokenExpiredError,
)
from syncd.ports.clock import Clock
from syncd.ports.passing import LARGEST_ANSWER, PassedAnswer, sent_along
from syncd.ports.vault import Secret
from syncd.providers.answers import (
    AbsentError,
    Means,
    PassingError,
    UnansweredError,
    error_of,
    meaning,
    meaning_of_write,
    wait_of,
)
from syncd.providers.caldav import wire
from syncd.providers.caldav.flavour import Flavour
from syncd.providers.caldav.multistatus import (
    SHORT,
    Answer,
    Multistatus,
    conditions,
    whole,
    words_of,
)
from syncd.providers.caldav.plain import check_plain
from syncd.providers.caldav.quirks import Memory, Quirks, Scheme
from syncd.providers.limits import TRIES, retried
from syncd.providers.origins import origin_of

LARGEST_BODY = 25 * 2**20  # bytes of one resource
_LARGEST_ERROR = 64 * 2**10
_CHUNK = 64 * 2**10
_HOPS = 5
_REDIRECTS = frozenset({301, 302, 307, 308})

QUICK = ClientTimeout(total=120, sock_connect=10, sock_read=30)
SLOW = ClientTimeout(total=None, sock_connect=10, sock_read=300)  # a cold server's listing (D10)

T = TypeVar("T")


class UidConflictError(ConflictError):
    """Another resource of the calendar has the UID (RFC 4791 §5.3.2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request; ``once`` is never repeated, as a second time could undo what came between.

    ``verbatim``: whatever comes back is the answer, redirects and refusals too (K29).
    """

    method: str
    url: URL
    body: bytes = b""
    depth: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    writes: bool = False
    once: bool = False
    verbatim: bool = False
    signs_in: bool = False  # the answer tells whether the person is let in
    timeout: ClientTimeout = field(default=QUICK)
    tries: int = TRIES
    with_token: bool = False  # 410 then speaks of the token
    dispensable: bool = False  # who refuses it by a strange status lacks it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A resource's body, byte for byte (P10); None above 25 MiB."""

    etag: str
    raw: bytes | None


class CalDavClient:
    """One login at one server; ``origins`` grows with the servers it was led to (D2)."""

    def __init__(  # noqa: PLR0913 - each is another room's
        self,
        session: ClientSession,
        clock: Clock,
        memory: Memory,
        *,
        username: str,
        password: Secret,
        origins: Iterable[URL],
        flavour: Flavour,
    ) -> None:
        """Sign in with these credentials, at ``origins`` only."""
        self.flavour = flavour
        self._session = session
        self._clock = clock
        self._memory = memory
        self._username = username
        self._password = password
        self.origins = {origin_of(one) for one in origins}

    def quirks(self, url: URL) -> Quirks:
        """Return what is known of the server behind ``url``."""
        return self._memory.of(origin_of(url))

    async def multistatus(self, ask: Ask, shape: Callable[[_Element], T]) -> Answer[T]:
        """Return the answer of a PROPFIND or REPORT, received and parsed whole (P1)."""

        async def read(response: ClientResponse) -> Answer[T]:
            if response.status != 207 or not response.content_type.endswith("xml"):  # noqa: PLR2004
                raise MalformedReplyError(_no_multistatus(response))
            try:
                head = await response.content.readexactly(SHORT + 1)
            except asyncio.IncompleteReadError as ended:
                return whole(ended.partial, shape)
            parsing = Multistatus(shape)
            parsing.feed(head)
            async for chunk in response.content.iter_chunked(_CHUNK):
                parsing.feed(chunk)
                if len(chunk) == _CHUNK:
                    await asyncio.sleep(0)  # what has already come would be parsed in one go
            return parsing.close()

        return await retried(lambda: self._ask(ask, read), self._clock, tries=ask.tries)

    async def fetch(self, url: URL) -> Fetched:
        """Return one resource."""

        async def read(response: ClientResponse) -> Fetched:
            if response.status != 200:  # noqa: PLR2004 - nothing else is a whole body
                raise MalformedReplyError(f"status {response.status} for a resource")
            if response.content_type == "text/html":
                raise MalformedReplyError("a web page came instead of a calendar object")
            raw = await _body(response, LARGEST_BODY + 1)
            kept = raw if len(raw) <= LARGEST_BODY else None
            return Fetched(etag=response.headers.get("ETag", ""), raw=kept)

        # a compressed answer has an etag of its own in Apache and nginx, which no If-Match meets
        ask = Ask(method="GET", url=url, headers={"Accept-Encoding": "identity"})
        return await retried(lambda: self._ask(ask, read), self._clock)

    async def send(self, ask: Ask) -> bytes:
        """Write something; return the body of the answer.

        Raises UnansweredError if it may have been done all the same. After a dropped keep-alive it
        is sent again at once, so that a conditional write can be refused for its own first time.
        """

        async def read(response: ClientResponse) -> bytes:
            return await _body(response, _LARGEST_ERROR)

        return await self._ask(replace(ask, writes=True), read)

    async def passed(self, ask: Ask) -> PassedAnswer:
        """Send something of the caller's own, once; return what comes back (K29)."""

        async def read(response: ClientResponse) -> PassedAnswer:
            body = await _body(response, LARGEST_ANSWER + 1)
            if len(body) > LARGEST_ANSWER:
                raise MalformedReplyError(f"{ask.url.host} answered with more than 16 MiB")
            kind = response.headers.get("Content-Type")
            return PassedAnswer(status=response.status, body=body, content_type=kind)

        return await self._ask(replace(ask, writes=True, once=True, verbatim=True), read)

    async def _ask(self, ask: Ask, read: Callable[[ClientResponse], Awaitable[T]]) -> T:
        """Send, follow, sign in; a dropped keep-alive is repeated once at once."""
        repeated = switched = False
        for _ in range(_HOPS + 3):
            try:
                quirks = await self._admitted(ask.url)
                scheme = quirks.scheme or (Scheme.BASIC if ask.url.scheme == "https" else None)
                async with self._session.request(
                    ask.method,
                    ask.url,
                    data=ask.body or None,
                    headers=self._headers(ask, scheme),
                    timeout=ask.timeout,
                    allow_redirects=False,
                    middlewares=self._between(ask, scheme, quirks),
                ) as response:
                    target = None if ask.verbatim else _target(response)
                    if target is not None:
                        ask = replace(ask, url=self._led(ask.url, target))
                        continue
                    if not switched and _switch(response, scheme, quirks):
                        switched = True
                        continue
                    good = 200 <= response.status <= 299  # noqa: PLR2004 - the success class
                    if not (good or ask.verbatim):
                        raise await self._error(ask, response)
                    return await read(response)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                if isinstance(error, aiohttp.ClientConnectorError) or repeated:
                    raise _unreachable(ask, error) from error
                repeated = True
            except TimeoutError as error:
                lost = UnansweredError if ask.writes else PassingError
                message = f"{ask.url.host} did not answer in time"
                raise lost(message, smaller=True) from error
            except aiohttp.ClientError as error:
                raise _unreachable(ask, error) from error
        raise MalformedReplyError(f"{ask.url.host} redirects more than {_HOPS} times")

    async def _admitted(self, url: URL) -> Quirks:
        """Return what is known of a server that may be asked; raises MalformedReplyError."""
        origin = origin_of(url)
        if origin not in self.origins:
            raise MalformedReplyError(f"{url.host} is not the server of this profile")
        quirks = self._memory.of(origin)
        if url.scheme == "http" and not quirks.plain_allowed:
            await check_plain(url)
            quirks.plain_allowed = True
        return quirks

    def _headers(self, ask: Ask, scheme: Scheme | None) -> CIMultiDict[str]:
        headers = CIMultiDict(sent_along() if ask.writes else {})
        if ask.body and not ask.verbatim:
            headers["Content-Type"] = 'application/xml; charset="utf-8"'
        headers.update(ask.headers)
        if ask.depth is not None:
            headers["Depth"] = ask.depth
        if scheme is Scheme.BASIC:
            word = encode_basic_auth(self._username, self._password.reveal(), "utf-8")
            headers["Authorization"] = word
        return headers

    def _between(
        self, ask: Ask, scheme: Scheme | None, quirks: Quirks
    ) -> tuple[ClientMiddlewareType, ...]:
        between: tuple[ClientMiddlewareType, ...] = (_once,) if ask.once else ()
        if scheme is Scheme.DIGEST:
            return quirks.digest(self._username, self._password), *between
        return between

    def _led(self, url: URL, target: str) -> URL:
        try:
            other = url.join(URL(target, encoded=True))
            origin = other.origin()
        except ValueError:
            raise MalformedReplyError(f"{url.host} redirects to no address") from None
        self.trust(origin)
        return other

    def trust(self, url: URL) -> None:
        """Let credentials go to where the server led; raises ForbiddenError for a stranger."""
        origin = origin_of(url)
        if not any(self.flavour.trusts(known, origin) for known in self.origins):
            raise ForbiddenError(
                f"the server leads to {origin}, which is another server: enter that address if "
                "you trust it"
            )
        self.origins.add(origin)

    async def _error(self, ask: Ask, response: ClientResponse) -> SyncdError:
        status, header = response.status, response.headers.get("Retry-After")
        message = f"{ask.url.host} answered {ask.method} with status {status}"
        body = await _body(response, _LARGEST_ERROR)
        named = conditions(body)
        if ask.writes:
            return self._refused(response, message, named, words_of(body, response.content_type))
        if wire.VALID_SYNC_TOKEN in named or (status == 410 and ask.with_token):  # noqa: PLR2004
            return SyncTokenExpiredError(message)
        means = meaning(status, wait_named=header is not None)
        if wire.SUPPORTED_REPORT in named or (ask.dispensable and means is Means.MALFORMED):
            return AbsentError(message)
        if means is Means.FORBIDDEN and ask.signs_in and self.flavour.forbids_strangers:
            means = Means.REFUSED
        return error_of(means, message, retry_after=wait_of(header, self._clock.now()))

    def _refused(
        self, response: ClientResponse, message: str, named: frozenset[str], words: str
    ) -> SyncdError:
        """Return what a refused write means, in the server's own words (RFC 4791 §5.3.2.1)."""
        told = sorted(tag.rpartition("}")[2] for tag in named)
        if told or words:
            message += f" ({'; '.join(filter(None, [', '.join(told), words]))})"
        header = response.headers.get("Retry-After")
        means = meaning_of_write(response.status, wait_named=header is not None)
        if wire.NO_UID_CONFLICT in named:
            return UidConflictError(message)
        if named & wire.BAD_OBJECT:
            return InvalidError(message)
        return error_of(means, message, retry_after=wait_of(header, self._clock.now()))


async def _body(response: ClientResponse, most: int) -> bytes:
    """Return at most ``most`` bytes of a body, counted after decompression (O4)."""
    found = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        found += chunk
        if len(found) >= most:
            break
    return bytes(found[:most])


def _switch(response: ClientResponse, scheme: Scheme | None, quirks: Quirks) -> bool:
    """Choose how to sign in by what the server offers; tell whether to ask again.

    Over plain http the first request goes without credentials, so that a server with Digest
    never sees the password.
    """
    if response.status != 401:  # noqa: PLR2004 - Unauthorized
        if scheme is None:
            quirks.scheme = Scheme.BASIC
        return scheme is None
    offered = _offered(response)
    if scheme in offered or not offered:
        return False
    quirks.scheme = Scheme.BASIC if Scheme.BASIC in offered else Scheme.DIGEST
    return True


def _target(response: ClientResponse) -> str | None:
    return response.headers.get("Location") if response.status in _REDIRECTS else None


def _offered(response: ClientResponse) -> frozenset[Scheme]:
    challenges = " , ".join(response.headers.getall("WWW-Authenticate", [])).lower()
    words = {part.split()[0] for part in challenges.split(",") if part.split()}
    return frozenset(one for one in Scheme if one.value in words)


def _no_multistatus(response: ClientResponse) -> str:
    if response.content_type == "text/html":
        return f"{response.url.host} answered with a web page, not with a calendar service"
    return f"{response.url.host} answered status {response.status}, not with a multistatus"


async def _once(request: ClientRequest, send: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from repeating a request of which it does not know whether it arrived."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        raise UnansweredError(f"{request.url.host} closed the connection") from error


def _unreachable(ask: Ask, error: aiohttp.ClientError) -> SyncdError:
    """Return what a failed connection means; EACCES is the address guard's refusal (O1)."""
    url = ask.url
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno == errno.EACCES:
        return ForbiddenError(
            f"{url.host} is at an address that may not be reached; for a server in a private "
            "network the operator lists it under [outbound] allow_private"
        )
    if isinstance(error, aiohttp.ClientResponseError):
        return MalformedReplyError(f"what {url.host} answered is no HTTP")
    sent = ask.writes and not isinstance(error, aiohttp.ClientConnectorError)
    lost = UnansweredError if sent else PassingError
    return lost(f"{url.host} cannot be reached ({_why(error)})")


def _why(error: aiohttp.ClientError) -> str:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "no such host name"
        case aiohttp.ClientSSLError():
            return "its TLS certificate or protocol is not accepted"
        case aiohttp.ClientConnectorError():
            return "no connection"
        case aiohttp.ClientPayloadError():
            return "the answer broke off"
        case _:
            return "the connection broke"


@lru_cache(maxsize=4096)  # the same few in each poll
def below(base: URL, path: str) -> URL:
    """Return the address of a canonical path, or of an absolute address, seen from ``base``."""
    return base.join(URL(path, encoded=True))
