"""A target that does as it is told."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

from syncd.model.subscription import Subscription
from syncd.ports.sink import Message, Receipt

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
