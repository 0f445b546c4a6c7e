"""Which addresses outgoing requests may reach (reliability.md §3, O1)."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_DENY4 = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")))
_DENY6 = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_GLOBAL6 = ip_network("2000::/3")


def reachable(text: str, allow: Sequence[Network]) -> bool:
    """Tell whether an address is public, or in ``[outbound] allow_private``.

    ``is_global`` alone is wrong: Python 3.11 calls NAT64, 6to4, multicast and others global.
    """
    address = ip_address(text.split("%", maxsplit=1)[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if any(address in network for network in allow):
        return True
    if address.is_multicast or not address.is_global:
        return False
    if address.version == 4:  # noqa: PLR2004 - the IP version
        return not any(address in network for network in _DENY4)
    return address in _GLOBAL6 and not any(address in network for network in _DENY6)
