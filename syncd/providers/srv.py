"""Which hosts a domain names for a service: SRV records (RFC 2782)."""

from collections.abc import Sequence

import dns.asyncresolver
from dns.exception import DNSException
from dns.name import root
from dns.rdtypes.IN.SRV import SRV

SECONDS = 5.0  # for an answer


async def hosts_of(name: str) -> Sequence[tuple[str, int]]:
    """Return host and port of each record of ``name`` (``_service._tcp.domain``), best first.

    None if there is no record. Nothing vouches for the answer: who has a password to send asks
    first whether it may go there.
    """
    try:
        answer = await dns.asyncresolver.resolve(name, "SRV", lifetime=SECONDS)
    except DNSException:
        return ()
    ranked = [] if answer.rrset is None else answer.rrset.processing_order()
    return [
        (str(one.target).rstrip("."), one.port)
        for one in ranked
        if isinstance(one, SRV) and one.target != root
    ]
