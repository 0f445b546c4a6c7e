"""Sockets that syncd answers at: of the API, and of the command line."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from syncd.model.errors import MisconfiguredError

_BACKLOG = 128
_LONGEST_ADDRESS = 108


def api_socket(listen: str, *, beside: socket.socket | None = None) -> socket.socket:
    """Return the listening socket of ``[server] listen``; raises MisconfiguredError.

    ``beside`` one of ours that still listens: another address may have the same port.
    """
    if listen.startswith("unix:"):
        try:
            return unix_socket(Path(listen.removeprefix("unix:")), mode=0o660)
        except MisconfiguredError as error:
            raise MisconfiguredError(
                f"{error}; change server.listen", key="server.listen"
            ) from None
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        family, *_, address = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        reuse = _shared(beside, int(port))
        return socket.create_server(address[:2], family=family, backlog=_BACKLOG, reuse_port=reuse)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "this is no host"
        raise MisconfiguredError(
            f"cannot listen at {listen}: {why}; stop what listens there, or change server.listen",
            key="server.listen",
        ) from None


def _shared(ours: socket.socket | None, port: int) -> bool:
    """Tell whether a port is our own; if so a second socket of this user may have it (socket(7)).

    127.0.0.1:80 and 0.0.0.0:80 exclude each other otherwise, and one would have to be left first.
    """
    if ours is None or ours.family == socket.AF_UNIX or ours.getsockname()[1] != port:
        return False
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return True


def unix_socket(path: Path, *, mode: int) -> socket.socket:
    """Return a listening Unix socket with these permissions, in the place of a dead one."""
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()  # the lock says that nobody answers there any more
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with bindable(path) as name:
            made.bind(name)
        path.chmod(mode)
        made.listen(_BACKLOG)
    except OSError as error:
        made.close()
        raise MisconfiguredError(f"cannot listen at {path}: {error.strerror or error}") from None
    return made


@contextmanager
def bindable(path: Path) -> Iterator[str]:
    """Yield a name for a Unix socket's path that fits into an address (unix(7): 108 bytes)."""
    if len(os.fsencode(path)) < _LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
