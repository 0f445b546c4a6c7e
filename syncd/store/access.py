"""Users and API tokens."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from syncd.model.access import SpentSecret, Token, User
from syncd.model.errors import NotFoundError
from syncd.model.ids import TokenId, UserId
from syncd.model.when import milliseconds
from syncd.store.published_rows import spent_of
from syncd.store.published_tables import rotations
from syncd.store.rows import token_of, token_values, user_of
from syncd.store.tables import profiles, tokens, users
from syncd.store.topic import Topic


class SqlAccess(Topic):
    """``Access`` in SQL."""

    async def add_user(self, user: User) -> None:
        """Add a user; raises ConflictError if the name is taken."""
        values = {
            "user_id": user.id,
            "name": user.name,
            "created_at": milliseconds(user.created),
            "application_id": user.application_id,
        }
        await self._database.put(insert(users).values(values))

    async def user(self, user: UserId) -> User:
        """Return one; raises NotFoundError."""
        rows = await self._database.fetch(select(users).where(users.c.user_id == user))
        if not rows:
            raise NotFoundError(f"there is no user {user}")
        return user_of(rows[0])

    async def user_named(self, name: str) -> User | None:
        """Return the user of that name."""
        rows = await self._database.fetch(select(users).where(users.c.name == name))
        return user_of(rows[0]) if rows else None

    async def users(self) -> Sequence[User]:
        """Return all, by name."""
        rows = await self._database.fetch(select(users))
        return sorted(map(user_of, rows), key=lambda user: user.name)

    async def add_token(self, token: Token) -> None:
        """Keep a token's digest and reach."""
        await self._database.put(insert(tokens).values(token_values(token)))

    async def token(self, token: TokenId) -> Token | None:
        """Return one, revoked or expired ones too."""
        rows = await self._database.fetch(select(tokens).where(tokens.c.token_id == token))
        return token_of(rows[0]) if rows else None

    async def tokens(self) -> Sequence[Token]:
        """Return all, newest first."""
        newest = (tokens.c.created_at.desc(), tokens.c.token_id)
        return [
            token_of(row) for row in await self._database.fetch(select(tokens).order_by(*newest))
        ]

    async def revoke_token(self, token: TokenId, at: datetime) -> None:
        """End a token, for ever and from its first revocation on; raises NotFoundError."""
        mine = update(tokens).where(tokens.c.token_id == token)
        alive = mine.where(tokens.c.revoked_at.is_(None))
        ended = await self._database.put(alive.values(revoked_at=milliseconds(at)))
        if not ended and await self.token(token) is None:
            raise NotFoundError(f"there is no token {token}")

    async def touch_token(self, token: TokenId, at: datetime) -> None:
        """Note when it was last used."""
        mine = update(tokens).where(tokens.c.token_id == token)
        await self._database.put(mine.values(used_at=milliseconds(at)))

    async def tokens_of(self, user: UserId) -> Sequence[Token]:
        """Return the user's tokens, those of single profiles too, newest first."""
        theirs = select(profiles.c.profile_id).where(profiles.c.user_id == user)
        mine = select(tokens).where(or_(tokens.c.user_id == user, tokens.c.profile_id.in_(theirs)))
        newest = (tokens.c.created_at.desc(), tokens.c.token_id)
        return [token_of(row) for row in await self._database.fetch(mine.order_by(*newest))]

    async def rotate_token(
        self, spent: SpentSecret, *, digest: bytes, forget_before: datetime
    ) -> bool:
        """Give a token the secret of ``digest`` in place of the spent one, which is remembered."""
        mine = update(tokens).where(
            tokens.c.token_id == spent.token_id,
            tokens.c.digest == spent.digest,
            tokens.c.revoked_at.is_(None),
        )
        older = delete(rotations).where(
            rotations.c.token_id == spent.token_id,
            rotations.c.spent_at < milliseconds(forget_before),
        )
        row = {
            "token_id": spent.token_id,
            "digest": spent.digest,
            "nonce": spent.nonce,
            "spent_at": milliseconds(spent.spent_at),
        }

        async def work(connection: AsyncConnection) -> bool:
            if (await connection.execute(mine.values(digest=digest))).rowcount == 0:
                return False
            await connection.execute(older)
            await connection.execute(insert(rotations).values(row))
            return True

        return await self._database.write(work)

    async def spent(self, token: TokenId, digest: bytes) -> SpentSecret | None:
        """Return a secret that rotation has replaced, if it is still remembered."""
        place = (rotations.c.token_id == token, rotations.c.digest == digest)
        rows = await self._database.fetch(select(rotations).where(*place))
        return spent_of(rows[0]) if rows else None
