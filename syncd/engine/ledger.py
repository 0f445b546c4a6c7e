"""What subscriptions are sent, and what each attempt means for the next (api.md N17)."""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from syncd.engine.link import Linking
from syncd.engine.messages import message_of
from syncd.engine.notes import Notes
from syncd.engine.outbox import Run
from syncd.engine.records import with_relink_url
from syncd.model.activity import Activity, Filter, Kind, Stream
from syncd.model.errors import NotFoundError
from syncd.model.ids import Position
from syncd.model.profile import Profile
from syncd.model.subscription import (
    CHANGE,
    Delivery,
    Outcome,
    Reason,
    Subscription,
    delivery_id,
    pause_after,
)
from syncd.ports.clock import Clock
from syncd.ports.meter import Meter
from syncd.ports.sink import Message, PageReceipt, Receipt
from syncd.ports.store import Store
from syncd.ports.store.subscriptions import Advance, Note

_EVERY_KIND = Filter(kinds=frozenset(Kind))
_MICROSECOND = timedelta(microseconds=1)
_JITTER = 0.2  # of each pause, half of it to either side

log = structlog.get_logger()


class Ledger:
    """Writes messages and keeps what became of them; sends nothing."""

    def __init__(  # noqa: PLR0913 - what the rules touch
        self,
        store: Store,
        notes: Notes,
        linking: Linking,
        clock: Clock,
        meter: Meter,
        *,
        public_url: str,
        draw: Callable[[], float],
    ) -> None:
        """Links in messages begin with ``public_url`` (R10); ``draw`` gives jitter, 0 to 1."""
        self._store = store
        self._notes = notes
        self._linking = linking
        self._clock = clock
        self._meter = meter
        self._public_url = public_url
        self._draw = draw
        self._last = datetime.min.replace(tzinfo=UTC)
        self._entropy = secrets.token_bytes(6)  # other processes' ids are others

    async def message(
        self,
        subscription: Subscription,
        stream: Stream,
        activity: Activity,
        *,
        since: datetime | None = None,
    ) -> Message:
        """Return the message of an activity; an account's with its relink URL of now (K42).

        ``since`` as in ``message_of``.
        """
        record = activity.body
        if activity.kind is Kind.ACCOUNT:
            profile, url = None, None
            with suppress(NotFoundError):  # removed: its last records have no link any more
                profile = await self._store.profile(stream.profile_id)
                url = await self._relink_url(profile)
            record = with_relink_url(record, profile, url)
        return message_of(subscription, stream, activity, record, since=since)

    async def message_again(self, subscription: Subscription, once: Delivery) -> Message | None:
        """Return the message of an earlier attempt; None if retention has cut its record off."""
        profile, before = once.profile_id, Position(once.position - 1)
        stream, found, _ = await self._store.read(
            profile, after=before, limit=1, wanted=_EVERY_KIND
        )
        if not found or found[0].position != once.position:
            return None
        return await self.message(subscription, stream, found[0], since=once.since)

    async def note(
        self,
        subscription: Subscription,
        stream: Stream,
        tried: Sequence[tuple[Run, Message]],
        receipt: PageReceipt,
        *,
        before: Position,
    ) -> Subscription:
        """Keep attempts at what is next; return the subscription as it stands now.

        ``tried`` is the page that was sent, ``before`` where the subscription stood in the stream.
        A success may be written later than this returns, and before ``settled`` does.
        """
        now, count = self._clock.now(), len(receipt.arrived)
        after, step = subscription, None
        if count:
            end = tried[count - 1][0].end
            step = Advance(profile_id=stream.profile_id, before=before, after=end)
            changes = any(message.word == CHANGE for _, message in tried[:count])
            if subscription.attempts or changes:  # whose next one tells since when
                last = receipt.arrived[-1].at or now
                after = replace(subscription, attempts=0, retry_at=None, delivered_at=last)
        if receipt.rest is not None:
            after = self._after_failure(after, receipt.rest)
        receipts = [*receipt.arrived, *([] if receipt.rest is None else [receipt.rest])]
        deliveries = [
            Delivery(
                id=delivery_id(self._moment(one.at or now), self._entropy),
                subscription_id=subscription.id,
                profile_id=stream.profile_id,
                position=run.first.position,
                record_id=message.record_id,
                attempt=1 if number else subscription.attempts + 1,
                at=one.at or now,
                outcome=Outcome.DELIVERED if one.error is None else Outcome.FAILED,
                code=one.code,
                duration=one.took,
                error=one.error,
                answer=one.answer,
                next_at=None if one.error is None else after.retry_at,
                since=message.at if message.word == CHANGE else None,
            )
            for number, ((run, message), one) in enumerate(zip(tried, receipts, strict=False))
        ]
        await self._notes.add(
            Note(
                subscription_id=subscription.id,
                step=step,
                deliveries=tuple(deliveries),
                attempts=after.attempts,
                reason=after.reason,
            )
        )
        if receipt.rest is not None:
            await self.settled(subscription.id)
        self._tell(subscription, after, receipt.rest or receipts[-1])
        return after

    async def pass_over(self, subscription: Subscription, step: Advance) -> None:
        """Keep that there was nothing to send."""
        await self._notes.add(Note(subscription_id=subscription.id, step=step))

    async def note_replay(
        self, subscription: Subscription, replay: Delivery, receipt: Receipt, *, again: bool = True
    ) -> Subscription:
        """Keep what became of a replay; return the subscription as it stands now.

        It moves nothing. One that failed stays pending until it is due by the schedule (N17), and
        the attempt is kept by itself; unless ``again``, or when the schedule has ended, it is over.
        """
        now = self._clock.now()
        told = replace(
            replay,
            at=now,
            outcome=Outcome.DELIVERED if receipt.error is None else Outcome.FAILED,
            code=receipt.code,
            duration=receipt.took,
            error=receipt.error,
            answer=receipt.answer,
            next_at=None,
        )
        after, entries = subscription, [told]
        if receipt.gone:
            after = replace(subscription, reason=Reason.GONE, retry_at=None)
        elif receipt.error is not None and again:
            pause = self._pause(subscription, replay.attempt, receipt)
            if pause is not None:
                due = now + pause
                identity = delivery_id(self._moment(now), self._entropy)
                waits = replace(replay, attempt=replay.attempt + 1, next_at=due)
                entries = [replace(told, id=identity, next_at=due), waits]
        await self._notes.add(
            Note(
                subscription_id=replay.subscription_id,
                deliveries=tuple(entries),
                attempts=subscription.attempts if receipt.gone else None,
                reason=after.reason,
            )
        )
        await self._notes.written(replay.subscription_id)
        if receipt.gone:
            self._tell(subscription, after, receipt)
        return after

    async def settled(self, subscription: str) -> None:
        """Return when all that was kept of a subscription is in the store, or raise why not."""
        await self._notes.written(subscription)

    async def expire(self, subscription: Subscription) -> Subscription:
        """Disable what retention has passed; never move it on silently (S9)."""
        await self.settled(subscription.id)
        after = replace(subscription, reason=Reason.EXPIRED, retry_at=None)
        await self._store.expire_subscriptions(subscription.id)
        self._tell(subscription, after, None)
        return after

    def _after_failure(self, subscription: Subscription, receipt: Receipt) -> Subscription:
        failed = replace(subscription, attempts=subscription.attempts + 1, retry_at=None)
        if receipt.gone:
            return replace(failed, reason=Reason.GONE)
        pause = self._pause(failed, failed.attempts, receipt)
        if pause is None:
            return replace(failed, reason=Reason.EXHAUSTED)
        return replace(failed, retry_at=self._clock.now() + pause)

    def _pause(
        self, subscription: Subscription, failures: int, receipt: Receipt
    ) -> timedelta | None:
        """Return how long to wait after so many failures; None if that was the last try."""
        pause = pause_after(subscription.format, failures)
        if pause is None:
            return None
        pause *= 1 + _JITTER * (self._draw() - 0.5)
        return pause if receipt.retry_after is None else max(pause, receipt.retry_after)

    def _tell(self, before: Subscription, after: Subscription, receipt: Receipt | None) -> None:
        """Log changes of state only: the first failure, the return, and the end."""
        answered = None if receipt is None else receipt.code
        if after.reason is not None:
            log.warning(
                "subscription.disabled",
                subscription_id=after.id,
                reason=after.reason,
                answered=answered,
            )
            self._meter.count("subscriptions_disabled_total", reason=after.reason)
        elif after.attempts == 1:
            log.warning("subscription.failing", subscription_id=after.id, answered=answered)
        elif before.attempts and not after.attempts:
            log.info("subscription.recovered", subscription_id=after.id, attempts=before.attempts)

    def _moment(self, now: datetime) -> datetime:
        """Return now, or a moment later than the last one: what came later is listed later."""
        self._last = max(now, self._last + _MICROSECOND)
        return self._last

    async def _relink_url(self, profile: Profile) -> str | None:
        if profile.refused is None:
            return None
        path = await self._linking.relink_path(profile)
        return None if path is None else self._public_url + path
