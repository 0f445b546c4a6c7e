"""Finding a person's calendars from what was typed (RFC 6764, RFC 5397, RFC 4791 §6.2.1; D1)."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from yarl import URL

from syncd.model.errors import (
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)
from syncd.model.own import ADDRESSES
from syncd.ports.link import SIGN_IN_URL, Login, SignedIn
from syncd.ports.vault import PASSWORD
from syncd.providers.caldav import wire
from syncd.providers.caldav.client import Ask, CalDavClient
from syncd.providers.caldav.srv import announced
from syncd.providers.caldav.translate import address_of

HOMES, INBOX, ORIGINS = "homes", "inbox", "origins"  # of Profile.settings; blanks between URLs
PRINCIPAL = "principal"  # the same: who signed in
BOOKS = "books"  # the same, of address books; empty if there were none, absent if not looked for
_GOOGLE = ("google.com", "googleusercontent.com", "googleapis.com", "gmail.com", "googlemail.com")
_BLANKS = frozenset(" \t\r\n")
_MOST_ADDRESSES = 50
_ELSEWHERE = (NotFoundError, MalformedReplyError, ForbiddenError)
_NOTHING = (*_ELSEWHERE, RelinkRequiredError)
_UNSAFE_PORTS = range(1024)
_WEB_PORTS = frozenset({80, 443})


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where to look, in this order; the first is what was typed.

    A ``domain``, typed as no more than that, may name its servers itself, and is asked first.
    """

    given: URL
    others: Sequence[URL]
    domain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A principal, and the address that led to it."""

    principal: URL
    at: URL


def start_of(login: Login) -> Start:
    """Read what a person typed; raises InvalidError with a sentence that says what is wrong."""
    text = login.url.strip() or login.username.rpartition("@")[2].strip()
    if not login.url.strip() and "@" not in login.username:
        raise InvalidError(
            "Enter the address of your calendar server, such as https://dav.example.com/.",
            field="url",
        )
    try:
        url = URL(text if "://" in text else f"https://{text}")
    except ValueError:
        raise _no_address(text) from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise _no_address(text)
    if url.user or url.password:
        raise InvalidError(
            "Leave name and password out of the address; they have fields of their own.",
            field="url",
        )
    if url.port in _UNSAFE_PORTS and url.port not in _WEB_PORTS:
        raise InvalidError(f"Port {url.port} cannot be used for a calendar server.", field="url")
    if any(url.host == one or url.host.endswith(f".{one}") for one in _GOOGLE):
        raise InvalidError(
            "Google calendars cannot be connected through CalDAV: choose the provider google.",
            field="url",
        )
    bare = "://" not in text and url.path == "/" and url.explicit_port is None
    domain = url.raw_host if bare else None
    return _start(url.with_query(None).with_fragment(None), domain or "")


def _start(given: URL, domain: str = "") -> Start:
    root = given.origin()
    others = [root / ".well-known/caldav", root.with_path("/")]
    return Start(given=given, others=[one for one in others if one != given], domain=domain)


async def discover(login: Login, connect: Callable[[URL], CalDavClient]) -> SignedIn:
    """Sign in and find the calendar homes; errors are sentences (``Linker.sign_in``)."""
    if not login.username.strip():
        raise InvalidError("Enter your user name.", field="username")
    if not login.password.reveal():
        raise InvalidError("Enter your password.", field="password")
    if ":" in login.username:
        raise InvalidError("A user name cannot hold a colon.", field="username")
    start = start_of(login)
    client = connect(start.given)
    try:
        return await _Search(client).sign_in(login, start)
    except SyncdError as error:
        raise client.flavour.sentence(error, start.given.host or "") from error


async def find_books(client: CalDavClient, start: URL) -> Sequence[URL]:
    """Return the homes of a signed-in person's address books; none where there are none (D26).

    ``start`` is the address that the person signed in at. Raises TransientError, which proves
    nothing.
    """
    search = _Search(client)
    try:
        found = await search.principal(_start(start))
        homes = await search.book_homes(found.principal)
    except _NOTHING:
        homes = []
    return homes or await search.books_elsewhere(start)


class _Search:
    def __init__(self, client: CalDavClient) -> None:
        self._client = client

    async def sign_in(self, login: Login, start: Start) -> SignedIn:
        led = await self.principal(start)
        principal = led.principal
        self._client.trust(principal)
        found = await self.ask(principal, wire.HOMES)
        homes = [self._led(principal, href) for one in found for href in one.homes]
        if not homes:
            raise NotFoundError("no calendar home")
        settings = {SIGN_IN_URL: str(led.at)}
        with suppress(SyncdError):  # looked for again by polls
            books = [self._led(principal, href) for one in found for href in one.book_homes]
            books = books or await self.books_elsewhere(led.at)
            settings[BOOKS] = " ".join(str(one) for one in books)
        inboxes = [self._led(principal, one.inbox) for one in found if one.inbox is not None]
        settings |= {
            PRINCIPAL: str(principal),
            HOMES: " ".join(str(one) for one in homes),
            INBOX: " ".join(str(one) for one in inboxes[:1]),
            ORIGINS: " ".join(sorted(str(one) for one in self._client.origins)),
            ADDRESSES: _addresses(found),
        }
        return SignedIn(
            identity=f"{principal} {login.username}",
            login=login.username,
            secrets={PASSWORD: login.password},
            name=next((one.name for one in found if one.name is not None), None),
            settings=settings,
        )

    async def book_homes(self, principal: URL) -> list[URL]:
        found = await self.ask(principal, wire.BOOK_HOMES)
        return [self._led(principal, href) for one in found for href in one.book_homes]

    async def books_elsewhere(self, start: URL) -> list[URL]:
        """Return the homes that another principal has, the one of the service's CardDAV (D1)."""
        at = self._client.flavour.books or start.origin() / ".well-known/carddav"
        try:
            self._client.trust(at)
            principal = await self._current(at)
            return [] if principal is None else await self.book_homes(principal)
        except _NOTHING:
            return []

    async def principal(self, start: Start) -> Found:
        """Return the principal; a refusal of the address as typed is the last word."""
        failure: SyncdError = NotFoundError("no principal")
        told = await announced(start.domain) if start.domain else ()
        for url in told:  # a domain that names its servers may have others for its pages
            try:
                self._client.trust(url)
                if (principal := await self._current(url)) is not None:
                    return Found(principal=principal, at=url)
            except (*_ELSEWHERE, TransientError) as error:
                failure = _worse(failure, error)
        passing = (TransientError,) if told else ()
        for url in (start.given, *start.others):
            refusal = (RelinkRequiredError,) if told or url != start.given else ()
            try:
                if (principal := await self._current(url)) is not None:
                    return Found(principal=principal, at=start.given)
            except (*_ELSEWHERE, *refusal, *passing) as error:
                failure = _worse(failure, error)
        raise failure

    async def _current(self, url: URL) -> URL | None:
        found = await self.ask(url, wire.PRINCIPAL)
        hrefs = [one.principal for one in found if one.principal is not None]
        return self._led(url, hrefs[0]) if hrefs else None

    async def ask(self, url: URL, body: bytes) -> Sequence[wire.Place]:
        ask = Ask(method="PROPFIND", url=url, body=body, depth="0", tries=1, signs_in=True)
        return (await self._client.multistatus(ask, wire.place)).items

    def _led(self, base: URL, href: str) -> URL:
        """Return where a href leads; credentials may follow it only by D2."""
        target = URL(address_of(href, str(base)), encoded=True)
        self._client.trust(target)
        return target


def _addresses(found: Sequence[wire.Place]) -> str:
    """Return whom attendees name as this person (RFC 6638 §2.4.1), bounded."""
    named = dict.fromkeys(one for place in found for one in place.addresses)
    return " ".join([one for one in named if not set(one) & _BLANKS][:_MOST_ADDRESSES])


def _worse(one: SyncdError, other: SyncdError) -> SyncdError:
    """Return which failure says more to a person: a refused password, then a web page."""
    order = (
        *(RelinkRequiredError, ForbiddenError, TransientError),
        *(MalformedReplyError, NotFoundError),
    )
    rank = {kind: place for place, kind in enumerate(order)}
    ranked = [
        min(rank[kind] for kind in order if isinstance(error, kind)) for error in (one, other)
    ]
    return one if ranked[0] <= ranked[1] else other


def _no_address(text: str) -> InvalidError:
    return InvalidError(
        f"“{text}” is no address of a server; it looks like https://dav.example.com/.",
        field="url",
    )
