"""What can be told from a URL alone about pushing to it (api.md N14, C13; O1-O3): pure."""

from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from syncd.model.errors import InvalidError

Admits = Callable[[str, int], bool]  # whether an address and port may be reached

_LOW_PORTS = frozenset({80, 443})
_FIRST_FREE_PORT = 1024
_LONGEST = 2048
_PORTS = {"http": 80, "https": 443}


def check_url(url: str, admits: Admits) -> None:
    """Refuse what can never be delivered to, InvalidError.

    What a name stands for is seen at each connection, an address is seen here too.
    """
    if not url.isprintable() or any(map(str.isspace, url)):  # urlsplit would drop some of these
        raise _wrong("the url must have no blanks or control characters: percent-encode them")
    try:
        parts = urlsplit(url)
        port = parts.port
        (parts.hostname or "").encode("idna")
    except UnicodeError:
        raise _wrong("the url names no host that there could be") from None
    except ValueError:
        raise _wrong("the url is no URL") from None
    if parts.scheme not in _PORTS or not parts.hostname or len(url) > _LONGEST:
        raise _wrong("the url must be an http or https URL of at most 2048 letters")
    if parts.username is not None or parts.password is not None:
        raise _wrong("the url must have no user name or password: check the signature instead")
    if port is not None and port not in _LOW_PORTS and port < _FIRST_FREE_PORT:
        raise _wrong("the port of the url must be 80, 443 or above 1023")
    _check_address(parts, admits)


def _check_address(parts: SplitResult, admits: Admits) -> None:
    try:
        address = str(ip_address(parts.hostname or ""))
    except ValueError:
        return  # a name
    if not admits(address, parts.port or _PORTS[parts.scheme]):
        raise _wrong(f"{address} is not public, and [outbound] allow_private does not name it")


def _wrong(message: str) -> InvalidError:
    return InvalidError(message, field="url")
