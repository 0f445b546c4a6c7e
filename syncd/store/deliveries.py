"""What was tried to deliver, and what is to be sent again."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import NotFoundError, StaleStateError
from syncd.model.ids import Position, ProfileId
from syncd.model.subscription import Delivery, Outcome, Reason
from syncd.model.when import from_milliseconds, milliseconds
from syncd.ports.store.subscriptions import Advance, Note
from syncd.store.bulk import change_rows, write_rows
from syncd.store.columns import clean
from syncd.store.rows import AnyRow, instant_of, stamp
from syncd.store.subscription_tables import NOT_DELIVERED, deliveries, subscriptions
from syncd.store.subscriptions import step_on
from syncd.store.topic import Topic
from syncd.store.upsert import upsert

_MILLISECOND = timedelta(milliseconds=1)
_COLUMNS = tuple(column.name for column in deliveries.columns)
_TRIED = bindparam("tried", type_=Integer)
_DUE = bindparam("due", type_=BigInteger)
_WHY = bindparam("why", type_=String)
_REVOKED = subscriptions.c.reason == literal_column(f"'{Reason.REVOKED}'", String)
_REST = (
    update(subscriptions)
    .where(subscriptions.c.subscription_id == bindparam("one"))
    .values(
        attempts=func.coalesce(_TRIED, subscriptions.c.attempts),
        retry_at=case((_TRIED.is_(None), subscriptions.c.retry_at), else_=_DUE),
        reason=case(
            (_REVOKED, subscriptions.c.reason), else_=func.coalesce(_WHY, subscriptions.c.reason)
        ),
        delivered_at=func.coalesce(
            bindparam("arrived", type_=BigInteger), subscriptions.c.delivered_at
        ),
    )
)
_REST_OF_THE_LIVING = _REST.where(or_(subscriptions.c.reason.is_(None), ~_REVOKED))
_RESTED = ("why", "tried", "tried", "due", "arrived", "one")


class SqlDeliveries(Topic):
    """The second half of ``Subscriptions`` in SQL."""

    async def note_deliveries(self, notes: Sequence[Note]) -> frozenset[str]:
        """Write notes, those of a subscription in their order; all of them or none.

        Return the subscriptions whose grant has ended meanwhile. Raises StaleStateError if a
        subscription stood elsewhere, NotFoundError if one is gone.
        """
        rest, steps = _rest_of(notes), _steps_of(notes)
        rows = [_row(one) for note in notes for one in note.deliveries]

        names = {note.subscription_id for note in notes}

        async def work(connection: AsyncConnection) -> frozenset[str]:
            done, ended = (
                await change_rows(connection, _REST_OF_THE_LIVING, _RESTED, rest),
                frozenset[str](),
            )
            if done != len(rest) or len(rest) != len(names):  # else all are there, and alive
                ended = frozenset((await connection.execute(_ended(names))).scalars())
                others = [one for one in rest if one[-1] in ended]
                done += await change_rows(connection, _REST, _RESTED, others)
            if done != len(rest):
                raise NotFoundError("there is no such webhook")
            await step_on(connection, steps)
            await write_rows(connection, upsert(deliveries, connection), _COLUMNS, rows)
            return ended

        return await self._database.write(work)

    async def queue_replays(self, replays: Sequence[Delivery]) -> None:
        """Keep replays that are to be sent."""
        if not replays:
            return

        async def work(connection: AsyncConnection) -> None:
            rows = [_row(one) for one in replays]
            await write_rows(connection, insert(deliveries), _COLUMNS, rows)
            await self._tell_changed(connection, replays[0].subscription_id)

        await self._database.write(work)

    async def next_replay(self, subscription: str, *, now: datetime) -> Delivery | None:
        """Return the oldest replay that is due; one that was never tried always is."""
        row = deliveries.c
        due = or_(row.next_at.is_(None), row.next_at <= milliseconds(now))
        waiting = (*_waiting(subscription), due)
        wanted = select(deliveries).where(*waiting).order_by(row.delivery_id).limit(1)
        rows = await self._database.fetch(wanted)
        return _delivery(rows[0]) if rows else None

    async def replay_due(self, subscription: str) -> datetime | None:
        """Return when the first of the replays that wait is due; None if none waits."""
        first = func.min(func.coalesce(deliveries.c.next_at, deliveries.c.at))
        rows = await self._database.fetch(select(first).where(*_waiting(subscription)))
        return instant_of(rows[0][0])

    async def hurry_replays(self, subscription: str) -> None:
        """Let all replays that wait be due now."""
        later = update(deliveries).where(*_waiting(subscription), deliveries.c.next_at.is_not(None))

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(later.values(next_at=None))
            await self._tell_changed(connection, subscription)

        await self._database.write(work)

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
        if outcome in {Outcome.FAILED, Outcome.PENDING}:
            wanted = wanted.where(NOT_DELIVERED)
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

    async def failed(
        self, subscription: str, *, after: Delivery | None = None, limit: int = 1000
    ) -> Sequence[Delivery]:
        """Return the last attempt at each record that was never delivered.

        They come by profile, in its order; those behind that of ``after``, if it is given.
        """
        row, other = deliveries.c, deliveries.alias("other")
        arrived = exists().where(
            other.c.subscription_id == subscription,
            other.c.profile_id == row.profile_id,
            other.c.record_id == row.record_id,
            other.c.outcome != Outcome.FAILED,
        )
        last = (
            select(func.max(row.delivery_id))
            .where(row.subscription_id == subscription, row.outcome == Outcome.FAILED)
            .where(NOT_DELIVERED, ~arrived)
            .group_by(row.profile_id, row.record_id)
        )
        wanted = select(deliveries).where(row.delivery_id.in_(last))
        if after is not None:
            place = tuple_(row.profile_id, row.position)
            wanted = wanted.where(place > (after.profile_id, after.position))
        ordered = wanted.order_by(row.profile_id, row.position).limit(limit)
        return [_delivery(one) for one in await self._database.fetch(ordered)]

    async def forget_deliveries(self, before: datetime, *, limit: int = 500) -> int:
        """Remove attempts from before a time; return how many."""
        row = deliveries.c
        old = and_(row.at < milliseconds(before), row.outcome != Outcome.PENDING)
        some = select(row.delivery_id).where(old).order_by(row.at).limit(limit)
        return await self._database.put(delete(deliveries).where(row.delivery_id.in_(some)))


def _waiting(subscription: str) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a subscription's replays that wait."""
    row = deliveries.c
    return (
        row.subscription_id == subscription,
        row.outcome == Outcome.PENDING,
        NOT_DELIVERED,
    )


