"""The connection of one open profile, as exchangelib uses it through requests (O4, O5, ADR 27).

Guarded where a socket is made, capped, in time, without proxies or cookies of the environment;
and it can be cut from another thread, after which nothing more is sent.
"""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from threading import Lock
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from syncd.model.errors import ForbiddenError, MalformedReplyError, TransientError
from syncd.model.outbound import reachable
from syncd.ports.clock import Clock
from syncd.providers.answers import PassingError, UnansweredError

Admits = Callable[[str, int], bool]

_CONNECT_SECONDS, _READ_SECONDS, _TOTAL_SECONDS = 10.0, 60.0, 120.0
_LARGEST = 64 * 2**20  # bytes of an answer
_CHUNK = 64 * 2**10


class Line:
    """What a profile's requests have in common; ``admits`` is the guard (O1).

    One thread sends, any thread may cut.
    """

    def __init__(self, admits: Admits, clock: Clock) -> None:
        """Connect to nothing yet."""
        self._admits = admits
        self._clock = clock
        self._lock = Lock()
        self._live = set[socket.socket]()
        self._cut = False
        self._until = 0.0
        self.writes = False
        self.headers: Mapping[str, str] = {}

    def begin(self, *, writes: bool = False, headers: Mapping[str, str] | None = None) -> None:
        """Give what follows its time; ``writes`` tells that it changes something."""
        self.writes = writes
        self.headers = headers or {}
        self._until = self._clock.monotonic() + _TOTAL_SECONDS

    def check(self) -> None:
        """Raise TransientError if the line is cut, or the time is over."""
        if self._cut:
            raise TransientError("nobody waits for the Exchange server any more")
        if self._clock.monotonic() > self._until:
            raise self.lost("it took too long")

    def cut(self) -> None:
        """Send nothing more, and end what is being waited for."""
        with self._lock:
            self._cut = True
            for one in self._live:
                _shut(one)

    def keep(self, made: socket.socket) -> None:
        """Remember a connection, so that it can be cut."""
        with self._lock:
            self._live = {one for one in self._live if one.fileno() >= 0} | {made}
            if self._cut:
                _shut(made)

    def lost(self, why: object) -> PassingError:
        """Return the error for an answer that did not come, though the request was sent."""
        kind = UnansweredError if self.writes else PassingError
        return kind(f"the Exchange server did not answer: {why}")

    def reach(self, host: str, port: int, *, plain: bool) -> socket.socket:
        """Return a connected socket.

        Raises ForbiddenError if no address of ``host`` may be reached (O1), or only public ones
        in the clear; PassingError if none answers.
        """
        self.check()
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise PassingError(f"{host} is not known: {error}") from None
        failure: OSError | None = None
        for family, kind, protocol, _, target in found:
            address = str(target[0])
            if not self._admits(address, port) or (plain and reachable(address, ())):
                continue
            made = socket.socket(family, kind, protocol)
            made.settimeout(_CONNECT_SECONDS)
            try:
                made.connect(target)
            except OSError as error:
                made.close()
                failure = error
            else:
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return made
        if failure is None:
            why = "without https" if plain else "by syncd"
            raise ForbiddenError(f"{host} port {port} may not be reached {why}")
        raise PassingError(f"{host} cannot be reached: {failure}")


class LineAdapter(HTTPAdapter):
    """Sends over a line; what it raises are errors of the tree."""

    def __init__(self, line: Line) -> None:
        """Make one connection at a time."""
        self._line = line
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - requests'
        """Have every connection made by the line."""
        super().init_poolmanager(*args, **options, ssl_context=_trusted())
        self.poolmanager.pool_classes_by_scheme = _pools(self._line)

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:  # noqa: ANN401, ARG002
        """Trust whom this machine trusts, never less; not the list that requests brings along."""
        conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None

    def send(self, request: Any, *_: object, **__: object) -> Any:  # noqa: ANN401 - requests'
        """Send once and return the whole answer."""
        self._line.check()
        for name, value in self._line.headers.items():
            request.headers.setdefault(name, value)
        waits = (_CONNECT_SECONDS, _READ_SECONDS)
        try:
            response = super().send(request, stream=True, timeout=waits, proxies={})
            self._read(response)
        except requests.exceptions.SSLError as error:
            raise PassingError(f"the connection is not safe: {error}") from error
        except requests.exceptions.InvalidURL as error:
            raise MalformedReplyError(f"the server's address is wrong: {error}") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            self._line.check()
            raise self._line.lost(error) from error
        return response

    def _read(self, response: requests.Response) -> None:
        """Have the body counted, and read it; NTLM must see the connection of a 401 first."""
        response.raw.stream = partial(self._counted, response.raw.stream)
        if response.status_code == 401:  # noqa: PLR2004 - Unauthorized
            return
        try:
            response.content  # noqa: B018 - reads and keeps it
        except BaseException:
            response.close()
            raise

    def _counted(
        self, stream: Callable[..., Iterator[bytes]], *_: object, **__: object
    ) -> Iterator[bytes]:
        """Yield a body, counted after decompression (O4)."""
        size = 0
        for chunk in stream(_CHUNK, decode_content=True):
            self._line.check()
            size += len(chunk)
            if size > _LARGEST:
                most = _LARGEST >> 20
                raise MalformedReplyError(f"the Exchange server answered more than {most} MiB")
            yield chunk


def _pools(line: Line) -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's pools with connections that the line makes."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            made = line.reach(self._dns_host, self.port or 80, plain=True)
            made.settimeout(_READ_SECONDS)
            line.keep(made)
            return made

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return line.reach(self._dns_host, self.port or 443, plain=False)

        def connect(self) -> None:
            super().connect()
            if self.sock is not None:
                line.keep(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def _shut(one: socket.socket) -> None:
    """End a connection under whoever reads from it; over TLS without a word."""
    try:
        socket.socket.shutdown(one, socket.SHUT_RDWR)
    except OSError:  # it is gone already
        return
