"""People who are at a provider to give consent, until they come back (api.md N3)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedConsent:
    """One journey. ``id`` is the digest of its state, ``browser`` that of its cookie.

    ``sealed`` is what we need to know on their return.
    """

    id: str
    browser: bytes
    provider: str
    sealed: bytes
    expires_at: datetime


class Consents(Protocol):
    """Keeps journeys until they end; any process may take back whom another sent away."""

    async def add_consent(self, consent: AskedConsent) -> None:
        """Keep one."""
        ...

    async def take_consent(
        self, consent: str, *, browser: bytes, provider: str, now: datetime
    ) -> bytes | None:
        """Remove one and return what was sealed: once, to its browser, from its provider.

        For anybody else, and after its time, it is not there; nothing is removed then.
        """
        ...

    async def forget_consents(self, *, before: datetime, limit: int = 500) -> int:
        """Remove at most ``limit`` that expired before a time; return how many."""
        ...
