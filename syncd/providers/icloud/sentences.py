"""What a person is told whom iCloud does not let in (IC2)."""

from syncd.model.errors import (
    MalformedReplyError,
    NotFoundError,
    RelinkRequiredError,
    SyncdError,
    TransientError,
)
from syncd.providers.caldav import sentences

_REFUSED = (
    "iCloud refused the Apple ID or the password. It takes app-specific passwords only, never the "
    "password of the Apple ID itself: make one at account.apple.com under “Sign-In and Security”, "
    "“App-Specific Passwords”, and enter it here. Changing the Apple ID's own password ends them "
    "all."
)


def sentence(error: SyncdError, host: str) -> SyncdError:
    """Return the same kind of error in words for the person who signs in."""
    match error:
        case RelinkRequiredError():
            return RelinkRequiredError(_REFUSED)
        case TransientError():
            return TransientError(
                f"iCloud could not be reached: {error}. Try again in a while.",
                retry_after=error.retry_after,
            )
        case NotFoundError():
            return NotFoundError(
                "iCloud has no calendars for this Apple ID. Switch them on in the iCloud settings "
                "of a device, then try again."
            )
        case MalformedReplyError():
            return MalformedReplyError(
                f"iCloud's answer cannot be read: {error}. Try again in a while."
            )
        case _:
            return sentences.sentence(error, host)
