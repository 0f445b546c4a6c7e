"""How far subscriptions are behind in all, and which of them too far."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.subscription import Format, Reason, Status
from syncd.ports.store.subscriptions import Backlog
from syncd.store.chunks import chunks
from syncd.store.rows import instant_of
from syncd.store.subscription_tables import positions, subscriptions
from syncd.store.tables import activities, streams
from syncd.store.topic import Topic


class SqlBacklog(Topic):
    """What is to be known of the places of all subscriptions, in SQL."""

    async def backlog(self) -> Sequence[Backlog]:
        """Return how all subscriptions are doing, by format and status; only what there is."""
        form, status = subscriptions.c.format, status_column().label("status")
        counted = select(form, status, func.count().label("number")).group_by(form, status)
        place, stream, activity = positions.c, streams.c, activities.c
        waiting = (
            select(
                form,
                status,
                func.sum(stream.head - place.position).label("behind"),
                func.min(activity.recorded_at).label("oldest"),
            )
            .select_from(
                positions.join(
                    streams,
                    and_(stream.profile_id == place.profile_id, stream.head > place.position),
                )
                .join(subscriptions, subscriptions.c.subscription_id == place.subscription_id)
                .outerjoin(
                    activities,
                    and_(
                        activity.profile_id == place.profile_id,
                        activity.position == place.position + 1,
                    ),
                )
            )
            .group_by(form, status)
        )
        behind = {(row.format, row.status): row for row in await self._database.fetch(waiting)}
        found = list[Backlog]()
        for row in await self._database.fetch(counted):
            late = behind.get((row.format, row.status))
            found.append(
                Backlog(
                    format=Format(row.format),
                    status=Status(row.status),
                    subscriptions=row.number,
                    behind=0 if late is None else int(late.behind),
                    oldest=None if late is None else instant_of(late.oldest),
                )
            )
        return found

    async def expire_subscriptions(self, found: str | None = None) -> Sequence[str]:
        """Disable those that retention has passed (S9), or say so where they were disabled.

        So is the one that was ``found`` to be. Only what a grant's end has disabled stays so:
        nobody can enable it.
        """
        one = subscriptions.c
        for_good = (Reason.EXPIRED, Reason.REVOKED)
        standing = or_(one.reason.is_(None), one.reason.not_in(for_good))
        passed = select(one.subscription_id, one.wanted).where(standing, _lost().exists())

        async def work(connection: AsyncConnection) -> Sequence[str]:
            expired = [] if found is None else [found]
            for row in (await connection.execute(passed)).all():
                # what lies in a profile that was not asked for is no loss
                named = orjson.loads(row.wanted)["profiles"]
                mine = _lost(row.subscription_id).where(positions.c.profile_id.in_(named)).limit(1)
                if not named or (await connection.execute(mine)).first() is not None:
                    expired.append(row.subscription_id)
            ended = {"reason": Reason.EXPIRED, "retry_at": None, "revision": one.revision + 1}
            done = list[str]()
            for some in chunks(expired):
                these = update(subscriptions).where(one.subscription_id.in_(some), standing)
                told = these.values(ended).returning(one.subscription_id)
                done += (await connection.execute(told)).scalars()
            return done

        return await self._database.write(work)


def _lost(subscription: str | None = None) -> Select[*tuple[object, ...]]:
    """Return the statement of places before what is retained, of the outer query's if of none."""
    place, stream = positions.c, streams.c
    of = subscriptions.c.subscription_id if subscription is None else subscription
    return select(place.profile_id).where(
        place.subscription_id == of,
        place.profile_id == stream.profile_id,
        place.position < stream.floor,
    )


def status_column() -> ColumnElement[Any]:
    """Return ``Subscription.status`` as a column."""
    one = subscriptions.c
    return case(
        (one.reason.is_not(None), Status.DISABLED),
        (one.attempts > 0, Status.FAILING),
        else_=Status.ACTIVE,
    )
