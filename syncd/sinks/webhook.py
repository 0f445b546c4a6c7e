"""Webhooks: sign, post, judge, by Standard Webhooks (api.md N16, N17; reliability.md §10)."""

import asyncio
import errno
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientSession, ClientTimeout
from standardwebhooks import Webhook

from syncd.model.retry import retry_after
from syncd.model.subscription import LONGEST_RETRY_AFTER, Subscription
from syncd.ports.clock import Clock
from syncd.ports.sink import Message, Receipt
from syncd.ports.vault import Vault, signing_place
from syncd.sinks.envelope import CONTENT_TYPES, envelope

TIMEOUT = ClientTimeout(total=20, sock_connect=10)
ANSWER = 1024  # bytes kept of what was answered (O6)
_ANSWER_SECONDS = 2.0  # after a status that decides
_GONE = 410
_REDIRECTS = range(300, 400)
_NAMES_A_TIME = frozenset({429, 502, 503, 504})


class WebhookSink:
    """Obeys ``ports.sink.Sink``; ``session`` is one that is guarded (O1)."""

    def __init__(self, session: Callable[[], ClientSession], vault: Vault, clock: Clock) -> None:
        """Open signing secrets by ``vault``."""
        self._session = session
        self._vault = vault
        self._clock = clock

    def body(self, subscription: Subscription, message: Message) -> bytes:
        """Return a message as it is sent, always the same bytes."""
        return envelope(subscription, message)

    async def send(self, subscription: Subscription, message: Message) -> Receipt:
        """Try once, for 20 s; a redirect is a failure and never followed (O2)."""
        body = self.body(subscription, message)
        now, began = self._clock.now(), self._clock.monotonic()
        headers = {
            "Content-Type": CONTENT_TYPES[subscription.format],
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signatures(subscription, message.id, now, body),
        }
        code, answer, error, pause = None, b"", None, None
        try:
            async with self._session().post(
                subscription.url,
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=TIMEOUT,
            ) as response:
                code = response.status
                answer = await _beginning(response)
                if code in _NAMES_A_TIME:
                    named = response.headers.get("Retry-After")
                    pause = retry_after(named, now, LONGEST_RETRY_AFTER)
        except TimeoutError:
            error = "no answer within 20 s"
        except ClientConnectorError as fault:
            refused = fault.os_error.errno == errno.EACCES  # the address guard's (O1)
            error = "this address may not be reached" if refused else f"no connection: {fault}"
        except (ClientError, OSError, ValueError) as fault:
            error = f"{type(fault).__name__}: {fault}"[:200]
        return Receipt(
            took=timedelta(seconds=max(0.0, self._clock.monotonic() - began)),
            code=code,
            answer=answer,
            error=error if code is None else _refusal(code),
            gone=code == _GONE,
            retry_after=pause,
        )

    def _signatures(
        self, subscription: Subscription, identity: str, now: datetime, body: bytes
    ) -> str:
        """Sign by every secret that is alive, the newest first."""
        at = datetime.fromtimestamp(int(now.timestamp()), tz=UTC)  # another zone signs another time
        signed = list[str]()
        for one in subscription.signing(now):
            place = signing_place(subscription.id, one.id)
            key = Webhook(self._vault.open(one.sealed, place=place).reveal())
            signed.append(key.sign(identity, at, body.decode()))
        return " ".join(signed)


def _refusal(code: int) -> str | None:
    if code in range(200, 300):
        return None
    if code in _REDIRECTS:
        return f"answered {code}: redirects are not followed, change the url"
    return f"answered {code}"


async def _beginning(response: ClientResponse) -> bytes:
    """Return the first 1 KiB of an answer; its status decides, so what breaks here is no fault."""
    found = b""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            while len(found) < ANSWER and not response.content.at_eof():
                found += await response.content.read(ANSWER - len(found))
    except (ClientError, OSError, TimeoutError):
        response.close()
    return found
