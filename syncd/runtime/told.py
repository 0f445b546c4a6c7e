"""Errors on their way over the admin socket."""

from syncd.model import errors
from syncd.model.errors import SyncdError


def raised(kind: str, message: str) -> Exception:
    """Return the error that the daemon told of; one outside of the tree is a RuntimeError.

    Only class and message travel: what else such errors carry is for callers in the daemon.
    """
    known = getattr(errors, kind, None)
    if not (isinstance(known, type) and issubclass(known, SyncdError)):
        return RuntimeError(message)
    error = known.__new__(known)
    error.args = (message,)
    return error
