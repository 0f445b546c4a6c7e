"""The address of a database: judged, and told to SQLAlchemy with the driver we use."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from syncd.model.errors import MisconfiguredError

_SQLITE, _POSTGRES = "sqlite+aiosqlite", "postgresql+psycopg"
_DRIVERS = {"sqlite": _SQLITE, "postgresql": _POSTGRES, "postgres": _POSTGRES}
_CONNECT_SECONDS = "10"  # to each server; a stop waits for it, and systemd for 35 s at most
_MANY = frozenset({"host", "port"})  # of several servers, each in turn


def address(text: str) -> URL:
    """Return the address with its asynchronous driver; nothing is opened.

    Raises MisconfiguredError.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise _wrong(f"this is no database address: {error}; change store.url") from error
    driver = _DRIVERS.get(url.drivername)
    if driver is None:
        raise _wrong("must begin with sqlite:/// or postgresql://; change store.url")
    told = url.set(drivername=driver)
    if driver == _SQLITE:
        _judge_file(told)
        return told
    _judge_options(told)
    return told.set(query={"connect_timeout": _CONNECT_SECONDS, **told.query})


def same_database(one: str, other: str) -> bool:
    """Tell whether two addresses name one SQLite file, or are the same; see ``address``."""
    first, second = address(one), address(other)
    if first.drivername == second.drivername == _SQLITE:
        return Path(first.database or "").resolve() == Path(second.database or "").resolve()
    return first == second


def _wrong(why: str) -> MisconfiguredError:
    return MisconfiguredError(why, key="store.url")


def _judge_file(url: URL) -> None:
    if url.database in {None, "", ":memory:"}:
        raise _wrong("must name a file, sqlite:////path/to/syncd.db; change store.url")
    if url.query:
        raise _wrong('SQLite takes no options; remove "?" and what follows')


def require_folder(url: URL) -> None:
    """Raise MisconfiguredError if the file of an SQLite database has no place to be."""
    path = Path(url.database or "")
    if path.is_dir() or not path.parent.is_dir():
        why = "this is a directory" if path.is_dir() else "there is no such directory"
        place = path if path.is_dir() else path.parent
        raise _wrong(f"{place}: {why}; make it, or change store.url")


def _judge_options(url: URL) -> None:
    """Refuse what libpq knows no option for; values it judges itself when it connects."""
    if find_spec("psycopg") is None:
        raise _wrong("PostgreSQL needs its driver; pip install 'syncd[postgres]'")
    conninfo, driver = import_module("psycopg.conninfo"), import_module("psycopg")
    for name, value in url.query.items():
        if not isinstance(value, str) and name not in _MANY:
            raise _wrong(f"{name} is given more than once; remove one")
        try:
            conninfo.make_conninfo(**{name: value})
        except driver.ProgrammingError:
            raise _wrong(
                f"PostgreSQL has no option {name!r}; remove it from what follows the "
                '"?" (libpq\'s documentation names them all)'
            ) from None
    try:
        url.get_dialect()().create_connect_args(url)
    except ArgumentError as error:
        raise _wrong(f"{error}; change store.url") from None
