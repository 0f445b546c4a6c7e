"""Exchange's operations through exchangelib: sessions, sign-in, SOAP and versions are its own.

What is inside the envelope is ours (ADR 27): its objects forgive what they cannot read, and a
page that was not understood whole must not count (P1).
"""

import logging
import struct
from functools import cache
from typing import Any

import requests
from exchangelib import UTC, Configuration, Credentials, EWSTimeZone
from exchangelib import errors as theirs
from exchangelib.protocol import BaseProtocol, FailFast
from exchangelib.services.common import EWSService
from exchangelib.transport import NOAUTH
from exchangelib.version import EXCHANGE_2013_SP1, Build, Version
from lxml import etree
from lxml.etree import _Element as Element
from requests.auth import AuthBase, HTTPBasicAuth
from spnego.exceptions import SpnegoError

from syncd import __version__
from syncd.model.errors import MalformedReplyError, MisconfiguredError, SyncdError
from syncd.ports.clock import Clock
from syncd.ports.vault import Secret
from syncd.providers.answers import wait_of
from syncd.providers.ews.line import Line, LineAdapter
from syncd.providers.ews.refusals import Refused, refusal, status_refusal
from syncd.providers.ews.xml import TYPES, attribute, child, legible, text

BASIC, NTLM = "basic", "NTLM"  # as exchangelib calls them
BEARER = "bearer"  # a token of ours: exchangelib is told that nobody signs in
FIRST_VERSION = Version(build=EXCHANGE_2013_SP1)  # until the server has said its own
NONSENSE = (SpnegoError, requests.RequestException, OSError, ValueError, LookupError, struct.error)
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
_FINE = frozenset({"ErrorNameResolutionMultipleResults"})  # a warning with what was asked for (E12)

logging.getLogger("exchangelib").setLevel(logging.CRITICAL + 1)  # it logs whole requests


class Verdict(FailFast):  # type: ignore[misc]  # exchangelib has no types
    """Judges answers by their status (E2); ``back_off`` is what the last one named (E3)."""

    def __init__(self, line: Line, clock: Clock) -> None:
        """Judge what comes over ``line``."""
        self._line = line
        self._clock = clock
        self.back_off: int | None = None

    def raise_response_errors(self, response: requests.Response) -> None:
        """Raise an error of the tree, or nothing for an answer that is to be parsed."""
        status, kind = response.status_code, response.headers.get("Content-Type", "")
        if status >= 500 and "xml" in kind and _fault(response.content):  # noqa: PLR2004
            return
        header = response.headers.get("Retry-After")
        wait = wait_of(header, self._clock.now())
        found = status_refusal(
            status, wait=wait, waits=header is not None, writes=self._line.writes
        )
        if found is not None:
            raise found
        if "xml" not in kind:
            raise MalformedReplyError(f"the Exchange server answered with {kind or 'no type'}")


class Bearer(AuthBase):
    """Signs in with an access token, which may be replaced between two requests (RFC 6750)."""

    def __init__(self) -> None:
        """Know no token yet."""
        self.token = ""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token."""
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class Protocol(BaseProtocol):  # type: ignore[misc]  # exchangelib has no types
    """One profile's endpoint; exchangelib would keep its own for ever, by name and password."""

    USERAGENT = f"syncd/{__version__}"

    def __init__(self, config: Configuration, line: Line) -> None:
        """Send over ``line``."""
        super().__init__(config)
        self._line = line
        self.bearer = Bearer()

    @property
    def version(self) -> Version:
        """Return what the profile knows of the server (E1)."""
        return self.config.version

    def create_session(self) -> requests.Session:
        """Return a session that is signed in; names and passwords go as UTF-8 (RFC 7617)."""
        session: requests.Session = super().create_session()
        if self.credentials is None:
            session.auth = self.bearer
        elif self.auth_type == BASIC:
            known = self.credentials
            session.auth = HTTPBasicAuth(known.username.encode(), known.password.encode())
        return session

    def raw_session(self, prefix: str, **_: object) -> requests.Session:
        """Return a session that can reach this endpoint and nothing else (P12)."""
        session = requests.Session()
        session.trust_env = False
        session.adapters.clear()
        session.mount(prefix, LineAdapter(self._line))
        session.headers.update({"User-Agent": self.USERAGENT, "Accept": "text/xml"})
        session.headers["Content-Type"] = "text/xml; charset=utf-8"
        return session


