"""What a person who signs in at an Exchange server is told of a failure."""

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
                "servers want DOMAIN\\name, others the e-mail address."
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
                f"The server {host} answers, but there is no Exchange behind this address. It "
                "mostly ends in /EWS/Exchange.asmx."
            )
        case MalformedReplyError():
            return MalformedReplyError(
                f"There is no Exchange Web Services at this address: {error}. It mostly ends in "
                "/EWS/Exchange.asmx; ask who runs the server."
            )
        case _:
            return error
