"""Webhooks: sign and post, by Standard Webhooks (api.md N16, N17; reliability.md §10)."""

import hmac
from base64 import b64decode, b64encode

from syncd.model.subscription import SigningSecret, Subscription
from syncd.ports.clock import Clock
from syncd.ports.sink import Message, Receipt
from syncd.ports.vault import Vault, signing_place
from syncd.sinks.envelope import CONTENT_TYPES, envelope
from syncd.sinks.post import Poster, any_success

_MOST_KEYS = 1000


class WebhookSink:
    """Obeys ``ports.sink.Sink``."""

    def __init__(self, poster: Poster, vault: Vault, clock: Clock) -> None:
        """Open signing secrets by ``vault``."""
        self._poster = poster
        self._vault = vault
        self._clock = clock
        self._keys = dict[tuple[str, bytes], bytes]()

    def body(self, subscription: Subscription, message: Message) -> bytes:
        """Return a message as it is sent, always the same bytes."""
        return envelope(subscription, message)

    async def send(self, subscription: Subscription, message: Message) -> Receipt:
        """Try once."""
        body, now = envelope(subscription, message), self._clock.now()
        at = str(int(now.timestamp()))
        signed = f"{message.id}.{at}.".encode() + body
        headers = {
            "Content-Type": CONTENT_TYPES[subscription.format],
            "webhook-id": message.id,
            "webhook-timestamp": at,
            "webhook-signature": " ".join(
                [
                    _signature(self._key(subscription.id, one), signed)
                    for one in subscription.signing(now)
                ]
            ),
        }
        return await self._poster.post(subscription.url, body, headers, any_success)

    def _key(self, subscription: str, secret: SigningSecret) -> bytes:
        """Return an opened key; those that signed lately are kept (ADR 48)."""
        kept = self._keys.get((subscription, secret.sealed))
        if kept is None:
            place = signing_place(subscription, secret.id)
            kept = _key_of(self._vault.open(secret.sealed, place=place).reveal())
            if len(self._keys) >= _MOST_KEYS:
                del self._keys[next(iter(self._keys))]
            self._keys[subscription, secret.sealed] = kept
        return kept


def _key_of(secret: str) -> bytes:
    """Return the key that a secret spells: base64 behind ``whsec_``, with or without padding."""
    return b64decode(secret.removeprefix("whsec_") + "==")


def _signature(key: bytes, signed: bytes) -> str:
    """Return version 1: HMAC-SHA256 of id, time and body, with points in between."""
    return f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}"