class Call(EWSService):  # type: ignore[misc]  # exchangelib has no types
    """One operation; what it returns are the response messages, or why there is none."""

    ERRORS_TO_CATCH_IN_RESPONSE = (theirs.EWSError,)
    WARNINGS_TO_CATCH_IN_RESPONSE = (theirs.EWSError,)
    fixed = True  # the version that the profile knows, and no other (E1)

    def ask(self, payload: Element) -> list[Element | SyncdError]:
        """Send ``payload``; raises an error of the tree for a fault, or no answer."""
        try:
            found = list(self._response_generator(payload=payload))  # no waiting, no repeats (E2)
        except SyncdError:
            raise
        except theirs.EWSError as error:
            raise self._told(error) from error
        except NONSENSE as error:
            raise MalformedReplyError(f"the Exchange server makes no sense: {error!r}") from error
        return [self._told(one) if isinstance(one, Exception) else one for one in found]

    def _told(self, error: Exception) -> SyncdError:
        """Return the error of the tree; exchangelib names its classes as Exchange its codes."""
        name = type(error).__name__
        code = name if name.startswith("Error") else ""
        protocol: Any = self.protocol
        given = Refused(
            code=code or "something unknown",
            message=str(error),
            back_off=protocol.retry_policy.back_off,
            writes=protocol._line.writes,  # noqa: SLF001 - ours
        )
        return refusal(given)

    @property
    def _timezone(self) -> EWSTimeZone:
        """Ask for times in UTC (E11)."""
        return UTC

    def _api_versions_to_try(self) -> tuple[str, ...]:
        known: tuple[str, ...] = super()._api_versions_to_try()
        return known[:1] if self.fixed else known

    def _get_soap_parts(self, response: requests.Response) -> tuple[Element | None, Element]:
        header, body = soap(response.content)
        told = body.find(f".//{{{TYPES}}}Value[@Name='BackOffMilliseconds']")
        value = (told.text or "").strip() if told is not None else ""
        self.protocol.retry_policy.back_off = int(value[:9]) if value.isdecimal() else None
        fault = f"{{{_SOAP}}}Fault"
        if body[0].tag not in (self._response_tag(), fault):
            raise MalformedReplyError(f"{self.SERVICE_NAME} was answered with {body[0].tag}")
        return header, body

    def _get_elements_in_response(self, response: list[Element]) -> Any:  # noqa: ANN401 - theirs
        if not response:
            raise MalformedReplyError(f"{self.SERVICE_NAME} was answered with no message")
        for message in response:
            code = text(message, "ResponseCode")
            kind = attribute(message, "ResponseClass")
            if (kind, code) == ("Success", "NoError") or code in _FINE:
                yield message
            elif kind in ("Error", "Warning") and code not in (None, "NoError"):
                yield self._get_element_container(message=message)
            else:
                raise MalformedReplyError(f"{self.SERVICE_NAME} was answered {kind} {code}")


def call(name: str, protocol: Protocol, *, fixed: bool = True) -> Call:
    """Return the operation of a name."""
    found: Call = _kind(name, fixed=fixed)(protocol=protocol)
    return found


@cache
def _kind(name: str, *, fixed: bool) -> type[Call]:
    """Return the class of an operation, as exchangelib has one for each."""
    made: type[Call] = type(name, (Call,), {"SERVICE_NAME": name, "fixed": fixed})
    return made


def protocol_of(  # noqa: PLR0913 - all that exchangelib would else ask for
    *,
    url: str,
    credentials: tuple[str, Secret],
    auth: str,
    version: Version,
    line: Line,
    clock: Clock,
) -> Protocol:
    """Return an endpoint that sends nothing to find out how to speak there (E1)."""
    username, password = credentials
    ours = auth == BEARER
    config = Configuration(
        service_endpoint=url,
        credentials=None if ours else Credentials(username, password.reveal()),
        auth_type=NOAUTH if ours else auth,
        version=version,
        retry_policy=Verdict(line, clock),
        max_connections=1,
    )
    return Protocol(config, line)


def write_version(version: Version) -> str:
    """Return a version of a server as the profile keeps it."""
    build = version.build
    parts = (build.major_version, build.minor_version, build.major_build, build.minor_build)
    return f"{'.'.join(map(str, parts))} {version.api_version}"


def read_version(told: str) -> Version:
    """Read what ``write_version`` wrote; raises MisconfiguredError for anything else."""
    numbers, _, name = told.partition(" ")
    try:
        return Version(build=Build(*map(int, numbers.split("."))), api_version=name)
    except (TypeError, ValueError) as error:
        raise MisconfiguredError(f"{told!r} is no version of Exchange: relink it") from error


def soap(content: bytes) -> tuple[Element | None, Element]:
    """Return header and body of a SOAP answer that came whole; raises MalformedReplyError."""
    root = _envelope(content)
    body = child(root, "Body")
    if body is None or len(body) != 1:
        raise MalformedReplyError("what the Exchange server answered is no SOAP")
    return child(root, "Header"), body


def _envelope(content: bytes) -> Element:
    """Return a SOAP envelope that came whole; raises MalformedReplyError."""
    try:
        root = _parsed(content)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedReplyError(f"what the Exchange server answered is no XML: {error}") from None
    if root.tag != f"{{{_SOAP}}}Envelope" or root.getroottree().docinfo.internalDTD is not None:
        raise MalformedReplyError("what the Exchange server answered is no SOAP")
    return root


def _parsed(content: bytes) -> Element:
    try:
        return etree.fromstring(content, _PARSER)
    except etree.XMLSyntaxError:
        readable = legible(content)
        if readable == content:
            raise
    return etree.fromstring(readable, _PARSER)


def _fault(content: bytes) -> bool:
    try:
        return child(_envelope(content), "Body", "Fault") is not None
    except MalformedReplyError:
        return False
