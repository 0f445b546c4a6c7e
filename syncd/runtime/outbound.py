"""HTTP sessions for addresses that users name; every connection passes the guard (O1-O4).

The guard stands where a socket is made, so it sees the address that is really used: literals and
names that change their address between look-up and connection pass through it alike.
"""

import errno
import socket
from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_address

from aiohttp import AddrInfoType, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from syncd import __version__
from syncd.model.outbound import Network, reachable

TIMEOUT = ClientTimeout(total=120, sock_connect=10, sock_read=30)
_LOW_PORTS = frozenset({80, 443})
_FIRST_FREE_PORT = 1024
_IDLE = timedelta(seconds=15)
PUSH_IDLE = timedelta(seconds=1.5)  # servers end idle connections after 2 s (gunicorn), 5 s (most);
# a POST that meets such an end is lost, and nobody may send it again unasked (RFC 9110 §9.2.2)
_AT_ONCE = 64
_AT_ONCE_A_HOST = 8


class Guard:
    """Decides for each address before a connection is tried.

    ``allow`` is ``[outbound] allow_private``; ``listen`` our own address, which is never reached.
    """

    def __init__(self, allow: Sequence[Network], listen: tuple[str, int] | None = None) -> None:
        """Keep the rules."""
        self._allow = tuple(allow)
        self._listen = listen

    def __call__(self, address: AddrInfoType) -> socket.socket:
        """Return a socket for this address; raises OSError (EACCES) if it may not be reached."""
        family, kind, protocol, _, target = address
        host, port = str(target[0]), int(target[1])
        if not self.admits(host, port):
            raise PermissionError(errno.EACCES, f"{host} port {port} may not be reached")
        return socket.socket(family=family, type=kind, proto=protocol)

    def admits(self, host: str, port: int) -> bool:
        """Tell whether a connection may be tried; ``host`` is an address, never a name."""
        if port not in _LOW_PORTS and port < _FIRST_FREE_PORT:
            return False
        return not self._is_ours(host, port) and reachable(host, self._allow)

    def _is_ours(self, host: str, port: int) -> bool:
        if self._listen is None or port != self._listen[1]:
            return False
        address = ip_address(host.split("%", maxsplit=1)[0])
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_unspecified or address.is_loopback or str(address) == self._listen[0]:
            return True
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IP version
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((str(address), 0))  # only an address of this machine can be bound
            except OSError:
                return False
        return True


def session(guard: Guard, *, idle: timedelta = _IDLE) -> ClientSession:
    """Return a session without proxy, cookies or redirect of its own making; the caller closes it.

    Its time-outs are the usual ones; a request that reads longer brings its own. A connection is
    used again within ``idle`` of its last answer.
    """
    connector = TCPConnector(
        socket_factory=guard,
        limit=_AT_ONCE,
        limit_per_host=_AT_ONCE_A_HOST,
        ttl_dns_cache=60,
        keepalive_timeout=idle.total_seconds(),
    )
    return ClientSession(
        connector=connector,
        timeout=TIMEOUT,
        trust_env=False,
        cookie_jar=DummyCookieJar(),
        headers={"User-Agent": f"syncd/{__version__}"},
    )
