"""Subscriptions, and how far each has come in each stream."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.errors import NotFoundError, StaleStateError
from syncd.model.ids import ApplicationId, Position, ProfileId, UserId
from syncd.model.subscription import (
    Outcome,
    Reason,
    SigningSecret,
    Status,
    Subscription,
)
from syncd.model.when import milliseconds
from syncd.ports.store.subscriptions import Advance, Standing
from syncd.store.backlog import status_column
from syncd.store.bulk import change_rows, write_rows
from syncd.store.chunks import chunks
from syncd.store.per_owner import check_subscriptions
from syncd.store.rows import AnyRow
from syncd.store.subscription_rows import secret_of, secret_values, subscription_of, values_of
from syncd.store.subscription_tables import (
    NOT_DELIVERED,
    OF_A_SUBSCRIPTION,
    deliveries,
    positions,
    signing_secrets,
    subscriptions,
)
from syncd.store.tables import profiles, streams
from syncd.store.topic import Topic
from syncd.store.upsert import insert_new

_MOST_SECRETS = 100
_SECRETS = select(signing_secrets).where(
    signing_secrets.c.subscription_id.in_(bindparam("some", expanding=True))
)
_STEP = (
    update(positions)
    .where(
        positions.c.subscription_id == bindparam("one"),
        positions.c.profile_id == bindparam("profile"),
        positions.c.position == bindparam("before"),
    )
    .values(position=bindparam("after"))
)
_STEPPED = ("after", "one", "profile", "before")
_PLACE = tuple(column.name for column in positions.columns)


class SqlSubscriptions(Topic):
    """The first half of ``Subscriptions`` in SQL."""

    async def add_subscription(
        self,
        subscription: Subscription,
        *,
        at: Position | None,
        beginning: bool,
        most: int | None = None,
    ) -> None:
        """Add one, with its place in the stream of every profile that it covers."""
        column = streams.c.floor if beginning else streams.c.head

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(subscriptions).values(values_of(subscription)))
            await check_subscriptions(connection, subscription, most)
            secrets = [secret_values(subscription.id, one) for one in subscription.secrets]
            if secrets:
                await connection.execute(insert(signing_secrets), secrets)
            ends = select(streams.c.profile_id, column.label("place")).join_from(
                streams, profiles, profiles.c.profile_id == streams.c.profile_id
            )
            mine = _covers(subscriptions.c.subscription_id == subscription.id)
            rows = (await connection.execute(ends.where(exists().where(mine)))).all()
            places = [
                {
                    "subscription_id": subscription.id,
                    "profile_id": row.profile_id,
                    "position": row.place if at is None else at,
                }
                for row in rows
            ]
            for some in (places[one : one + 500] for one in range(0, len(places), 500)):
                await connection.execute(insert(positions), some)
            await self._tell_changed(connection, subscription.id)

        await self._database.write(work)

    async def subscription(self, subscription: str) -> Subscription:
        """Return one; raises NotFoundError."""
        wanted = select(subscriptions).where(subscriptions.c.subscription_id == subscription)
        rows = await self._database.fetch(wanted)
        if not rows:
            raise NotFoundError("there is no such webhook")
        (found,) = await self._with_secrets(rows)
        return found

    async def subscriptions(  # noqa: PLR0913 - what may be asked for
        self,
        *,
        user: UserId | None = None,
        profile: ProfileId | None = None,
        application: ApplicationId | None = None,
        client: ApplicationId | None = None,
        status: Status | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Sequence[Subscription]:
        """Return them by id; of a user, profile, application or client, or in a state, if named."""
        column = subscriptions.c
        wanted = select(subscriptions).order_by(column.subscription_id).limit(limit)
        if user is not None:
            wanted = wanted.where(column.user_id == user)
        if profile is not None:
            wanted = wanted.where(column.profile_id == profile)
        if application is not None:
            wanted = wanted.where(column.application_id == application)
        if client is not None:
            wanted = wanted.where(column.client_id == client)
        if status is not None:
            wanted = wanted.where(status_column() == status)
        if after is not None:
            wanted = wanted.where(column.subscription_id > after)
        return await self._with_secrets(await self._database.fetch(wanted))

    async def save_subscription(self, subscription: Subscription) -> Subscription:
        """Write what people set, and the reason; return it as stored. Raises StaleStateError."""
        stored = replace(subscription, revision=subscription.revision + 1)
        column = subscriptions.c

        async def work(connection: AsyncConnection) -> None:
            mine = (
                column.subscription_id == subscription.id,
                column.revision == subscription.revision,
            )
            before = await connection.execute(select(column.reason).where(*mine))
            done = await connection.execute(
                update(subscriptions).where(*mine).values(values_of(stored))
            )
            if not done.rowcount:
                raise StaleStateError(f"webhook {subscription.id} has changed meanwhile")
            if stored.enabled and before.scalar() == Reason.EXPIRED:  # else it is still to be said
                await _move_to_floors(connection, stored.id)
            await self._tell_changed(connection, stored.id)

        await self._database.write(work)
        return stored

    async def remove_subscription(self, subscription: str) -> None:
        """Remove one with all that was kept of it; one that is gone is as good."""

        async def work(connection: AsyncConnection) -> None:
            for table in OF_A_SUBSCRIPTION:
                gone = delete(table).where(table.c.subscription_id == subscription)
                await connection.execute(gone)
            await self._tell_changed(connection, subscription)

        await self._database.write(work)

    async def add_secret(
        self, subscription: str, secret: SigningSecret, *, until: datetime
    ) -> None:
        """Add a secret; those that are there sign until ``until`` at the longest."""
        column, end = signing_secrets.c, milliseconds(until)

        async def work(connection: AsyncConnection) -> None:
            longer = or_(column.until_at.is_(None), column.until_at > end)
            old = update(signing_secrets).where(column.subscription_id == subscription, longer)
            await connection.execute(old.values(until_at=end))
            values = secret_values(subscription, secret)
            await connection.execute(insert(signing_secrets).values(values))
            await self._tell_changed(connection, subscription)

        await self._database.write(work)

    async def subscribers(self, profile: ProfileId) -> Sequence[Standing]:
        """Return the enabled subscriptions that cover a profile, a removed one too."""
        found, secrets = dict[str, AnyRow](), dict[str, list[SigningSecret]]()
        for row in await self._database.fetch(_SUBSCRIBERS, {"profile": profile}):
            one, (secret, sealed, until) = row[0], row[-3:]
            found[one] = row
            if secret is not None:
                secrets.setdefault(one, []).append(secret_of(secret, sealed, until))
        return [
            Standing(
                subscription=subscription_of(row, secrets.get(one, [])),
                profile_id=profile,
                at=row[-4] or Position(0),
            )
            for one, row in found.items()
        ]

    async def undelivered(
        self, subscription: str | None = None
    ) -> Sequence[tuple[str, ProfileId | None]]:
        """Return what enabled subscriptions have before them: profiles, or None for replays."""
        one = [] if subscription is None else [subscriptions.c.subscription_id == subscription]
        ahead = _ahead().where(subscriptions.c.reason.is_(None), *one)
        rows = await self._database.fetch(ahead)
        row = deliveries.c
        replays = (
            select(row.subscription_id)
            .join(subscriptions, subscriptions.c.subscription_id == row.subscription_id)
            .where(row.outcome == Outcome.PENDING, NOT_DELIVERED)
            .where(subscriptions.c.reason.is_(None), *one)
            .distinct()
        )
        waiting = await self._database.fetch(replays)
        return [
            *((each.subscription_id, each.profile_id) for each in rows),
            *((each.subscription_id, None) for each in waiting),
        ]

    async def behind_of(self, subscription: str) -> int:
        """Return how many records a subscription has not come past, in all it covers."""
        ahead = _ahead().where(subscriptions.c.subscription_id == subscription).subquery()
        rows = await self._database.fetch(select(func.coalesce(func.sum(ahead.c.behind), 0)))
        return int(rows[0][0])

    async def place(self, subscription: str, profile: ProfileId) -> Position:
        """Return how far it has come in a profile's stream; 0 in a profile that came later."""
        column = positions.c
        mine = (column.subscription_id == subscription, column.profile_id == profile)
        rows = await self._database.fetch(select(column.position).where(*mine))
        return rows[0].position if rows else Position(0)

    async def _with_secrets(self, rows: Sequence[AnyRow]) -> Sequence[Subscription]:
        secrets = dict[str, list[SigningSecret]]()
        for some in chunks([row.subscription_id for row in rows], _MOST_SECRETS):
            for row in await self._database.fetch(_SECRETS, {"some": some}):
                secret = secret_of(row.secret_id, row.sealed, row.until_at)
                secrets.setdefault(row.subscription_id, []).append(secret)
        return [subscription_of(row, secrets.get(row.subscription_id, [])) for row in rows]


