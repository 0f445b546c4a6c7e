"""What applications' own secrets sign (api.md C15, K46)."""

import hmac
from base64 import b64encode
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from syncd.model.ids import ApplicationId
from syncd.ports.clock import Clock
from syncd.ports.sink import Receipt
from syncd.ports.store.applications import ApplicationKey, KeyKind
from syncd.ports.vault import Vault, application_place

# where nobody is left who could sign
NO_SECRET = Receipt(took=timedelta(), error="the application was removed", gone=True)


class Signer:
    """Signs by the secrets of an application that are alive."""

    def __init__(
        self,
        keys: Callable[[ApplicationId], Awaitable[Sequence[ApplicationKey]]],
        vault: Vault,
        clock: Clock,
    ) -> None:
        """Look up an application's ``keys`` and open them by ``vault``."""
        self._keys = keys
        self._vault = vault
        self._clock = clock

    async def signatures(
        self, application: ApplicationId, kind: KeyKind, body: bytes
    ) -> Sequence[str]:
        """Return ``base64(HMAC-SHA256(secret, body))`` by each live secret, the newest first.

        None for an application that was removed.
        """
        now = self._clock.now()
        signed = list[str]()
        for key in await self._keys(application):
            if key.kind is kind and key.token.alive(now):
                place = application_place(application, key.token.id)
                secret = self._vault.open(key.sealed, place=place).reveal()
                signed.append(b64encode(hmac.digest(secret.encode(), body, "sha256")).decode())
        return signed
