"""How far subscriptions are behind, in all."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select

from syncd.model.subscription import Format, Status
from syncd.ports.store.subscriptions import Backlog
from syncd.store.rows import instant_of
from syncd.store.subscription_tables import positions, subscriptions
from syncd.store.tables import activities, streams
from syncd.store.topic import Topic


class SqlBacklog(Topic):
    """``Subscriptions.backlog`` in SQL."""

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


def status_column() -> ColumnElement[Any]:
    """Return ``Subscription.status`` as a column."""
    one = subscriptions.c
    return case(
        (one.reason.is_not(None), Status.DISABLED),
        (one.attempts > 0, Status.FAILING),
        else_=Status.ACTIVE,
    )
