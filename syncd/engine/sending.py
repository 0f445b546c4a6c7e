"""Sending by sinks: each request in its place, and counted."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from functools import lru_cache, partial
from urllib.parse import urlsplit

from syncd.engine.places import Places
from syncd.model.subscription import Format, Subscription
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.sink import Attempt, BurstSink, Message, PageSink, Receipt, Sink

# A sink that takes no pages is sent a burst: messages that are written and noted together (ADR 52).
BURST = 16
BURST_LASTS = timedelta(milliseconds=100)  # then what arrived is noted, and others have the place


class Sender:
    """Sends one request at a time to a subscription; its sinks are by format."""

    def __init__(self, sinks: Mapping[Format, Sink], clock: Clock, meter: Meter) -> None:
        """Begin with nobody waiting for a place."""
        self.sinks = sinks
        self.places = Places()
        self._paged = {form: one for form, one in sinks.items() if isinstance(one, PageSink)}
        self._bursting = {form: one for form, one in sinks.items() if isinstance(one, BurstSink)}
        self._clock = clock
        self._meter = meter

    def takes(self, form: Format) -> int | None:
        """Return how many messages are sent at once; None for as many as there are."""
        return None if form in self._paged else BURST

    async def one(
        self, subscription: Subscription, message: Message, *, failing: bool | None = None
    ) -> Receipt:
        """Send one message, when no other is under way to the subscription.

        ``failing`` tells whether the last one failed, if the subscription itself does not (F37).
        """
        async with self._place(subscription, failing=failing):
            receipt = await self.sinks[subscription.format].send(subscription, message)
        self._count(receipt)
        return receipt

    async def many(
        self, subscription: Subscription, messages: Sequence[Message], arrived: list[Receipt]
    ) -> Receipt | None:
        """Send what is next: a page where the sink takes pages, else a burst.

        ``arrived`` gets the receipts of those that did, as they come, and so has them also when
        this is cancelled. Return that of the first that did not; None if all did, or only the
        first of them were sent.
        """
        sink = self._paged.get(subscription.format)
        try:
            async with self._place(subscription):
                if sink is None:
                    rest = await self._burst(subscription, messages, arrived)
                else:
                    receipt = await sink.send_page(subscription, messages)
                    arrived += receipt.arrived
                    rest = receipt.rest
        finally:
            self._count(*arrived)
        if rest is not None:
            self._count(rest)
        return rest

    async def _burst(
        self, subscription: Subscription, messages: Sequence[Message], arrived: list[Receipt]
    ) -> Receipt | None:
        """Send one message after the other, until one fails or enough time has passed.

        What there is time for, by the answers so far, is written and signed at once: the second of
        two alike costs half of what it does behind a request.
        """
        began, longest = self._clock.monotonic(), BURST_LASTS.total_seconds()
        done, most, spent = 0, 1, 0.0
        while done < len(messages):
            for attempt in self._attempts(subscription, messages[done : done + most]):
                receipt = await attempt()
                if receipt.error is not None:
                    return receipt
                arrived.append(receipt)
                done += 1
                spent = self._clock.monotonic() - began
                if spent >= longest:
                    return None
            most = max(1, int(done * (longest / spent - 1))) if spent > 0 else len(messages)
        return None

    def _attempts(
        self, subscription: Subscription, messages: Sequence[Message]
    ) -> Sequence[Attempt]:
        if sink := self._bursting.get(subscription.format):
            return sink.prepare(subscription, messages)
        send = self.sinks[subscription.format].send
        return [partial(send, subscription, one) for one in messages]

    def _place(
        self, subscription: Subscription, *, failing: bool | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Wait for the subscription's turn, and for a place at its host."""
        host = _host(subscription.url)
        if failing is None:
            failing = subscription.attempts > 0
        return self.places.one(subscription.id, host, failing=failing)

    def _count(self, *receipts: Receipt) -> None:
        """Count what became of some that ended alike."""
        if not receipts:
            return
        outcome = "delivered" if receipts[0].error is None else "failed"
        self._meter.count("deliveries_total", len(receipts), outcome=outcome)
        for one in receipts:
            self._meter.observe("delivery_seconds", one.took.total_seconds(), outcome=outcome)


@lru_cache(maxsize=4096)  # urlsplit keeps 128, fewer than there are webhooks
def _host(url: str) -> str:
    return urlsplit(url).netloc
