"""Grants, and the tokens that come of them."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.access import Scope, Token
from syncd.model.grant import Grant
from syncd.model.ids import ApplicationId, GrantId, UserId
from syncd.model.invitation import Reach
from syncd.model.when import from_milliseconds, milliseconds
from syncd.store.grant_tables import grants
from syncd.store.published_tables import watches
from syncd.store.rows import AnyRow, Values, instant_of, stamp, token_values
from syncd.store.subscription_tables import REVOKED, subscriptions
from syncd.store.tables import tokens
from syncd.store.topic import Topic


class SqlGrants(Topic):
    """``Grants`` in SQL."""

    async def add_grant(self, grant: Grant, given: Sequence[Token] = ()) -> None:
        """Keep one, with the tokens that are given at once."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(insert(grants).values(_values(grant)))
            for token in given:
                await connection.execute(insert(tokens).values(token_values(token)))

        await self._database.write(work)

    async def grant(self, grant: GrantId) -> Grant | None:
        """Return one, revoked ones too."""
        rows = await self._database.fetch(select(grants).where(grants.c.grant_id == grant))
        return _grant_of(rows[0]) if rows else None

    async def redeem(self, grant: Grant, token: Token, at: datetime) -> bool:
        """Use up the grant's code for its first token, and keep its ``refresh_digest``."""
        unused = grants.c.redeemed_at.is_(None)
        kept = {"redeemed_at": milliseconds(at), "refresh_digest": grant.refresh_digest}
        return await self._give(grant.id, token, kept, unused)

    async def renew(self, grant: GrantId, token: Token) -> bool:
        """Keep a further token of a grant; False if it was revoked."""
        return await self._give(grant, token, {"grant_id": grant})

    async def revoke_grant(self, grant: GrantId, at: datetime) -> None:
        """End a grant with all its tokens."""
        await self._revoke(grants.c.grant_id == grant, at)

    async def revoke_grants_of(
        self, application: ApplicationId, user: UserId, at: datetime
    ) -> None:
        """End all that a user allowed an application."""
        theirs = (grants.c.application_id == application) & (grants.c.user_id == user)
        await self._revoke(theirs, at)

    async def forget_grants(self, *, before: datetime, limit: int = 500) -> int:
        """Remove grants whose code was never used, and tokens of grants, long expired."""
        then = milliseconds(before)
        unused = (grants.c.redeemed_at.is_(None), grants.c.code_expires_at < then)
        never = select(grants.c.grant_id).where(*unused).limit(limit)
        watched = select(watches.c.token_id)
        expired = (tokens.c.grant_id.is_not(None), tokens.c.expires_at < then)
        spent = select(tokens.c.token_id).where(*expired, tokens.c.token_id.not_in(watched))

        async def work(connection: AsyncConnection) -> int:
            gone = [
                delete(grants).where(grants.c.grant_id.in_(never)),
                delete(tokens).where(tokens.c.token_id.in_(spent.limit(limit))),
            ]
            return sum([(await connection.execute(one)).rowcount for one in gone])

        return await self._database.write(work)

    async def _give(
        self, grant: GrantId, token: Token, kept: Values, *conditions: ColumnElement[bool]
    ) -> bool:
        """Keep a token, if the grant is alive; its row is locked until COMMIT."""
        alive = update(grants).where(
            grants.c.grant_id == grant, grants.c.revoked_at.is_(None), *conditions
        )

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(alive.values(kept))).rowcount == 0:
                return False
            await connection.execute(insert(tokens).values(token_values(token)))
            return True

        return await self._database.write(work)

    async def _revoke(self, which: ColumnElement[bool], at: datetime) -> None:
        ended = {"revoked_at": milliseconds(at)}
        alive = update(grants).where(which, grants.c.revoked_at.is_(None))
        theirs = select(grants.c.grant_id).where(which)
        live = update(tokens).where(tokens.c.grant_id.in_(theirs), tokens.c.revoked_at.is_(None))
        pushed = update(subscriptions).where(subscriptions.c.grant_id.in_(theirs))

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(alive.values(ended))
            await connection.execute(live.values(ended))
            await connection.execute(pushed.values(REVOKED))

        await self._database.write(work)


def _values(grant: Grant) -> Values:
    return {
        "grant_id": grant.id,
        "application_id": grant.application_id,
        "user_id": grant.user_id,
        "profile_id": grant.profile_id,
        "reach": grant.reach,
        "scopes": orjson.dumps(sorted(grant.scopes)),
        "created_at": milliseconds(grant.created),
        "code_digest": grant.code_digest,
        "code_expires_at": stamp(grant.code_expires_at),
        "redirect_uri": grant.redirect_uri,
        "challenge": grant.challenge,
        "redeemed_at": stamp(grant.redeemed_at),
        "refresh_digest": grant.refresh_digest,
        "revoked_at": stamp(grant.revoked_at),
    }


def _grant_of(row: AnyRow) -> Grant:
    return Grant(
        id=row.grant_id,
        application_id=row.application_id,
        user_id=row.user_id,
        profile_id=row.profile_id,
        reach=Reach(row.reach),
        scopes=frozenset(map(Scope, orjson.loads(row.scopes))),
        created=from_milliseconds(row.created_at),
        code_digest=row.code_digest,
        code_expires_at=instant_of(row.code_expires_at),
        redirect_uri=row.redirect_uri,
        challenge=row.challenge,
        redeemed_at=instant_of(row.redeemed_at),
        refresh_digest=row.refresh_digest,
        revoked_at=instant_of(row.revoked_at),
    )
