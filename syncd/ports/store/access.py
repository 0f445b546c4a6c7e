"""Users and API tokens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from syncd.model.access import Token, User
from syncd.model.ids import TokenId, UserId


class Access(Protocol):
    """Who may ask for what."""

    async def add_user(self, user: User) -> None:
        """Add a user; raises ConflictError if the name is taken."""
        ...

    async def user(self, user: UserId) -> User:
        """Return one; raises NotFoundError."""
        ...

    async def user_named(self, name: str) -> User | None:
        """Return the user of that name."""
        ...

    async def users(self) -> Sequence[User]:
        """Return all, by name."""
        ...

    async def add_token(self, token: Token) -> None:
        """Keep a token's digest and reach."""
        ...

    async def token(self, token: TokenId) -> Token | None:
        """Return one, revoked or expired ones too."""
        ...

    async def tokens(self) -> Sequence[Token]:
        """Return all, newest first."""
        ...

    async def revoke_token(self, token: TokenId, at: datetime) -> None:
        """End a token; raises NotFoundError."""
        ...

    async def touch_token(self, token: TokenId, at: datetime) -> None:
        """Note when it was last used, coarsely."""
        ...
