"""How many subscriptions and selections one owner has, and may have."""

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import LimitError
from syncd.model.selection import Selection
from syncd.model.subscription import Reason, Subscription
from syncd.store.chunks import chunks
from syncd.store.subscription_tables import OF_A_SUBSCRIPTION, positions, subscriptions
from syncd.store.tables import applications, profiles, selections, streams, users

_REMEDY = "remove one, or have the operator raise [limits] subscriptions_per_owner"


async def check_subscriptions(
    connection: AsyncConnection, made: Subscription, most: int | None
) -> None:
    """Raise LimitError if with one that was just added its owner has more than it may.

    A user's are those of its profiles too. The owner's row stays locked until COMMIT, so that of
    many at once none goes beyond; administrators have no row, and on PostgreSQL some may. Those
    that will never be sent anything again make room: nobody who could remove them may be left.
    """
    if most is None:
        return
    column, who = subscriptions.c, f"this user has {most} webhooks, the most it may have"
    user = select(profiles.c.user_id).where(profiles.c.profile_id == made.profile_id)
    if made.admin:
        mine: ColumnElement[bool] = column.admin
        who = f"administrators have {most} webhooks, the most they may have"
    elif made.application_id is not None:
        mine = column.application_id == made.application_id
        who = f"this application has {most} webhooks, the most it may have"
        row = select(applications.c.application_id)
        await connection.execute(
            row.where(applications.c.application_id == made.application_id).with_for_update(
                key_share=True
            )
        )
    else:
        owner = user.scalar_subquery() if made.user_id is None else made.user_id
        row = select(users.c.user_id).where(users.c.user_id == owner)
        name = (await connection.execute(row.with_for_update(key_share=True))).scalar()
        its = select(profiles.c.profile_id).where(profiles.c.user_id == name)
        mine = or_(column.user_id == name, column.profile_id.in_(its))
    wanted = select(func.count()).select_from(subscriptions).where(mine)
    if (await connection.execute(wanted)).scalar_one() <= most:
        return
    others = and_(mine, column.subscription_id != made.id)
    for some in chunks((await connection.execute(_dead(others))).scalars().all()):
        for table in OF_A_SUBSCRIPTION:
            await connection.execute(delete(table).where(table.c.subscription_id.in_(some)))
    if (await connection.execute(wanted)).scalar_one() > most:
        raise LimitError(f"{who}: {_REMEDY}")


def _dead(mine: ColumnElement[bool]) -> Select[str]:
    """Return the statement of those that were revoked, or are of a profile that is gone.

    The latter only if they have come to its end, or stopped before it.
    """
    one, place, stream = subscriptions.c, positions.c, streams.c
    gone = select(profiles.c.profile_id).where(profiles.c.removed)
    ahead = exists().where(
        place.subscription_id == one.subscription_id,
        place.profile_id == one.profile_id,
        stream.profile_id == one.profile_id,
        stream.head > place.position,
    )
    ended = and_(one.profile_id.in_(gone), or_(one.reason.is_not(None), ~ahead))
    return select(one.subscription_id).where(mine, or_(one.reason == Reason.REVOKED, ended))


async def check_selections(connection: AsyncConnection, made: Selection, most: int | None) -> None:
    """Raise LimitError if with one that was just added its profile has more than it may.

    The default one is not counted. Whoever calls has locked the profile's row.
    """
    if most is None:
        return
    column = selections.c
    mine = (column.profile_id == made.profile_id, ~column.is_default)
    wanted = select(func.count()).select_from(selections).where(*mine)
    if (await connection.execute(wanted)).scalar_one() > most:
        raise LimitError(f"this account has {most} subscriptions, the most it may have: {_REMEDY}")
