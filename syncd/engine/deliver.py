"""Pushing: one request in flight a subscription, in order, and nobody waits for another (I14)."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import structlog

from syncd.engine.hub import Hub
from syncd.engine.ledger import Ledger
from syncd.engine.messages import trial_message
from syncd.engine.outbox import ahead
from syncd.engine.places import Places
from syncd.model.errors import NotFoundError, SyncdError
from syncd.model.ids import ProfileId
from syncd.model.subscription import SHARED_FORMATS, Format, Subscription
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.sink import Message, PageReceipt, PageSink, Receipt, Sink
from syncd.ports.store import Store
from syncd.ports.store.subscriptions import Advance

_CUT_OFF = Receipt(took=timedelta(), error="retention has cut the record off")
_AFTER_A_FAULT = timedelta(minutes=1)
_LONG = timedelta(hours=1)

log = structlog.get_logger()


class Deliverer:
    """Owns what is being sent: enter it (``async with``), and ``tick`` it.

    Places and times are in the store, so leaving it loses nothing: what was being sent is sent
    again, with the same id.
    """

    def __init__(  # noqa: PLR0913 - what pushing touches
        self,
        store: Store,
        hub: Hub,
        ledger: Ledger,
        sinks: Mapping[Format, Sink],
        *,
        clock: Clock,
        meter: Meter,
    ) -> None:
        """Send by ``sinks``; ``ledger`` writes the messages, and keeps what became of them."""
        self._store = store
        self._hub = hub
        self._ledger = ledger
        self._sinks = sinks
        self._clock = clock
        self._meter = meter
        self._group = asyncio.TaskGroup()
        self._ahead = dict[str, dict[ProfileId | None, None]]()  # None: replays
        self._running = dict[str, asyncio.Task[None]]()
        self._later = dict[str, datetime]()
        self._locks = dict[str, asyncio.Lock]()
        self._places = Places()
        self._held = dict[tuple[str, ProfileId], datetime]()  # when to look again
        self._greetings = set[asyncio.Task[None]]()
        self._unseen = True  # that there may be more ahead than we know of

    async def __aenter__(self) -> Self:
        """Begin with nothing."""
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Cancel what runs and wait until it has ended."""
        self._ahead.clear()
        for task in (*self._running.values(), *self._greetings):
            task.cancel()
        await self._group.__aexit__(kind, error, traceback)

    async def follow(self) -> None:
        """Send news as they are recorded; until cancelled."""
        with self._hub.watch(lambda _: True) as watch:
            while True:
                try:
                    for profile in watch.take():
                        await self.wake(profile)
                except SyncdError:
                    self._unseen = True  # the next tick looks
                await watch.wait(_LONG)

    async def wake(self, profile: ProfileId) -> None:
        """Note that a profile has news."""
        for subscription in await self._store.subscribers(profile):
            self._put(subscription, profile)

    async def tick(self) -> None:
        """Try again what is due; the first one finds everything that was left."""
        if self._unseen:
            self._unseen = False
            try:
                await self._look()
            except SyncdError:
                self._unseen = True
                raise
        now = self._clock.now()
        for subscription in [one for one, at in self._later.items() if at <= now]:
            del self._later[subscription]
            self._run(subscription)
        for subscription, profile in [one for one, at in self._held.items() if at <= now]:
            del self._held[subscription, profile]
            self._put(subscription, profile)

    async def changed(self, subscription: str) -> None:
        """Begin anew with a subscription that was made, changed, or removed."""
        await self.stop(subscription)
        await self._look(subscription)

    def replay(self, subscription: str) -> None:
        """Note that replays are waiting."""
        self._put(subscription, None)

    async def stop(self, subscription: str) -> None:
        """End what is being sent to a subscription, and forget what it has before it."""
        self._ahead.pop(subscription, None)
        self._later.pop(subscription, None)
        if task := self._running.get(subscription):
            task.cancel()
            await asyncio.wait({task})

    def greet(self, subscription: Subscription) -> None:
        """Send a message that tells of nothing, soon; whatever becomes of it (C15)."""
        task = self._group.create_task(self._greet(subscription), name=f"greet {subscription.id}")
        self._greetings.add(task)
        task.add_done_callback(self._greetings.discard)

    async def test(self, subscription: Subscription) -> Receipt:
        """Send a message that tells of nothing, between two others, and keep no account of it."""
        return await self._send(subscription, trial_message(subscription, self._clock.now()))

    def body(self, subscription: Subscription, message: Message) -> bytes:
        """Return a message as it is sent."""
        return self._sinks[subscription.format].body(subscription, message)

    async def settled(self) -> None:
        """Return when nothing is being sent."""
        while self._running or self._greetings:
            await asyncio.wait([*self._running.values(), *self._greetings])

    async def _greet(self, subscription: Subscription) -> None:
        try:
            receipt = await self.test(subscription)
        except Exception:  # a fault of ours in one must not stop the others
            log.exception("greeting.broken", subscription_id=subscription.id)
            return
        if receipt.error is not None:
            log.warning("greeting.failed", subscription_id=subscription.id, why=receipt.error)

    async def _look(self, subscription: str | None = None) -> None:
        for one, profile in await self._store.undelivered(subscription):
            self._put(one, profile)

    def _put(self, subscription: str, profile: ProfileId | None) -> None:
        self._ahead.setdefault(subscription, {})[profile] = None
        if subscription not in self._later:
            self._run(subscription)

    def _run(self, subscription: str) -> None:
        if subscription in self._running or not self._ahead.get(subscription):
            return
        task = self._group.create_task(self._safely(subscription), name=f"deliver {subscription}")
        self._running[subscription] = task
        task.add_done_callback(lambda _: self._ended(subscription))

    def _ended(self, subscription: str) -> None:
        del self._running[subscription]
        if self._ahead.get(subscription):
            if subscription not in self._later:
                self._run(subscription)  # news came while it ended
        else:
            self._ahead.pop(subscription, None)

    async def _safely(self, subscription: str) -> None:
        """Deliver; a fault of ours in one must not stop the others, it is loud and rare."""
        try:
            await self._deliver(subscription)
        except NotFoundError:
            self._ahead.pop(subscription, None)  # removed
        except SyncdError as error:
            log.warning("delivery.interrupted", subscription_id=subscription, why=str(error))
            self._put_off(subscription)
        except Exception:
            log.exception("delivery.broken", subscription_id=subscription)
            self._meter.count("deliveries_total", outcome="broken")
            self._put_off(subscription)

    def _put_off(self, subscription: str) -> None:
        """Try again later; what was being read is to be found anew."""
        self._later[subscription] = self._clock.now() + _AFTER_A_FAULT
        self._unseen = True

    async def _deliver(self, identity: str) -> None:
        """Send what is before a subscription, until there is nothing, or something failed."""
        subscription = await self._store.subscription(identity)
        if not subscription.enabled:
            self._ahead.pop(identity, None)
            return
        if subscription.retry_at is not None and subscription.retry_at > self._clock.now():
            self._later[identity] = subscription.retry_at
            return
        ahead = self._ahead[identity]
        while ahead:
            profile = next(iter(ahead))
            del ahead[profile]  # before reading, or news between is lost
            if profile is None:
                await self._replay(subscription)
            elif not subscription.profiles or profile in subscription.profiles:
                subscription = await self._news(subscription, profile)
            else:
                await self._pass_by(subscription, profile)
            if not subscription.enabled:
                self._ahead.pop(identity, None)
                return
            if subscription.retry_at is not None and subscription.retry_at > self._clock.now():
                ahead[profile] = None
                self._later[identity] = subscription.retry_at
                return

    async def _news(self, subscription: Subscription, profile: ProfileId) -> Subscription:
        """Send what a profile's stream holds behind the subscription's place, in order."""
        if subscription.format in SHARED_FORMATS and self._hub.later(profile):
            return subscription
        at, more = await self._store.place(subscription.id, profile), True
        while more:
            now = self._clock.now()
            found = await ahead(self._store, subscription, profile, at, now=now)
            if found.lost:
                return await self._ledger.expire(subscription)
            runs = list(found.runs)
            while runs:
                page = [
                    (
                        run,
                        await self._ledger.message(
                            subscription, found.stream, run.first, since=run.since
                        ),
                    )
                    for run in (runs if self._takes_pages(subscription) else runs[:1])
                ]
                receipt = await self._send_page(subscription, [message for _, message in page])
                subscription = await self._ledger.note(
                    subscription, found.stream, page, receipt, before=at
                )
                if receipt.rest is not None:
                    return subscription
                arrived = len(receipt.arrived)
                at, runs = runs[arrived - 1].end, runs[arrived:]
            if found.end > at:
                step = Advance(profile_id=profile, before=at, after=found.end)
                await self._store.advance(subscription.id, step)
                at = found.end
            if found.held is not None:  # whoever gives the event its name wakes us before that
                self._held[subscription.id, profile] = found.held
            more = found.more
        return subscription

    async def _pass_by(self, subscription: Subscription, profile: ProfileId) -> None:
        """Move on in a profile that was not asked for: it is no backlog, nor does it expire."""
        at, stream = (
            await self._store.place(subscription.id, profile),
            await self._store.stream(profile),
        )
        if stream.head > at:
            step = Advance(profile_id=profile, before=at, after=stream.head)
            await self._store.advance(subscription.id, step)

    async def _replay(self, subscription: Subscription) -> None:
        """Send again what was asked for, oldest first."""
        while (replay := await self._store.next_replay(subscription.id)) is not None:
            message = await self._ledger.message_again(subscription, replay)
            receipt = _CUT_OFF if message is None else await self._send(subscription, message)
            await self._ledger.note_replay(replay, receipt)

    async def _send(self, subscription: Subscription, message: Message) -> Receipt:
        """Send one message, when no other is under way to the subscription."""
        async with self._turn(subscription):
            receipt = await self._sinks[subscription.format].send(subscription, message)
        self._count(receipt)
        return receipt

    async def _send_page(
        self, subscription: Subscription, messages: Sequence[Message]
    ) -> PageReceipt:
        """Send what is next: a page where the sink takes pages, else one message."""
        sink = self._sinks[subscription.format]
        if not isinstance(sink, PageSink):
            one = await self._send(subscription, messages[0])
            done = one.error is None
            return PageReceipt(arrived=[one] if done else [], rest=None if done else one)
        async with self._turn(subscription):
            receipt = await sink.send_page(subscription, messages)
        for arrived in receipt.arrived:
            self._count(arrived)
        if receipt.rest is not None:
            self._count(receipt.rest)
        return receipt

    def _takes_pages(self, subscription: Subscription) -> bool:
        return isinstance(self._sinks[subscription.format], PageSink)

    @asynccontextmanager
    async def _turn(self, subscription: Subscription) -> AsyncIterator[None]:
        """Wait for the subscription's turn, and for a place at its host."""
        host = urlsplit(subscription.url).netloc
        async with (
            self._locks.setdefault(subscription.id, asyncio.Lock()),
            self._places.one(host, failing=bool(subscription.attempts)),
        ):
            yield

    def _count(self, receipt: Receipt) -> None:
        outcome = "delivered" if receipt.error is None else "failed"
        self._meter.count("deliveries_total", outcome=outcome)
        self._meter.observe("delivery_seconds", receipt.took.total_seconds(), outcome=outcome)
