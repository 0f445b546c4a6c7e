"""What was tried to deliver, and what is to be sent again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import NotFoundError
from syncd.model.subscription import Delivery, Outcome, Reason
from syncd.model.when import from_milliseconds, milliseconds
from syncd.ports.store.subscriptions import Advance
from syncd.store.rows import AnyRow, Values, instant_of, stamp
from syncd.store.subscription_tables import deliveries, subscriptions
from syncd.store.subscriptions import step_on
from syncd.store.topic import Topic
from syncd.store.upsert import upsert

_MILLISECOND = timedelta(milliseconds=1)


class SqlDeliveries(Topic):
    """The second half of ``Subscriptions`` in SQL."""

    async def note_delivery(
        self,
        *tried: Delivery,
        step: Advance | None = None,
        attempts: int | None = None,
        reason: Reason | None = None,
    ) -> None:
        """Keep attempts, with the step that they allow, or with what they make of the rest."""
        told: Values = {}
        last = tried[-1]
        if attempts is not None:
            told |= {"attempts": attempts, "retry_at": stamp(last.next_at)}
        if any(one.outcome is Outcome.DELIVERED for one in tried):
            told["delivered_at"] = milliseconds(last.at)
        if reason is not None:
            told |= {"reason": reason, "retry_at": None}

        async def work(connection: AsyncConnection) -> None:
            mine = subscriptions.c.subscription_id == last.subscription_id
            changed = update(subscriptions).where(mine).values(told)
            if told and not (await connection.execute(changed)).rowcount:
                raise NotFoundError("there is no such webhook")
            if step is not None:
                await step_on(connection, last.subscription_id, step)
            rows = [_values(one) for one in tried]
            await connection.execute(upsert(deliveries, connection), rows)

        await self._database.write(work)

    async def queue_replays(self, replays: Sequence[Delivery]) -> None:
        """Keep replays that are to be sent."""
        if not replays:
            return

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(deliveries), [_values(one) for one in replays])

        await self._database.write(work)

    async def next_replay(self, subscription: str) -> Delivery | None:
        """Return the oldest replay that was not tried."""
        row = deliveries.c
        waiting = (row.subscription_id == subscription, row.outcome == Outcome.PENDING)
        wanted = select(deliveries).where(*waiting).order_by(row.delivery_id).limit(1)
        rows = await self._database.fetch(wanted)
        return _delivery(rows[0]) if rows else None

    async def deliveries(
        self,
        subscription: str,
        *,
        outcome: Outcome | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> Sequence[Delivery]:
        """Return attempts, newest first, those older than ``before``."""
        row = deliveries.c
        wanted = select(deliveries).where(row.subscription_id == subscription)
        if outcome is not None:
            wanted = wanted.where(row.outcome == outcome)
        if before is not None:
            wanted = wanted.where(row.delivery_id < before)
        ordered = wanted.order_by(row.delivery_id.desc()).limit(limit)
        return [_delivery(one) for one in await self._database.fetch(ordered)]

    async def delivery(self, subscription: str, delivery: str) -> Delivery:
        """Return one attempt; raises NotFoundError."""
        row = deliveries.c
        mine = (row.subscription_id == subscription, row.delivery_id == delivery)
        rows = await self._database.fetch(select(deliveries).where(*mine))
        if not rows:
            raise NotFoundError("there is no such delivery")
        return _delivery(rows[0])

    async def failed(self, subscription: str, *, limit: int = 1000) -> Sequence[Delivery]:
        """Return the last attempt at each record that was never delivered, oldest first."""
        row, other = deliveries.c, deliveries.alias("other")
        arrived = exists().where(
            other.c.subscription_id == subscription,
            other.c.profile_id == row.profile_id,
            other.c.record_id == row.record_id,
            other.c.outcome != Outcome.FAILED,
        )
        last = (
            select(func.max(row.delivery_id))
            .where(row.subscription_id == subscription, row.outcome == Outcome.FAILED, ~arrived)
            .group_by(row.profile_id, row.record_id)
        )
        wanted = select(deliveries).where(row.delivery_id.in_(last))
        ordered = wanted.order_by(row.profile_id, row.position).limit(limit)
        return [_delivery(one) for one in await self._database.fetch(ordered)]

    async def forget_deliveries(self, before: datetime, *, limit: int = 500) -> int:
        """Remove attempts from before a time; return how many."""
        row = deliveries.c
        old = and_(row.at < milliseconds(before), row.outcome != Outcome.PENDING)
        some = select(row.delivery_id).where(old).order_by(row.at).limit(limit)
        return await self._database.put(delete(deliveries).where(row.delivery_id.in_(some)))


def _values(delivery: Delivery) -> Values:
    took = delivery.duration
    return {
        "delivery_id": delivery.id,
        "subscription_id": delivery.subscription_id,
        "profile_id": delivery.profile_id,
        "position": delivery.position,
        "record_id": delivery.record_id,
        "attempt": delivery.attempt,
        "at": milliseconds(delivery.at),
        "outcome": delivery.outcome,
        "code": delivery.code,
        "duration_ms": None if took is None else took // _MILLISECOND,
        "error": delivery.error,
        "answer": delivery.answer,
        "next_at": stamp(delivery.next_at),
        "since_at": stamp(delivery.since),
    }


def _delivery(row: AnyRow) -> Delivery:
    took = row.duration_ms
    return Delivery(
        id=row.delivery_id,
        subscription_id=row.subscription_id,
        profile_id=row.profile_id,
        position=row.position,
        record_id=row.record_id,
        attempt=row.attempt,
        at=from_milliseconds(row.at),
        outcome=Outcome(row.outcome),
        code=row.code,
        duration=None if took is None else took * _MILLISECOND,
        error=row.error,
        answer=row.answer or b"",
        next_at=instant_of(row.next_at),
        since=instant_of(row.since_at),
    )
