"""Webhooks: sign and post, by Standard Webhooks (api.md N16, N17; reliability.md §10)."""

from datetime import UTC, datetime

from standardwebhooks import Webhook

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
        self._keys = dict[tuple[str, bytes], Webhook]()

    def body(self, subscription: Subscription, message: Message) -> bytes:
        """Return a message as it is sent, always the same bytes."""
        return envelope(subscription, message)

    async def send(self, subscription: Subscription, message: Message) -> Receipt:
        """Try once."""
        body, now = self.body(subscription, message), self._clock.now()
        headers = {
            "Content-Type": CONTENT_TYPES[subscription.format],
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signatures(subscription, message.id, now, body),
        }
        return await self._poster.post(subscription.url, body, headers, any_success)

    def _signatures(
        self, subscription: Subscription, identity: str, now: datetime, body: bytes
    ) -> str:
        """Sign by every secret that is alive, the newest first."""
        at = datetime.fromtimestamp(int(now.timestamp()), tz=UTC)  # another zone signs another time
        signed = (
            self._key(subscription.id, one).sign(identity, at, body.decode())
            for one in subscription.signing(now)
        )
        return " ".join(signed)

    def _key(self, subscription: str, secret: SigningSecret) -> Webhook:
        """Return an opened key; those that signed lately are kept (ADR 48)."""
        kept = self._keys.get((subscription, secret.sealed))
        if kept is None:
            place = signing_place(subscription, secret.id)
            kept = Webhook(self._vault.open(secret.sealed, place=place).reveal())
            if len(self._keys) >= _MOST_KEYS:
                del self._keys[next(iter(self._keys))]
            self._keys[subscription, secret.sealed] = kept
        return kept
