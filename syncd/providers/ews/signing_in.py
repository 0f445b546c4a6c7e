"""Signing in at an Exchange server: how it wants to be spoken to, and whose mailbox it is."""

import errno
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import aiohttp
from aiohttp import ClientSession, ClientTimeout
from exchangelib.version import Version
from lxml.etree import _Element as Element
from yarl import URL

from syncd.formats.zones import iana
from syncd.model.errors import (
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    NotFoundError,
    SyncdError,
    TransientError,
)
from syncd.model.own import ADDRESSES
from syncd.ports.link import SIGN_IN_URL, Login, SignedIn
from syncd.ports.vault import PASSWORD, Secret
from syncd.providers.ews import folders, payloads
from syncd.providers.ews.autodiscover import IN_CLOUD, Told, discovered, in_cloud
from syncd.providers.ews.calls import BASIC, BEARER, FIRST_VERSION, NTLM, write_version
from syncd.providers.ews.client import EwsClient
from syncd.providers.ews.refusals import StrangeError
from syncd.providers.ews.sentences import sentence
from syncd.providers.ews.xml import child, children, text

AUTH, VERSION, ZONE = "auth", "version", "zone"  # of Profile.settings (E1, E11)
_PATH = "/EWS/Exchange.asmx"
_TIMEOUT = ClientTimeout(total=30, sock_connect=10, sock_read=20)
_MOST_NAMES = 20  # people of like names that are looked at
_UNSAFE_PORTS, _WEB_PORTS = range(1024), frozenset({80, 443})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A login at an endpoint, and how to speak there."""

    url: str
    auth: str
    version: Version
    username: str
    password: Secret


Connect = Callable[[Place], AbstractAsyncContextManager[EwsClient]]


async def sign_in(login: Login, session: Callable[[], ClientSession], connect: Connect) -> SignedIn:
    """Obey ``Linker.sign_in``; errors are sentences."""
    _check_name(login)
    host = login.username.rpartition("@")[2]
    try:
        url = await _server(login, session(), connect)
        host = url.host or ""
        place = await _place(login, session(), url)
        return await _looked_around(place, {PASSWORD: login.password}, connect)
    except SyncdError as error:
        raise sentence(error, host) from error


async def sign_in_with_grant(
    login: Login, secrets: Mapping[str, Secret], connect: Connect
) -> SignedIn:
    """Do the same with an access token, at the server that was typed; ``secrets`` are sealed."""
    _check_name(login)
    url = endpoint(login.url)
    place = Place(
        url=str(url),
        auth=BEARER,
        version=FIRST_VERSION,
        username=login.username,
        password=Secret(""),
    )
    try:
        return await _looked_around(place, secrets, connect)
    except SyncdError as error:
        raise sentence(error, url.host or "") from error


def _check_name(login: Login) -> None:
    if not login.username.strip():
        raise InvalidError("Enter your user name.", field="username")


async def _looked_around(place: Place, secrets: Mapping[str, Secret], connect: Connect) -> SignedIn:
    async with connect(place) as client:
        address = await _address(client, place.username)
        zone = await _zone(client)
        version = write_version(client.version)
    return SignedIn(
        identity=address.casefold(),
        login=place.username,
        secrets=secrets,
        settings={
            SIGN_IN_URL: place.url,
            AUTH: place.auth,
            VERSION: version,
            ADDRESSES: address,
            ZONE: zone,
        },
    )


def endpoint(typed: str) -> URL:
    """Read what a person typed: the endpoint, or the server alone; raises InvalidError."""
    given = typed.strip()
    if not given:
        raise InvalidError(
            f"Enter the address of your Exchange server, such as https://mail.example.org{_PATH}.",
            field="url",
        )
    try:
        url = URL(given if "://" in given else f"https://{given}")
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host or url.user or url.password:
        raise InvalidError(f"{given} is not the address of a server.", field="url")
    if url.port in _UNSAFE_PORTS and url.port not in _WEB_PORTS:
        raise InvalidError(f"Port {url.port} cannot be used for a mail server.", field="url")
    if in_cloud(url):
        raise InvalidError(IN_CLOUD, field="url")
    plain = url.with_query(None).with_fragment(None)
    return plain if plain.path.strip("/") else plain.with_path(_PATH)


async def _server(login: Login, session: ClientSession, connect: Connect) -> URL:
    """Return the endpoint that was typed, or that the domain of the address names."""
    if login.url.strip() or "@" not in login.username:
        return endpoint(login.url)

    async def ask(at: URL, address: str) -> Told:
        async with connect(await _place(login, session, at)) as client:
            return await client.settings(address)

    return endpoint(await discovered(login.username.strip(), session, ask))


async def _place(login: Login, session: ClientSession, url: URL) -> Place:
    return Place(
        url=str(url),
        auth=await _offered(session, url),
        version=FIRST_VERSION,
        username=login.username,
        password=login.password,
    )


async def _offered(session: ClientSession, url: URL) -> str:
    """Return how the endpoint wants to be signed in to; over https the simpler way is taken."""
    try:
        async with session.get(url, allow_redirects=False, timeout=_TIMEOUT) as answer:
            status, offers = answer.status, answer.headers.getall("WWW-Authenticate", [])
    except aiohttp.ClientConnectorError as error:
        if error.os_error.errno == errno.EACCES:
            raise ForbiddenError(f"{url.host} may not be reached by syncd") from error
        raise TransientError(f"{url.host} cannot be reached: {error}") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TransientError(f"{url.host} did not answer: {error}") from error
    words = {one.strip().split(" ")[0].casefold() for row in offers for one in row.split(",")}
    if status == 404:  # noqa: PLR2004 - Not Found
        raise NotFoundError("there is no Exchange Web Services at this address")
    if status == 429 or status >= 500:  # noqa: PLR2004 - later
        raise TransientError(f"the Exchange server answered {status}")
    if status != 401:  # noqa: PLR2004 - Unauthorized, as a server with people must say
        raise MalformedReplyError(f"the server answered {status} and asks for no sign-in")
    if BASIC in words:
        return BASIC
    if words & {"ntlm", "negotiate"}:
        return NTLM
    raise InvalidError(
        f"The server {url.host} takes no passwords; syncd signs in by Basic and NTLM.", field="url"
    )


async def _address(client: EwsClient, username: str) -> str:
    """Return the address of the mailbox that this login has (P15).

    Who bears a name is looked up; which of them it is tells the calendar's id, which is the same
    whether it is asked for as one's own or as that of an address.
    """
    own = await folders.of_mailbox(client, payloads.CALENDAR)
    name = username.rpartition("\\")[2].strip()
    async for address in _candidates(client, name):
        if own is not None and await folders.of_mailbox(client, payloads.CALENDAR, address) == own:
            return address
    raise InvalidError(
        f"The server does not say which mailbox {username} has. Sign in with the e-mail address.",
        field="username",
    )


async def _zone(client: EwsClient) -> str:
    """Return the zone that the person chose for the mailbox, empty if that is not told (E11)."""
    try:
        message = await client.read(payloads.get_options)
    except (NotFoundError, ForbiddenError, MalformedReplyError, StrangeError):
        return ""  # who never opened Outlook on the web has chosen none
    dictionary = child(message, "UserConfiguration", "Dictionary")
    for entry in children(dictionary, "DictionaryEntry"):
        if text(entry, "DictionaryKey", "Value") == "timezone":
            name = text(entry, "DictionaryValue", "Value") or ""
            return name if iana(name) else ""
    return ""


async def _candidates(client: EwsClient, name: str) -> AsyncIterator[str]:
    try:
        message = await client.read(lambda: payloads.resolve_names(name))
    except NotFoundError:
        message = None
    for address in list(_addresses(message))[:_MOST_NAMES]:
        yield address
    if "@" in name:
        yield name


def _addresses(message: Element | None) -> Iterable[str]:
    for one in children(child(message, "ResolutionSet"), "Resolution"):
        address = text(one, "Mailbox", "EmailAddress") or ""
        if "@" in address:
            yield address
