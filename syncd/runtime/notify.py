"""Words to systemd (sd_notify(3)): a datagram to the socket that it named, or to nobody."""

import socket
from contextlib import suppress
from datetime import timedelta

from syncd.runtime.places import environment


class Notifier:
    """Tells systemd how we are; does nothing where no systemd listens."""

    def __init__(self) -> None:
        """Take the address from the environment."""
        address = environment("NOTIFY_SOCKET") or ""
        self._address = "\0" + address[1:] if address.startswith("@") else address

    @property
    def watchdog(self) -> timedelta | None:
        """Return how often systemd wants to hear from us: half of what it waits; None if never."""
        microseconds = environment("WATCHDOG_USEC") or ""
        if not microseconds.isdecimal():
            return None
        return timedelta(microseconds=int(microseconds)) / 2

    def tell(self, *lines: str) -> None:
        """Send assignments such as ``READY=1``; a systemd that went away is nobody's failure."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.settimeout(0)
            out.sendto("\n".join(lines).encode(), self._address)
