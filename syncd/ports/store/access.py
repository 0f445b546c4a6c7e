"""Users and API tokens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from syncd.model.access import SpentSecret, Token, User
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

    async def tokens_of(self, user: UserId) -> Sequence[Token]:
        """Return the user's tokens, those of single profiles too, newest first."""
        ...

    async def rotate_token(
        self, spent: SpentSecret, *, digest: bytes, forget_before: datetime
    ) -> bool:
        """Give a token the secret of ``digest`` in place of the spent one, which is remembered.

        False, with nothing written, if that is not its secret, or it was revoked. What was spent
        before ``forget_before`` is forgotten.
        """
        ...

    async def spent(self, token: TokenId, digest: bytes) -> SpentSecret | None:
        """Return a secret that rotation has replaced, if it is still remembered."""
        ...
