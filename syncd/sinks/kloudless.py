"""Kloudless's webhook: it says that an account has news, and no more (api.md K45, K46)."""

from dataclasses import replace
from datetime import timedelta

from syncd.model.ids import ApplicationId
from syncd.model.subscription import Subscription
from syncd.ports.sink import Message, Receipt
from syncd.ports.store.applications import KeyKind
from syncd.sinks.post import ANSWER, Poster
from syncd.sinks.signing import NO_SECRET, Signer

_OK = 200
_REFUSALS = frozenset({400, 401, 403})  # what receivers say to a signature that is none of theirs


class KloudlessSink:
    """Obeys ``ports.sink.Sink``; a message of no profile is the probe of K46."""

    def __init__(self, poster: Poster, signer: Signer) -> None:
        """Sign by the application's API key."""
        self._poster = poster
        self._signer = signer

    def body(self, _subscription: Subscription, message: Message) -> bytes:
        """Return the account, as a form; nothing in a probe."""
        return b"" if message.profile_id is None else b"account=%d" % message.profile_id

    async def send(self, subscription: Subscription, message: Message) -> Receipt:
        """Try once; delivered is what is answered with the application's id.

        There is room for one signature, the newest key's. While keys overlap the receiver may know
        the older one only: where it refuses, it is asked again at once with that (ADR 44).
        """
        client = ApplicationId(subscription.client or "")
        body = self.body(subscription, message)
        receipt, took = NO_SECRET, timedelta()
        for signature in await self._signer.signatures(client, KeyKind.API_KEY, body):
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Kloudless-Signature": signature,
            }
            receipt = await self._poster.post(
                subscription.url, body, headers, lambda code, said: _fault(client, code, said)
            )
            took += receipt.took
            if receipt.code not in _REFUSALS:
                break
        return replace(receipt, took=took)


def _fault(client: ApplicationId, code: int, answer: bytes) -> str | None:
    """Return what is wrong with an answer, None if it is the application's id and no more."""
    if code != _OK:
        return f"answered {code}, not 200 with {client} as body"
    if len(answer) == ANSWER or answer.strip() != client.encode():  # or there is more of it
        return f"answered 200, but not the application's id, {client}, as the whole body"
    return None
