"""Applications and their secrets."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.access import Application
from syncd.model.errors import NotFoundError
from syncd.model.ids import ApplicationId
from syncd.model.when import milliseconds
from syncd.ports.store.applications import ApplicationKey, KeyKind
from syncd.store.grant_tables import grants
from syncd.store.rows import application_of, token_of, token_values
from syncd.store.subscription_tables import REVOKED, subscriptions
from syncd.store.tables import application_keys, applications, tokens
from syncd.store.topic import Topic


class SqlApplications(Topic):
    """``Applications`` in SQL."""

    async def add_application(
        self, application: Application, keys: Sequence[ApplicationKey] = ()
    ) -> None:
        """Add an application; raises ConflictError if the name is taken."""
        values = {
            "application_id": application.id,
            "name": application.name,
            "origins": orjson.dumps(application.origins),
            "redirect_uris": orjson.dumps(application.redirect_uris),
            "created_at": milliseconds(application.created),
        }

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(applications).values(values))
            await _add_keys(connection, application.id, keys)

        await self._database.write(work)

    async def application(self, application: ApplicationId) -> Application:
        """Return one; raises NotFoundError."""
        wanted = _living.where(applications.c.application_id == application)
        rows = await self._database.fetch(wanted)
        if not rows:
            raise _unknown(application)
        return application_of(rows[0])

    async def applications(self) -> Sequence[Application]:
        """Return all, by name."""
        rows = await self._database.fetch(_living)
        return sorted(map(application_of, rows), key=lambda one: one.name)

    async def application_keys(self, application: ApplicationId) -> Sequence[ApplicationKey]:
        """Return what it may sign with or be known by, newest first."""
        mine = select(tokens, application_keys.c.kind, application_keys.c.sealed)
        joined = mine.join_from(tokens, application_keys).where(
            application_keys.c.application_id == application
        )
        newest = (tokens.c.created_at.desc(), application_keys.c.kind)
        return [
            ApplicationKey(kind=KeyKind(row.kind), token=token_of(row), sealed=bytes(row.sealed))
            for row in await self._database.fetch(joined.order_by(*newest))
        ]

    async def rotate_keys(
        self, application: ApplicationId, keys: Sequence[ApplicationKey], *, until: datetime
    ) -> None:
        """Add keys; those that are there live until ``until`` at the longest."""
        latest = milliseconds(until)

        async def work(connection: AsyncConnection) -> None:
            found = await connection.execute(
                _living.where(applications.c.application_id == application).with_for_update()
            )
            if found.one_or_none() is None:
                raise _unknown(application)
            own = tokens.c.token_id.in_(
                select(application_keys.c.token_id).where(
                    application_keys.c.application_id == application
                )
            )
            longer = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > latest)
            await connection.execute(update(tokens).where(own, longer).values(expires_at=latest))
            await _add_keys(connection, application, keys)

        await self._database.write(work)

    async def save_application(self, application: Application) -> None:
        """Write name, origins and redirect URIs; raises NotFoundError, ConflictError."""
        mine = update(applications).where(
            applications.c.application_id == application.id, applications.c.removed_at.is_(None)
        )
        values = {
            "name": application.name,
            "origins": orjson.dumps(application.origins),
            "redirect_uris": orjson.dumps(application.redirect_uris),
        }
        if not await self._database.put(mine.values(values)):
            raise _unknown(application.id)

    async def remove_application(self, application: ApplicationId, at: datetime) -> None:
        """End its tokens, erase its secrets and origins; profiles stay. Raises NotFoundError."""
        ended = milliseconds(at)

        async def work(connection: AsyncConnection) -> None:
            mine = update(applications).where(
                applications.c.application_id == application, applications.c.removed_at.is_(None)
            )
            erased = {"removed_at": ended, "origins": b"[]", "redirect_uris": b"[]"}
            if (await connection.execute(mine.values(erased))).rowcount == 0:
                raise _unknown(application)
            await connection.execute(
                delete(application_keys).where(application_keys.c.application_id == application)
            )
            await connection.execute(
                update(tokens)
                .where(tokens.c.application_id == application, tokens.c.revoked_at.is_(None))
                .values(revoked_at=ended)
            )
            through = select(grants.c.grant_id).where(grants.c.application_id == application)
            pushed = or_(
                subscriptions.c.application_id == application,
                subscriptions.c.client_id == application,
                subscriptions.c.grant_id.in_(through),
            )
            await connection.execute(update(subscriptions).where(pushed).values(REVOKED))

        await self._database.write(work)

    async def origins(self) -> frozenset[str]:
        """Return the browser origins of all applications (R19)."""
        rows = await self._database.fetch(_living)
        return frozenset(origin for row in rows for origin in application_of(row).origins)


_living = select(applications).where(applications.c.removed_at.is_(None))


async def _add_keys(
    connection: AsyncConnection, application: ApplicationId, keys: Sequence[ApplicationKey]
) -> None:
    for key in keys:
        await connection.execute(insert(tokens).values(token_values(key.token)))
        await connection.execute(
            insert(application_keys).values(
                token_id=key.token.id,
                application_id=application,
                kind=key.kind,
                sealed=key.sealed,
            )
        )


def _unknown(application: ApplicationId) -> NotFoundError:
    return NotFoundError(f"there is no application {application}")
