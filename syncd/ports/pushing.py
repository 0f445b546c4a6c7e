"""Channels through which a provider says that a calendar has changed (providers.md P16)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncd.model.errors import UnsupportedError
from syncd.model.ids import CalendarKey
from syncd.ports.vault import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a channel shall be: our id, the https address to call, the secret to call with."""

    id: str
    address: str
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a provider granted: its own id, how long it lasts, and when to ask for more.

    ``reached`` says that it has reached our address already, and so will not call by itself to
    show that it can.
    """

    remote: str
    renew_at: datetime
    expires_at: datetime
    reached: bool = False


class Pushing(Protocol):
    """What an adapter overrides if ``Abilities.push`` says that its provider calls.

    All raise what ``Provider`` raises.
    """

    async def open_channel(self, calendar: CalendarKey, wish: Wish) -> Granted:
        """Ask to be called for a calendar; the first call may come before this returns.

        Raises UnsupportedError for a calendar that the provider will never call for, and
        MisconfiguredError if it does not accept our address.
        """
        raise UnsupportedError("this provider does not call")

    async def extend_channel(self, channel: str, remote: str) -> Granted | None:
        """Let a channel last longer; None where only another one does.

        ``channel`` is our id, ``remote`` theirs. Raises NotFoundError if it is no more.
        """
        return None

    async def close_channel(self, channel: str, remote: str) -> None:
        """End the calls; of a channel that is no more this is a success."""
        raise UnsupportedError("this provider does not call")
