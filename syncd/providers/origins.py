"""Which other servers may see a password that was meant for one (D2, E1)."""

import re
from functools import lru_cache
from ipaddress import ip_address

from yarl import URL

_COUNTRY_SECOND_LEVEL = re.compile(r"[a-z]{2,3}\.[a-z]{2}")  # co.uk, com.au: anyone's


@lru_cache(maxsize=4096)  # asked several times in each poll
def origin_of(url: URL) -> URL:
    """Return scheme, host and port; a port that is the scheme's own is the same as none."""
    return URL(str(url.origin()))


def related(known: URL, other: URL) -> bool:
    """Tell whether credentials for ``known`` may go to ``other`` (D2).

    The same origin, or over https a host in the same registrable domain. Without a list of public
    suffixes that is: one host below the other, or both below the same two labels, three where
    the two look like ``co.uk``.
    """
    if origin_of(known) == origin_of(other):
        return True
    if known.host is None or other.host is None or other.scheme != "https":
        return False
    if known.scheme != "https" or _is_address(known.host) or _is_address(other.host):
        return False
    shared = _registrable(known.host)
    return shared is not None and shared == _registrable(other.host)


def _registrable(host: str) -> str | None:
    labels = host.lower().rstrip(".").split(".")
    size = 3 if _COUNTRY_SECOND_LEVEL.fullmatch(".".join(labels[-2:])) else 2
    return ".".join(labels[-size:]) if len(labels) >= size else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    return True