def _ended(names: Collection[str]) -> Select[str]:
    """Return the statement of those among subscriptions that nobody may be sent more."""
    one = subscriptions.c.subscription_id
    return select(one).where(one.in_(names), _REVOKED)


def _rest_of(notes: Sequence[Note]) -> Sequence[tuple[Any, ...]]:
    """Return what becomes of each subscription, in one order everywhere (S1)."""
    rest = dict[str, tuple[Any, ...]]()
    for note in notes:
        arrived = [one.at for one in note.deliveries if one.outcome is Outcome.DELIVERED]
        if note.attempts is None and not arrived:
            continue
        tried, due, why, last = rest.get(note.subscription_id, (None, None, None, None))
        if note.attempts is not None:
            tried, why = note.attempts, note.reason
            waits = note.deliveries and why is None
            due = stamp(note.deliveries[-1].next_at) if waits else None
        if arrived:
            last = milliseconds(arrived[-1])
        rest[note.subscription_id] = (tried, due, why, last)
    return [
        (why, tried, tried, due, last, one) for one, (tried, due, why, last) in sorted(rest.items())
    ]


def _steps_of(notes: Sequence[Note]) -> Sequence[tuple[str, Advance]]:
    """Return where each subscription gets to; steps that follow one another are one."""
    steps = dict[tuple[str, ProfileId], tuple[Position, Position]]()
    for note in notes:
        if (step := note.step) is None:
            continue
        key = (note.subscription_id, step.profile_id)
        before, after = steps.get(key, (step.before, step.before))
        if after != step.before:
            raise StaleStateError("a webhook stands elsewhere")
        steps[key] = (before, step.after)
    return [
        (one, Advance(profile_id=profile, before=before, after=after))
        for (one, profile), (before, after) in sorted(steps.items())
    ]


def _row(delivery: Delivery) -> tuple[Any, ...]:
    """Return a row in the order of the columns; ``store.bulk`` leaves cleaning to us."""
    took = delivery.duration
    return (
        delivery.id,
        delivery.subscription_id,
        delivery.profile_id,
        delivery.position,
        delivery.record_id,
        delivery.attempt,
        milliseconds(delivery.at),
        delivery.outcome.value,
        delivery.code,
        None if took is None else took // _MILLISECOND,
        clean(delivery.error),
        delivery.answer,
        stamp(delivery.next_at),
        stamp(delivery.since),
    )


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