async def step_on(connection: AsyncConnection, steps: Sequence[tuple[str, Advance]]) -> None:
    """Move subscriptions on, at most once in each profile's stream; raises StaleStateError."""
    new = [(one, step.profile_id, 0) for one, step in steps if not step.before]
    added = insert_new(positions, connection.dialect.name)
    await write_rows(connection, added, _PLACE, new)
    rows = [(step.after, one, step.profile_id, step.before) for one, step in steps]
    if await change_rows(connection, _STEP, _STEPPED, rows) != len(rows):
        raise StaleStateError("a webhook stands elsewhere")


async def _move_to_floors(connection: AsyncConnection, subscription: str) -> None:
    """Move a subscription to the oldest record left wherever it stands before that."""
    place, stream = positions.c, streams.c
    floor = select(stream.floor).where(_same_profile()).scalar_subquery()
    lost = and_(place.subscription_id == subscription, place.position < floor)
    await connection.execute(update(positions).where(lost).values(position=floor))
    known = exists().where(place.subscription_id == subscription, _same_profile())
    later = (  # profiles that it has no place in yet
        select(literal(subscription), stream.profile_id, stream.floor)
        .join_from(streams, profiles, profiles.c.profile_id == stream.profile_id)
        .where(stream.floor > 0, ~known)
        .where(exists().where(_covers(subscriptions.c.subscription_id == subscription)))
    )
    await connection.execute(insert(positions).from_select(list(_PLACE), later))


