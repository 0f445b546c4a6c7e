"""Users and API tokens."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update

from syncd.model.access import Token, User
from syncd.model.errors import NotFoundError
from syncd.model.ids import TokenId, UserId
from syncd.model.when import milliseconds
from syncd.store.rows import token_of, token_values, user_of
from syncd.store.tables import tokens, users
from syncd.store.topic import Topic


class SqlAccess(Topic):
    """``Access`` in SQL."""

    async def add_user(self, user: User) -> None:
        """Add a user; raises ConflictError if the name is taken."""
        values = {"user_id": user.id, "name": user.name, "created_at": milliseconds(user.created)}
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
