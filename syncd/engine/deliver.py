"""Pushing: one request in flight a subscription, in order, and nobody waits for another (I14)."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog

from syncd.engine.hub import Hub
from syncd.engine.ledger import Ledger
from syncd.engine.messages import trial_message
from syncd.engine.outbox import Ahead, Run, ahead
from syncd.engine.replaying import Replayer
from syncd.engine.sending import Sender
from syncd.engine.shared import SharedReads
from syncd.model.activity import Stream
from syncd.model.errors import NotFoundError, SyncdError
from syncd.model.ids import Position, ProfileId
from syncd.model.subscription import SHARED_FORMATS, Format, Subscription
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.sink import Message, PageReceipt, Receipt, Sink
from syncd.ports.store import Store
from syncd.ports.store.subscriptions import Advance, Standing

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
        self._sender = Sender(sinks, clock, meter)
        self._replayer = Replayer(store, ledger, self._sender, clock)
        self._clock = clock
        self._meter = meter
        self._group = asyncio.TaskGroup()
        self._ahead = dict[str, dict[ProfileId | None, None]]()  # None: replays
        self._running = dict[str, asyncio.Task[None]]()
        self._later = dict[str, datetime]()
        self._looks = dict[object, set[str]]()  # under way: what they cannot tell of any more
        self._shared = SharedReads(store)
        self._held = dict[tuple[str, ProfileId | None], datetime]()  # when to look again
        self._greetings = set[asyncio.Task[None]]()
        self._unseen = True  # that there may be more ahead than we know of
        self._resting = False

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

    async def rest(self) -> None:
        """Send nothing more until ``resume``: another process on this database does (ADR 50)."""
        self._resting = True
        self._held.clear()
        for subscription in {*self._running, *self._ahead, *self._later}:
            await self.stop(subscription)

    def resume(self) -> None:
        """Send again, and find everything that was left."""
        self._resting, self._unseen = False, True

    async def wake(self, profile: ProfileId) -> None:
        """Note that a profile has news."""
        if self._resting:
            return
        self._shared.forget(profile)
        look = object()
        touched = self._looks[look] = set(self._running)
        try:
            found = await self._store.subscribers(profile)
        finally:
            del self._looks[look]
        for one in found:
            known = None if one.subscription.id in touched else one
            self._put(one.subscription.id, profile, known)

    async def tick(self) -> None:
        """Try again what is due; the first one finds everything that was left."""
        if self._unseen and not self._resting:
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

    def look_anew(self) -> None:
        """Read again when everything is due: the clock was set back, and the store with it."""
        for subscription in {*self._ahead, *self._later, *(one for one, _ in self._held)}:
            self._replayer.hurry(subscription)
        self._later.clear()
        self._held.clear()
        self._unseen = True

    async def changed(self, subscription: str) -> None:
        """Begin anew with a subscription that was made, changed, or removed."""
        await self.stop(subscription)
        await self._look(subscription)

    def replay(self, subscription: str) -> None:
        """Note that replays are waiting."""
        self._replayer.hurry(subscription)
        self._put(subscription, None)

    async def stop(self, subscription: str) -> None:
        """End what is being sent to a subscription, and forget what it has before it."""
        self._ahead.pop(subscription, None)
        self._later.pop(subscription, None)
        self._replayer.hurry(subscription)
        self._touch(subscription)
        if task := self._running.get(subscription):
            task.cancel()
            await asyncio.wait({task})
        with suppress(SyncdError):  # what was delivered has moved its place when this returns
            await self._ledger.settled(subscription)

    def greet(self, subscription: Subscription) -> None:
        """Send a message that tells of nothing, soon; whatever becomes of it (C15)."""
        task = self._group.create_task(self._greet(subscription), name=f"greet {subscription.id}")
        self._greetings.add(task)
        task.add_done_callback(self._greetings.discard)

    async def test(self, subscription: Subscription) -> Receipt:
        """Send a message that tells of nothing, between two others, and keep no account of it."""
        return await self._sender.one(subscription, trial_message(subscription, self._clock.now()))

    def body(self, subscription: Subscription, message: Message) -> bytes:
        """Return a message as it is sent."""
        return self._sender.sinks[subscription.format].body(subscription, message)

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
        found = await self._store.undelivered(subscription)
        self._shared.forget()
        for one, profile in found:
            self._put(one, profile)

    def _put(
        self, subscription: str, profile: ProfileId | None, known: Standing | None = None
    ) -> None:
        if self._resting:
            return
        self._ahead.setdefault(subscription, {})[profile] = None
        if subscription not in self._later:
            self._run(subscription, known)

    def _run(self, subscription: str, known: Standing | None = None) -> None:
        if subscription in self._running or not self._ahead.get(subscription):
            return
        self._touch(subscription)
        work = self._safely(subscription, known)
        task = self._group.create_task(work, name=f"deliver {subscription}")
        self._running[subscription] = task
        task.add_done_callback(lambda _: self._ended(subscription))

    def _touch(self, subscription: str) -> None:
        """Note that what is being read of it may be old."""
        for touched in self._looks.values():
            touched.add(subscription)

    def _ended(self, subscription: str) -> None:
        del self._running[subscription]
        if self._ahead.get(subscription):
            if subscription not in self._later:
                self._run(subscription)  # news came while it ended
        else:
            self._ahead.pop(subscription, None)

    async def _safely(self, subscription: str, known: Standing | None) -> None:
        """Deliver; a fault of ours in one must not stop the others, it is loud and rare."""
        try:
            await self._deliver(subscription, known)
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

    async def _deliver(self, identity: str, known: Standing | None) -> None:
        """Send what is before a subscription, until there is nothing, or something failed.

        ``known`` is where it stands, if that was read just now.
        """
        places = dict[ProfileId, Position]()
        if known is None:
            subscription = await self._store.subscription(identity)
        else:
            subscription, places[known.profile_id] = known.subscription, known.at
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
                subscription = await self._replay(subscription, ahead)
            elif subscription.names(profile):
                subscription = await self._news(subscription, profile, places)
            else:
                await self._pass_by(subscription, profile, places)
            if not subscription.enabled:
                self._ahead.pop(identity, None)
                return
            if subscription.retry_at is not None and subscription.retry_at > self._clock.now():
                ahead[profile] = None
                self._later[identity] = subscription.retry_at
                return
            if not ahead:
                await self._ledger.settled(identity)  # news that come meanwhile are sent at once

    async def _news(
        self, subscription: Subscription, profile: ProfileId, places: dict[ProfileId, Position]
    ) -> Subscription:
        """Send what a profile's stream holds behind the subscription's place, in order.

        ``places`` are those that are known; what is noted is in the store only a little later.
        """
        if subscription.format in SHARED_FORMATS and self._hub.later(profile):
            return subscription
        at, more = await self._at(subscription, profile, places), True
        while more:
            now = self._clock.now()
            found = await ahead(
                self._store, subscription, profile, at, now=now, shared=self._shared
            )
            if found.lost:
                return await self._ledger.expire(subscription)
            subscription, well = await self._send(subscription, found, places)
            if not well:
                return subscription
            await self._pass_over(subscription, profile, places, found.end)
            if found.held is not None:  # whoever gives the event its name wakes us before that
                self._held[subscription.id, profile] = found.held
            at, more = places[profile], found.more
        return subscription

    async def _send(
        self, subscription: Subscription, found: Ahead, places: dict[ProfileId, Position]
    ) -> tuple[Subscription, bool]:
        """Send what was found, in order; return the subscription, and whether all arrived."""
        profile, most = found.stream.profile_id, self._sender.takes(subscription.format)
        runs, page = list(found.runs), list[tuple[Run, Message]]()
        if runs and runs[-1].end < found.end:  # behind the last one is nothing that is wanted
            runs[-1] = replace(runs[-1], end=found.end)
        while runs or page:
            if not page:
                page = await self._written(subscription, found.stream, runs[:most])
                runs = runs[len(page) :]
            note, before = self._ledger.note, places[profile]
            arrived, messages = list[Receipt](), [message for _, message in page]
            try:
                rest = await self._sender.many(subscription, messages, arrived)
            except BaseException:  # whoever stops us at the next one, what arrived is kept
                if arrived:
                    receipt = PageReceipt(arrived=arrived)
                    with suppress(SyncdError):
                        await note(subscription, found.stream, page, receipt, before=before)
                raise
            receipt = PageReceipt(arrived=arrived, rest=rest)
            subscription = await note(subscription, found.stream, page, receipt, before=before)
            if arrived:
                places[profile] = page[len(arrived) - 1][0].end
                page = page[len(arrived) :]
            if rest is not None:
                return subscription, False
        return subscription, True

    async def _written(
        self, subscription: Subscription, stream: Stream, runs: Sequence[Run]
    ) -> list[tuple[Run, Message]]:
        """Return runs with their messages."""
        write = self._ledger.message
        return [
            (run, await write(subscription, stream, run.first, since=run.since)) for run in runs
        ]

    async def _pass_by(
        self, subscription: Subscription, profile: ProfileId, places: dict[ProfileId, Position]
    ) -> None:
        """Move on in a profile that was not asked for: it is no backlog, nor does it expire."""
        await self._at(subscription, profile, places)
        stream = await self._store.stream(profile)
        await self._pass_over(subscription, profile, places, stream.head)

    async def _at(
        self, subscription: Subscription, profile: ProfileId, places: dict[ProfileId, Position]
    ) -> Position:
        if profile not in places:
            places[profile] = await self._store.place(subscription.id, profile)
        return places[profile]

    async def _pass_over(
        self,
        subscription: Subscription,
        profile: ProfileId,
        places: dict[ProfileId, Position],
        end: Position,
    ) -> None:
        """Move on to an end, where there is nothing to send."""
        if end > places[profile]:
            step = Advance(profile_id=profile, before=places[profile], after=end)
            await self._ledger.pass_over(subscription, step)
            places[profile] = end

    async def _replay(
        self, subscription: Subscription, ahead: dict[ProfileId | None, None]
    ) -> Subscription:
        """Send again one of those that were asked for; the next one comes behind news."""
        subscription, due = await self._replayer.step(subscription)
        if due is not None and due > self._clock.now():
            self._held[subscription.id, None] = due
        elif due is not None:
            ahead[None] = None
        return subscription
