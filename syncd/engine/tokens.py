"""Tokens as their bearer presents them, and their rotation (api.md M2, M12)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.model.access import (
    Scope,
    SpentSecret,
    Token,
    digest,
    matches,
    split_token,
    successor,
)
from syncd.model.access import token_text as text_of
from syncd.model.errors import NotFoundError
from syncd.model.ids import ProfileId, TokenId, UserId, short
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.vault import Secret

REPEAT = timedelta(seconds=60)  # how long a spent secret still finds its successor
_NONCE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """A token that was shown to us with the right secret; ``spent`` if rotation replaced that."""

    token: Token
    secret: Secret
    spent: SpentSecret | None = None


class Tokens:
    """Makes tokens, recognises them by their text, gives those that rotate their next one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Look into ``store``."""
        self._store = store
        self._clock = clock

    async def issue(  # noqa: PLR0913 - what a token says
        self,
        *,
        scopes: frozenset[Scope] = frozenset(),
        user_id: UserId | None = None,
        profile_id: ProfileId | None = None,
        admin: bool = False,
        name: str | None = None,
        lifetime: timedelta | None = None,
        rotates: bool = False,
    ) -> tuple[Token, Secret]:
        """Make a token for one of user, profile and everything; no scope means all (R6, R7).

        Its text is returned this once.
        """
        now, secret = self._clock.now(), secrets.token_urlsafe(32)
        token = Token(
            id=TokenId(short(secrets.token_hex(16), length=16)),
            digest=digest(secret),
            scopes=scopes or frozenset({Scope.ALL}),
            created=now,
            profile_id=profile_id,
            user_id=user_id,
            admin=admin,
            name=name,
            expires_at=None if lifetime is None else now + lifetime,
            rotates=rotates,
        )
        await self._store.add_token(token)
        return token, Secret(text_of(token.id, secret))

    async def presented(self, text: str) -> Presented | None:
        """Return the token of this text, also a revoked or expired one; None for any other text.

        A secret that was spent within a minute still counts (M12): its answer may have been lost.
        """
        split = split_token(text)
        token = None if split is None else await self._store.token(split[0])
        secret = "" if split is None else split[1]
        if matches(token, secret) and token is not None:
            return Presented(token=token, secret=Secret(secret))
        if token is None or not token.rotates:
            return None
        spent = await self._store.spent(token.id, digest(secret))
        if spent is None or self._clock.now() - spent.spent_at > REPEAT:
            return None
        return Presented(token=token, secret=Secret(secret), spent=spent)

    async def rotated(self, presented: Presented) -> str | None:
        """Replace the secret that was presented; return the token's new text (M12).

        The same again for a secret that was spent already; None if the token was revoked.
        """
        secret, spent = presented.secret.reveal(), presented.spent
        if spent is None:
            spent = await self._spend(presented, self._clock.now())
        if spent is None:
            return None
        return text_of(presented.token.id, successor(secret, spent.nonce))

    async def _spend(self, presented: Presented, now: datetime) -> SpentSecret | None:
        spent = SpentSecret(
            token_id=presented.token.id,
            digest=presented.token.digest,
            nonce=secrets.token_bytes(_NONCE),
            spent_at=now,
        )
        following = digest(successor(presented.secret.reveal(), spent.nonce))
        if await self._store.rotate_token(spent, digest=following, forget_before=now - REPEAT):
            return spent
        return await self._store.spent(spent.token_id, spent.digest)  # another call was first

    async def user_of(self, token: Token) -> UserId | None:
        """Return whose token it is; None for an application's and an administrator's."""
        if token.profile_id is None:
            return token.user_id
        try:
            return (await self._store.profile(token.profile_id)).user_id
        except NotFoundError:
            return None
