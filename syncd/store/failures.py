"""What a database's error means to us."""

import re
import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)

from syncd.model.errors import (
    ConflictError,
    InvalidError,
    MisconfiguredError,
    SyncdError,
    TransientError,
)

_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNFIT = {  # PostgreSQL appendix A: what a first look meets where nobody prepared the database
    "3F000": "make the schema that search_path names",
    "42501": "let the role make tables there (createdb --owner makes a database of its own)",
}
_BAD_VALUE = re.compile(
    r"^bad value for |\b(invalid|bad) [a-z_ ]*value(?: for (?:connection option|parameter))?:? \""
)
_LACKING = (
    (re.compile(r'database "(?P<name>.+)" does not exist$'), "make it (createdb {})"),
    (re.compile(r'role "(?P<name>.+)" does not exist$'), "make it (createuser {})"),
    (
        re.compile(r'password authentication failed for user "(?P<name>.+)"$'),
        "mend the password (it may stand in PGPASSWORD), make the role (createuser --pwprompt {})",
    ),
)
_NUL = "cannot contain NUL"  # as the driver of PostgreSQL says before it sends anything
_PASSING_STATES = ("08", "25006", "40", "53", "55", "57", "58")  # appendix A, and read-only ones


@contextmanager
def at_first() -> Iterator[None]:
    """Tell of what a server lacks or forbids as of a setting: MisconfiguredError.

    Only for the first look at a database: one that went away later may be on its way back. The
    server tells it in words alone, as no SQLSTATE reaches us before there is a connection; where
    those are not English it stays a TransientError.
    """
    try:
        yield
    except TransientError as error:
        cause = error.__cause__
        told = _first_line(cause.orig) if isinstance(cause, DBAPIError) else ""
        for pattern, remedy in _LACKING:
            if found := pattern.search(told):
                made = remedy.format(shlex.quote(found["name"]))
                raise MisconfiguredError(
                    f"{found[0]}; {made}, or change store.url", key="store.url"
                ) from error
        raise
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state not in _UNFIT:
            raise
        raise MisconfiguredError(
            f"{_first_line(error.orig)}; {_UNFIT[state]}, or change store.url", key="store.url"
        ) from error


def in_our_words(error: DBAPIError) -> SyncdError | DBAPIError:
    """Return the error of our tree, or the same error where only a bug explains it."""
    if isinstance(error, IntegrityError):
        return ConflictError("the store already holds something else in this place")
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(error, cause)
    if isinstance(error, DataError) and _NUL in str(cause):
        return InvalidError("a text holds the character NUL, which no name or id has")
    state = getattr(cause, "sqlstate", None)
    if state is None and _BAD_VALUE.search(str(cause)):  # no server was asked, or it said no
        return MisconfiguredError(f"{_first_line(cause)}; change store.url", key="store.url")
    lost = state is None and isinstance(error, OperationalError | InterfaceError)
    if lost or error.connection_invalidated or (state or "").startswith(_PASSING_STATES):
        return TransientError(f"the database does not answer: {_first_line(cause)}")
    return error


def _of_sqlite(error: DBAPIError, cause: sqlite3.Error) -> SyncdError | DBAPIError:
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the rest of it says more of the same
    if code in _PASSING:
        return TransientError(f"the database cannot be used now: {cause}")
    if code in _DAMAGED:
        return MisconfiguredError(f"the database file is damaged: {cause}")
    return error


def _first_line(cause: BaseException | None) -> str:
    return str(cause).strip().partition("\n")[0]
