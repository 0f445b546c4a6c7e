"""Addresses that an operator writes down, judged before anything is asked at them: pure."""

from urllib.parse import SplitResult, urlsplit

_LAST_PORT = 65535
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - nothing is bound here
_DATABASES = ("sqlite:///", "postgresql://", "postgres://")


def listening_at(listen: str) -> str:
    """Return ``host:port`` or ``unix:/path``; raises ValueError."""
    host, _, port = listen.rpartition(":")
    numbered = port.isascii() and port.isdecimal() and int(port) <= _LAST_PORT
    named = bool(host) and not any(one.isspace() or one in "/@" for one in host)
    if not listen.startswith("unix:/") and not (named and numbered):
        raise ValueError('must be "host:port" or "unix:/path"')
    return listen


def reached_at(listen: str) -> str | None:
    """Return the URL of what listens there, as this machine reaches it; None where none is told."""
    host, _, port = listen.rpartition(":")
    if listen.startswith("unix:") or int(port) == 0:
        return None
    bare = host.strip("[]")
    if bare in _EVERYWHERE:
        return f"http://127.0.0.1:{port}"
    return f"http://[{bare}]:{port}" if ":" in bare else f"http://{bare}:{port}"


def web_address(url: str) -> str:
    """Return the address of a web server, to which paths are added; raises ValueError."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    parts = _split(url)
    if not parts.hostname or any(one.isspace() for one in url):
        raise ValueError("must name a host, and hold no blanks")
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ValueError('must hold no user, no "?" and no "#"')
    return url


def database_address(url: str) -> str:
    """Return the address of a database; raises ValueError.

    What may follow a ``?`` for PostgreSQL its own driver says, in ``store``.
    """
    if not url.startswith(_DATABASES):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    if url.startswith("sqlite:///"):
        _database_file(url.removeprefix("sqlite:///"))
    else:
        _split(url)
    return url


def _database_file(path: str) -> None:
    if not path.strip("/") or path == ":memory:":
        raise ValueError("must name a file: sqlite:////path/to/syncd.db")
    if "?" in path:
        raise ValueError('must end with the file: SQLite takes no options after a "?"')


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("must be an address; that of IPv6 stands in square brackets") from None
    try:
        parts.port  # noqa: B018 - raises
    except ValueError:
        raise ValueError("must have a number for its port") from None
    return parts
