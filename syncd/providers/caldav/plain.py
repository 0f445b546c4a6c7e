"""Whether a password may cross the network to a server (D25)."""

import asyncio
import socket
from collections.abc import Sequence

from yarl import URL

from syncd.model.errors import ForbiddenError, TransientError
from syncd.model.outbound import reachable


async def check_plain(url: URL) -> None:
    """Raise ForbiddenError if a password would cross a public network in clear (D25).

    What is not public can be reached only if ``[outbound] allow_private`` names it (O1).
    """
    host = url.host or ""
    try:
        addresses = await _addresses(host, url.port or 80)
    except OSError:
        raise TransientError(f"{host} cannot be reached (no such host name)") from None
    if any(reachable(one, ()) for one in addresses):
        raise ForbiddenError(
            f"{host} is on a public network: without https the password would be readable on "
            "the way, so use its https address"
        )


async def _addresses(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]
