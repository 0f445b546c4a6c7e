"""Which servers may see an app-specific password (IC1)."""

from ipaddress import ip_address

from yarl import URL

from syncd.providers.origins import origin_of

_DOMAIN = "icloud.com"


def trusted(known: URL, other: URL) -> bool:
    """Tell whether credentials for ``known`` may go to ``other``.

    That is the same origin, or one server of ``*.icloud.com`` leading to another over https. Where
    the operator has put a stand-in on this machine, by an address of its own loopback, it may lead
    to others there: what never leaves the machine reaches no stranger.
    """
    if origin_of(known) == origin_of(other):
        return True
    if _is_loopback(known) and _is_loopback(other):
        return True
    return _is_icloud(known) and _is_icloud(other)


def _is_icloud(url: URL) -> bool:
    host = (url.host or "").lower().rstrip(".")
    return url.scheme == "https" and (host == _DOMAIN or host.endswith(f".{_DOMAIN}"))


def _is_loopback(url: URL) -> bool:
    try:
        return ip_address(url.host or "").is_loopback
    except ValueError:
        return False
