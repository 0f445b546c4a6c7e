"""Which user of an application a browser belongs to: sealed, as only the browser keeps it (C18)."""

import base64
import binascii
from datetime import timedelta

from syncd.model.errors import MisconfiguredError
from syncd.model.ids import ApplicationId, UserId
from syncd.model.invitation import Remembered
from syncd.model.when import from_milliseconds, milliseconds
from syncd.ports.clock import Clock
from syncd.ports.vault import Secret, Vault

LIFETIME = timedelta(days=30)  # at the longest: the cookie goes when the browser is closed


class Browsers:
    """Writes and reads what browsers keep; what was sealed for one application opens for no other.

    Text that is not ours, too old, or sealed with a key that is gone is as good as none.
    """

    def __init__(self, vault: Vault, clock: Clock) -> None:
        """Seal by ``vault``."""
        self._vault = vault
        self._clock = clock

    def remembered(self, application: ApplicationId, user: UserId) -> Remembered:
        """Return what the browser of a user keeps."""
        until = milliseconds(self._clock.now() + LIFETIME)
        sealed = self._vault.seal(Secret(f"{until} {user}"), place=_place(application))
        return Remembered(
            application_id=application,
            sealed=base64.urlsafe_b64encode(sealed).decode().rstrip("="),
        )

    def user(self, application: ApplicationId, kept: str) -> UserId | None:
        """Return whose browser it is."""
        try:
            sealed = base64.urlsafe_b64decode(kept + "=" * (-len(kept) % 4))
            told = self._vault.open(sealed, place=_place(application)).reveal()
        except (binascii.Error, ValueError, MisconfiguredError):
            return None
        until, _, user = told.partition(" ")
        alive = self._clock.now() < from_milliseconds(int(until))
        return UserId(user) if alive else None


def _place(application: ApplicationId) -> str:
    return f"browsers|{application}|user"
