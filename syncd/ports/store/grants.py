"""Grants: what people allowed applications, and the tokens that come of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from syncd.model.access import Token
from syncd.model.grant import Grant
from syncd.model.ids import ApplicationId, GrantId, UserId


class Grants(Protocol):
    """A grant that was revoked gives no token any more, and those that it gave are revoked."""

    async def add_grant(self, grant: Grant, tokens: Sequence[Token] = ()) -> None:
        """Keep one, with the tokens that are given at once."""
        ...

    async def grant(self, grant: GrantId) -> Grant | None:
        """Return one, revoked ones too."""
        ...

    async def redeem(self, grant: Grant, token: Token, at: datetime) -> bool:
        """Use up the grant's code for its first token, and keep its ``refresh_digest``.

        False, with nothing written, if the code was used already or the grant revoked.
        """
        ...

    async def renew(self, grant: GrantId, token: Token) -> bool:
        """Keep a further token of a grant; False, with nothing written, if it was revoked."""
        ...

    async def revoke_grant(self, grant: GrantId, at: datetime) -> None:
        """End a grant with its tokens and subscriptions, for ever; one that is gone is as good."""
        ...

    async def revoke_grants_of(
        self, application: ApplicationId, user: UserId, at: datetime
    ) -> None:
        """End all that a user allowed an application."""
        ...

    async def forget_grants(self, *, before: datetime, limit: int = 500) -> int:
        """Remove what nobody asks for any more; return how many rows, at most twice ``limit``.

        These are grants whose code was never used and expired before a time, and tokens of
        grants that expired before it.
        """
        ...
