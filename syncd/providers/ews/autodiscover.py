"""Which server has a mailbox: Exchange's autodiscover, asked once, at sign-in (E1).

https://learn.microsoft.com/exchange/client-developer/exchange-web-services/autodiscover-for-exchange
The password goes to the domain of the address alone: whom else that names (by a redirect, a
record, an answer) is told to the person, who may type it (D2).
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
from aiohttp import ClientSession, ClientTimeout
from exchangelib import errors as theirs
from exchangelib.properties import UserResponse
from exchangelib.services import GetUserSettings
from lxml.etree import _Element as Element
from requests import Response
from yarl import URL

from syncd.model.errors import (
    InvalidError,
    MalformedReplyError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)
from syncd.providers.ews.calls import NONSENSE, Protocol, soap
from syncd.providers.origins import related
from syncd.providers.srv import hosts_of

PATH = "/autodiscover/autodiscover.svc"
_ADDRESS, _OUTSIDE, _INSIDE = "auto_discover_smtp_address", "external_ews_url", "internal_ews_url"
_TIMEOUT = ClientTimeout(total=10, sock_connect=5)
_MOVED = frozenset({301, 302})
_MOST = 8  # servers that are asked for one address
_FINE = "NoError"
_CLOUD = ("office365.com", "outlook.com", "office.com", "microsoft.com")
IN_CLOUD = "Microsoft 365 and Outlook.com are not reached this way: choose the provider graph."


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a server says of an address: where its mailbox is, or who knows; empty for nothing."""

    endpoint: str = ""
    other_server: str = ""
    other_address: str = ""


Ask = Callable[[URL, str], Awaitable[Told]]  # sign in at a server, and ask it for an address


async def discovered(address: str, session: ClientSession, ask: Ask) -> str:
    """Return the endpoint of the mailbox with this e-mail address.

    Raises InvalidError where nobody says it, or it is not the domain's own, and
    RelinkRequiredError where a server refused the password.
    """
    try:
        home = URL.build(scheme="https", host=address.rpartition("@")[2])
    except ValueError:
        home = URL()
    if not home.host:
        raise InvalidError(f"{address} is no e-mail address.", field="username")
    search = _Search(address, home, ask)
    async for place in _places(home, session):
        if found := await search.at(place):
            return found
    raise search.failure()


class _Search:
    """What was found out on the way."""

    def __init__(self, address: str, home: URL, ask: Ask) -> None:
        self._address = address
        self._home = home
        self._ask = ask
        self._seen = set[URL]()
        self._refused: RelinkRequiredError | None = None
        self._strange: InvalidError | None = None

    async def at(self, place: URL) -> str:
        """Ask one server, and whom it names; empty if it is no such server."""
        if not place.host or place in self._seen or len(self._seen) == _MOST:
            return ""
        self._seen.add(place)
        if not related(self._home, place):
            self._strange = self._strange or _stranger(self._home, place)
            return ""
        try:
            told = await self._ask(place, self._address)
            server, endpoint = URL(told.other_server), URL(told.endpoint)
        except RelinkRequiredError as error:
            self._refused = self._refused or error
            return ""
        except (SyncdError, ValueError):  # this one makes no sense; another one may
            return ""
        if told.other_address:
            raise InvalidError(
                f"The server says that the mailbox is {told.other_address} now: sign in with that "
                "address.",
                field="username",
            )
        if told.other_server:
            return await self.at(server)
        if endpoint.host and not related(self._home, endpoint):
            raise _stranger(self._home, endpoint)
        return told.endpoint if endpoint.host else ""

    def failure(self) -> SyncdError:
        """Return why nothing was found."""
        return (
            self._refused
            or self._strange
            or InvalidError(
                f"{self._home.host} does not say which Exchange server it has. Enter the server's "
                "address, such as https://mail.example.org/EWS/Exchange.asmx.",
                field="url",
            )
        )


async def _places(home: URL, session: ClientSession) -> AsyncIterator[URL]:
    """Yield where autodiscover may be: the usual places, then what redirect and records name."""
    usual = home.with_host(f"autodiscover.{home.raw_host}").with_path(PATH)
    yield usual
    yield home.with_path(PATH)
    plain = usual.with_scheme("http")
    try:
        async with session.get(plain, allow_redirects=False, timeout=_TIMEOUT) as answer:
            moved = answer.headers.get("Location", "") if answer.status in _MOVED else ""
        if moved:
            yield plain.join(URL(moved))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        pass
    for host, port in await hosts_of(f"_autodiscover._tcp.{home.raw_host}"):
        with suppress(ValueError):  # whoever writes records may write anything
            place = URL.build(scheme="https", host=host, port=port, path=PATH)
            yield place


def in_cloud(url: URL) -> bool:
    """Tell whether this is Microsoft's own, which Graph reaches."""
    host = url.host or ""
    return any(host == one or host.endswith(f".{one}") for one in _CLOUD)


def _stranger(home: URL, other: URL) -> InvalidError:
    """Return what is said of a server that is not of the domain of the address."""
    if in_cloud(other):
        return InvalidError(IN_CLOUD, field="url")
    return InvalidError(
        f"{home.host} names {other.host} as its mail server, which is not its own. If your "
        f"Exchange is there, enter {other.host} as the server's address.",
        field="url",
    )


class Settings(GetUserSettings):  # type: ignore[misc]  # exchangelib has no types
    """Autodiscover's one operation; the envelope is read as strictly as elsewhere (P1)."""

    def _get_soap_parts(self, response: Response) -> tuple[Element | None, Element]:
        return soap(response.content)


def user_settings(protocol: Protocol, address: str) -> Told:
    """Ask a server for an address; raises an error of the tree."""
    try:
        told: UserResponse = Settings(protocol=protocol).get(
            users=[address], settings=[_ADDRESS, _OUTSIDE, _INSIDE]
        )
    except SyncdError:
        raise
    except theirs.ErrorServerBusy as error:
        raise TransientError(f"the server is busy: {error}") from error
    except (theirs.EWSError, *NONSENSE) as error:
        raise MalformedReplyError(f"autodiscover makes no sense: {error!r}") from error
    known = told.user_settings or {}
    if told.error_code not in (None, _FINE) and not (told.redirect_url or told.redirect_address):
        raise MalformedReplyError(f"autodiscover answered {told.error_code}")
    return Told(
        endpoint=known.get(_OUTSIDE) or known.get(_INSIDE) or "",
        other_server=told.redirect_url or "",
        other_address=told.redirect_address or "",
    )
