"""Where a domain says that its calendars are: SRV and TXT records (RFC 6764 §3, §4, §6; D1)."""

from collections.abc import Sequence
from contextlib import suppress

import dns.asyncresolver
from dns.exception import DNSException
from dns.rdtypes.ANY.TXT import TXT
from yarl import URL

from syncd.providers.srv import SECONDS, hosts_of

_LABELS = "_caldavs._tcp"  # over TLS only: a password is to be sent
_WELL_KNOWN = "/.well-known/caldav"
_PATH = b"path="


async def announced(domain: str) -> Sequence[URL]:
    """Return the addresses to try, in this order; none if the domain names none.

    ``domain`` is ASCII. Nothing vouches for the answer: who has a password to send asks first
    whether it may go there (RFC 6764 §8, D2).
    """
    name = f"{_LABELS}.{domain}"
    hosts = await hosts_of(name)
    path = await _path(name) if hosts else ""
    found = list[URL]()
    for host, port in hosts:
        with suppress(ValueError):  # whoever writes records may write anything
            found.append(URL.build(scheme="https", host=host, port=port) / path)
    return found


async def _path(name: str) -> str:
    """Return the context path that the domain names, else the well-known one."""
    try:
        answer = await dns.asyncresolver.resolve(name, "TXT", lifetime=SECONDS)
    except DNSException:
        return _WELL_KNOWN.lstrip("/")
    texts = [text for one in answer if isinstance(one, TXT) for text in one.strings]
    paths = [text.removeprefix(_PATH) for text in texts if text.startswith(_PATH + b"/")]
    return (paths[0].decode("utf-8", "replace") if paths else _WELL_KNOWN).lstrip("/")
