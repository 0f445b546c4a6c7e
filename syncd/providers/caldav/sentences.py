"""What a person who signs in is told of a failure."""

from syncd.model.errors import (
    ForbiddenError,
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)


def sentence(error: SyncdError, host: str) -> SyncdError:
    """Return the same kind of error in words for the person who signs in."""
    match error:
        case RelinkRequiredError():
            return RelinkRequiredError(
                f"The server {host} refused the user name or the password. Check both; some "
                "servers want an app password, which their settings make."
            )
        case TransientError():
            return TransientError(
                f"The server could not be reached: {error}. Check the address, or try again in "
                "a while.",
                retry_after=error.retry_after,
            )
        case ForbiddenError():
            return ForbiddenError(f"The server cannot be used: {error}.")
        case NotFoundError():
            return NotFoundError(
                f"The server {host} answers, but there are no calendars behind this address. "
                "Look up the CalDAV address in the settings of your calendar."
            )
        case MalformedReplyError():
            return MalformedReplyError(
                f"There is no calendar service at this address: {error}. Look up the CalDAV "
                "address in the settings of your calendar."
            )
        case _:
            return error
