"""Webhooks: sign and post, by Standard Webhooks (api.md N16, N17; reliability.md §10)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from standardwebhooks import Webhook

from syncd.model.subscription import SigningSecret, Subscription
from syncd.ports.clock import Clock
from syncd.ports.sink import Attempt, Message, Receipt
from syncd.ports.vault import Vault, signing_place
from syncd.sinks.envelope import CONTENT_TYPES, envelope
from syncd.sinks.post import Poster, any_success

_MOST_KEYS = 1000


class WebhookSink:
    """Obeys ``ports.sink.BurstSink``."""

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
        (attempt,) = self.prepare(subscription, [message])
        return await attempt()

    def prepare(self, subscription: Subscription, messages: Sequence[Message]) -> Sequence[Attempt]:
        """Return an attempt at each, signed by every secret that is alive, the newest first."""
        now = self._clock.now()
        stamp = int(now.timestamp())
        at = datetime.fromtimestamp(stamp, tz=UTC)  # another zone signs another time
        keys = [self._key(subscription.id, one) for one in subscription.signing(now)]
        attempts = list[Attempt]()
        for message in messages:
            body = self.body(subscription, message)
            text = body.decode()
            headers = {
                "Content-Type": CONTENT_TYPES[subscription.format],
                "webhook-id": message.id,
                "webhook-timestamp": str(stamp),
                "webhook-signature": " ".join([key.sign(message.id, at, text) for key in keys]),
            }
            post = self._poster.post
            attempts.append(partial(post, subscription.url, body, headers, any_success))
        return attempts

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
