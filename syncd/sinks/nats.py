"""NATS JetStream: every record a message of one stream (api.md N24, ADR 46).

A page is published without waiting in between, and is done when the server has stored all of it.
Each message but the first names the one that must stand right before it, so that whatever the
server loses or refuses, nothing that comes behind it is stored.
"""

from collections.abc import Sequence
from datetime import timedelta

import orjson

from syncd.model.errors import TransientError
from syncd.model.ids import profile_name
from syncd.model.subscription import TEST, Subscription
from syncd.ports.clock import Clock
from syncd.ports.sink import Message, PageReceipt, Receipt
from syncd.sinks.envelope import envelope
from syncd.sinks.letters import Letter, Postbox, Refused, Stored

_ID = "Nats-Msg-Id"
_BEHIND = "Nats-Expected-Last-Msg-Id"


class NatsSink:
    """Obeys ``ports.sink.PageSink``; without a ``postbox`` nothing arrives."""

    def __init__(self, postbox: Postbox | None, clock: Clock, *, subject: str = "") -> None:
        """Begin subjects with ``subject``; the postbox is closed by who opened it."""
        self._postbox = postbox
        self._clock = clock
        self._subject = subject

    def body(self, subscription: Subscription, message: Message) -> bytes:
        """Return a message as it is sent, always the same bytes."""
        return envelope(subscription, message)

    async def send(self, subscription: Subscription, message: Message) -> Receipt:
        """Try once."""
        receipt = await self.send_page(subscription, [message])
        return receipt.rest or receipt.arrived[0]

    async def send_page(
        self, subscription: Subscription, messages: Sequence[Message]
    ) -> PageReceipt:
        """Try once, for 20 s; stored are the first ones of the page, however it ends."""
        began = self._clock.monotonic()
        told: Sequence[Stored | Refused]
        if self._postbox is None:
            told = [Refused(why="[nats] url is not set")]
        else:
            try:
                told = await self._postbox.publish(self._letters(subscription, messages))
            except TransientError as error:
                told = [Refused(why=str(error))]
        took = timedelta(seconds=max(0.0, self._clock.monotonic() - began))
        arrived = [
            Receipt(took=took, answer=orjson.dumps(one)) for one in told if isinstance(one, Stored)
        ]
        refused = next((one for one in told if isinstance(one, Refused)), None)
        if refused is None or (arrived and refused.out_of_turn):
            return PageReceipt(arrived=arrived)  # another's message came between: send the rest
        return PageReceipt(arrived=arrived, rest=Receipt(took=took, error=refused.why))

    def _letters(self, subscription: Subscription, messages: Sequence[Message]) -> list[Letter]:
        letters, before = list[Letter](), dict[str, str]()
        for message in messages:
            subject, identity = self._address(message)
            letters.append(
                Letter(
                    subject=subject,
                    body=self.body(subscription, message),
                    headers={_ID: identity, **before},
                )
            )
            before = {_BEHIND: identity}
        return letters

    def _address(self, message: Message) -> tuple[str, str]:
        """Return subject and id; those of a message that tells of nothing are its own."""
        if message.profile_id is None or message.word == TEST:
            return f"{self._subject}.test", message.id
        record = orjson.loads(message.record)
        noun = message.word.partition(".")[0]
        return (
            f"{self._subject}.{message.profile_id}.{noun}.{record['type']}",
            f"{profile_name(message.profile_id)}:{record['id']}",
        )