def _covers(enabled: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that a subscription covers a profile (R6)."""
    one, profile = subscriptions.c, profiles.c
    through = or_(profile.application_id.is_(None), profile.application_id == one.application_id)
    return and_(
        enabled,
        or_(
            one.admin,
            one.profile_id == profile.profile_id,
            one.user_id == profile.user_id,
            and_(one.application_id.is_not(None), through),
        ),
    )


_SUBSCRIBERS = (  # a row a secret: every wake begins with it, and one statement is half of two
    select(
        subscriptions,
        positions.c.position,
        signing_secrets.c.secret_id,
        signing_secrets.c.sealed,
        signing_secrets.c.until_at,
    )
    .select_from(
        subscriptions.join(profiles, _covers(subscriptions.c.reason.is_(None)))
        .outerjoin(
            positions,
            and_(
                positions.c.subscription_id == subscriptions.c.subscription_id,
                positions.c.profile_id == profiles.c.profile_id,
            ),
        )
        .outerjoin(
            signing_secrets, signing_secrets.c.subscription_id == subscriptions.c.subscription_id
        )
    )
    .where(profiles.c.profile_id == bindparam("profile"))
)


def _ahead() -> Select[*tuple[object, ...]]:
    """Return the statement of streams that a subscription has not come to the end of."""
    at = func.coalesce(positions.c.position, 0)
    one, stream = subscriptions.c, streams.c
    return (
        select(one.subscription_id, stream.profile_id, (stream.head - at).label("behind"))
        .select_from(
            subscriptions.join(profiles, _covers(one.subscription_id.is_not(None)))
            .join(streams, stream.profile_id == profiles.c.profile_id)
            .outerjoin(
                positions,
                and_(positions.c.subscription_id == one.subscription_id, _same_profile()),
            )
        )
        .where(stream.head > at)
    )


def _same_profile() -> ColumnElement[bool]:
    return positions.c.profile_id == streams.c.profile_id
