"""Exit codes (sysexits.h) and the sentence on stderr that goes with them."""

import sys
import traceback
from collections.abc import Iterator

from syncd.model.errors import (
    ForbiddenError,
    InvalidError,
    MalformedReplyError,
    MisconfiguredError,
    RelinkRequiredError,
    RequestError,
    SyncdError,
    TransientError,
)

FAILED = 1  # it cannot be done as asked, or what was checked is not well
USAGE = 2
UNAVAILABLE = 69  # no daemon, or a server that is none
SOFTWARE = 70  # a fault of ours
TEMPORARY = 75  # try again later
NO_PERMISSION = 77  # refused credentials, or a file that may not be opened
CONFIG = 78  # the configuration must be changed

_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (MisconfiguredError, CONFIG),
    (RelinkRequiredError, NO_PERMISSION),
    (ForbiddenError, NO_PERMISSION),
    (InvalidError, USAGE),
    (RequestError, FAILED),
    (MalformedReplyError, UNAVAILABLE),
    (TransientError, TEMPORARY),
    (TimeoutError, TEMPORARY),
    (PermissionError, NO_PERMISSION),
    (OSError, TEMPORARY),
)


class UnavailableError(SyncdError):
    """What should answer does not."""


def tell(error: BaseException) -> int:
    """Print what happened on stderr; return the exit code."""
    first = next(_leaves(error))
    code = code_of(first)
    if code == SOFTWARE:
        traceback.print_exception(error, file=sys.stderr)
        sys.stderr.write("syncd: this is a fault of syncd's own; please report it\n")
    else:
        for line in (_sentence(first) or type(first).__name__).splitlines():
            sys.stderr.write(f"syncd: {line}\n")
    return code


def code_of(error: BaseException) -> int:
    """Return the exit code of an error."""
    if isinstance(error, UnavailableError):
        return UNAVAILABLE
    if type(error).__name__ == "LockedError":  # importing its module would cost every --help
        return TEMPORARY
    return next((code for kind, code in _CODES if isinstance(error, kind)), SOFTWARE)


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield what a group of errors is made of; a task group wraps even a single one."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error
