"""A target that does as it is told."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from syncd.model.subscription import Subscription
from syncd.ports.sink import Attempt, Message, PageReceipt, Receipt

WELL = Receipt(took=timedelta(milliseconds=5), code=204)


def refused(code: int, **fields: object) -> Receipt:
    plain = {"took": timedelta(milliseconds=5), "code": code, "error": f"answered {code}"}
    return Receipt(**{**plain, **fields})  # type: ignore[arg-type]  # checked at run time


class FakeSink:
    """Keeps what arrived by URL; ``answers`` decides, else all is well. ``held`` stops a URL."""

    def __init__(self) -> None:
        self.tried = list[tuple[str, Message]]()
        self.arrived = defaultdict[str, list[Message]](list)
        self.answers: Callable[[str, Message], Receipt] = lambda _url, _message: WELL
        self.held = dict[str, asyncio.Event]()
        self.running = defaultdict[str, int](int)
        self.most = 0

    def body(self, _subscription: Subscription, message: Message) -> bytes:
        return message.record or b"{}"

    async def send(self, subscription: Subscription, message: Message) -> Receipt:
        url = subscription.url
        self.running[url] += 1
        self.most = max(self.most, self.running[url])
        try:
            if url in self.held:
                await self.held[url].wait()
            await asyncio.sleep(0)
            self.tried.append((url, message))
            receipt = self.answers(url, message)
            if receipt.error is None:
                self.arrived[url].append(message)
            return receipt
        finally:
            self.running[url] -= 1


class FakeBurstSink(FakeSink):
    """Keeps how many were prepared at once."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared = list[int]()

    def prepare(self, subscription: Subscription, messages: Sequence[Message]) -> Sequence[Attempt]:
        self.prepared.append(len(messages))
        return [partial(self.send, subscription, one) for one in messages]


class FakePageSink(FakeSink):
    """Takes pages, up to ``at_once`` of each; the answers are decided message by message."""

    def __init__(self, at_once: int = 1000) -> None:
        super().__init__()
        self.at_once = at_once
        self.pages = list[int]()

    async def send_page(
        self, subscription: Subscription, messages: Sequence[Message]
    ) -> PageReceipt:
        self.pages.append(len(messages))
        arrived = list[Receipt]()
        for message in messages[: self.at_once]:
            receipt = await self.send(subscription, message)
            if receipt.error is not None:
                return PageReceipt(arrived=arrived, rest=receipt)
            arrived.append(receipt)
        return PageReceipt(arrived=arrived)
