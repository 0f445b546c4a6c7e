"""Kloudless's webhook: it says that an account has news, and no more (api.md K45, K46)."""

from syncd.model.ids import ApplicationId
from syncd.model.subscription import Subscription
from syncd.ports.sink import Message, Receipt
from syncd.ports.store.applications import KeyKind
from syncd.sinks.post import Poster
from syncd.sinks.signing import NO_SECRET, Signer

_OK = 200


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
        """Try once; delivered is what is answered with the application's id."""
        client = ApplicationId(subscription.client or "")
        body = self.body(subscription, message)
        signed = await self._signer.signatures(client, KeyKind.API_KEY, body)
        if not signed:
            return NO_SECRET
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Kloudless-Signature": signed[0],
        }

        def judge(code: int, answer: bytes) -> str | None:
            if code == _OK and answer.strip() == client.encode():
                return None
            if code == _OK:
                return f"answered 200, but not the application's id, {client}, as the whole body"
            return f"answered {code}, not 200 with {client} as body"

        return await self._poster.post(subscription.url, body, headers, judge)
