"""Cronofy's pushes: since when something has changed, and what became of profiles (api.md C15)."""

from typing import Any

import orjson

from syncd.model.ids import ApplicationId, profile_name
from syncd.model.subscription import CHANGE, TEST, Subscription, channel_document
from syncd.model.when import utc
from syncd.ports.sink import Message, Receipt
from syncd.ports.store.applications import KeyKind
from syncd.sinks.post import Poster, any_success
from syncd.sinks.signing import NO_SECRET, Signer

_VERIFICATION = "verification"


class CronofySink:
    """Obeys ``ports.sink.Sink``; a message of type ``TEST`` is a verification."""

    def __init__(self, poster: Poster, signer: Signer) -> None:
        """Sign by the application's client secrets."""
        self._poster = poster
        self._signer = signer

    def body(self, subscription: Subscription, message: Message) -> bytes:
        """Return a notification with the channel that it comes through."""
        told: dict[str, Any] = {"type": _VERIFICATION if message.word == TEST else message.word}
        if message.word == CHANGE:
            # whole seconds, downwards: what reads from there misses nothing
            told["changes_since"] = utc(message.at.replace(microsecond=0))
        elif message.profile_id is not None:
            told["profile_id"] = profile_name(message.profile_id)
        return orjson.dumps({"notification": told, "channel": channel_document(subscription)})

    async def send(self, subscription: Subscription, message: Message) -> Receipt:
        """Try once."""
        client = ApplicationId(subscription.client or "")
        body = self.body(subscription, message)
        signed = await self._signer.signatures(client, KeyKind.CLIENT_SECRET, body)
        if not signed:
            return NO_SECRET
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Cronofy-HMAC-SHA256": ",".join(signed),
        }
        return await self._poster.post(subscription.url, body, headers, any_success)
