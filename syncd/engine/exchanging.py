"""Tokens for applications: for codes, for refresh tokens, and their end (api.md K7, C19, C20)."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from oauthlib.oauth2 import InvalidClientError, InvalidGrantError, OAuth2Error

from syncd.engine.invitations import token_of
from syncd.engine.oauth_rules import WORDS, TokenRules, narrowed, request_of
from syncd.engine.tokens import Tokens
from syncd.model.access import Scope, Token, digest, opens, split_token, token_text
from syncd.model.errors import InvalidError, NotFoundError, SyncdError, UnprovenClientError
from syncd.model.grant import Grant
from syncd.model.ids import ApplicationId, GrantId, TokenId, UserId
from syncd.model.invitation import Reach
from syncd.model.profile import Profile
from syncd.ports.clock import Clock
from syncd.ports.store import Store

LIFETIME = timedelta(seconds=10_800)  # of a user's access token (C19); a profile's has no end


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an application gets; only here are the texts of its tokens."""

    grant: Grant
    access_token: str
    scopes: frozenset[Scope]
    refresh_token: str | None = None


class Exchanging:
    """The token endpoints of both dialects.

    They raise UnprovenClientError for an application that does not prove who it is, and
    InvalidError for the rest, whose ``code`` is a word of RFC 6749 §5.2.
    """

    def __init__(self, store: Store, tokens: Tokens, clock: Clock) -> None:
        """Keep grants in ``store``; ``tokens`` knows applications by their secrets."""
        self._store = store
        self._tokens = tokens
        self._clock = clock

    async def give(self, asked: Mapping[str, str], *, reach: Reach) -> Given:
        """Return a token for a code or a refresh token of grants of this reach.

        A code that the application has used before ends everything that came of it.
        """
        request = request_of(asked.items())
        text = str(request.code or request.refresh_token or "")
        client = await self._client(asked.get("client_secret"))
        grant = await self._grant(text)
        rules = TokenRules(client, grant, reach=reach, now=self._clock.now())
        try:
            good = rules.check(request)
            if request.grant_type == "refresh_token":
                return await self._again(good, text, narrowed(good, request.scope))
            return await self._first(good)
        except OAuth2Error as error:
            if grant is not None and rules.replayed:
                await self._store.revoke_grant(grant.id, self._clock.now())
            raise _told(error) from None

    async def end(self, asked: Mapping[str, str]) -> None:
        """End what a token or a refresh token came of, or all that a user allowed (C20).

        What is unknown, or another application's, is as good as ended.
        """
        client = await self._client(asked.get("client_secret"))
        if client is None or asked.get("client_id", client) != client:
            raise _told(InvalidClientError())
        named = [asked[name] for name in ("token", "refresh_token") if asked.get(name)]
        user, now = asked.get("sub"), self._clock.now()
        if not named and not user:
            raise InvalidError("name a token, a refresh_token or a sub", code="invalid_request")
        for text in named:
            grant = await self._behind(text)
            if grant is not None and grant.application_id == client:
                await self._store.revoke_grant(grant.id, now)
        if user:
            await self._store.revoke_grants_of(client, UserId(user), now)

    async def linked(self, grant: Grant) -> Profile | None:
        """Return the profile that was connected for a grant, if it is still there."""
        try:
            return await self._store.profile(grant.profile_id)
        except NotFoundError:
            return None

    async def _first(self, grant: Grant) -> Given:
        refresh = secrets.token_urlsafe(32) if grant.reach is Reach.USER else None
        kept = replace(grant, refresh_digest=None if refresh is None else digest(refresh))
        shown = None if refresh is None else token_text(TokenId(grant.id), refresh)
        token, given = self._new(kept, grant.scopes, shown)
        if not await self._store.redeem(kept, token, self._clock.now()):
            # somebody else is using it at this moment, or it was revoked
            await self._store.revoke_grant(grant.id, self._clock.now())
            raise InvalidGrantError
        return given

    async def _again(self, grant: Grant, refresh: str, scopes: frozenset[Scope]) -> Given:
        token, given = self._new(grant, scopes, refresh)
        if not await self._store.renew(grant.id, token):
            raise InvalidGrantError
        return given

    def _new(
        self, grant: Grant, scopes: frozenset[Scope], refresh: str | None
    ) -> tuple[Token, Given]:
        secret = secrets.token_urlsafe(32)
        lifetime = LIFETIME if grant.reach is Reach.USER else None
        token = token_of(replace(grant, scopes=scopes), secret, self._clock, lifetime)
        text = token_text(token.id, secret)
        return token, Given(grant=grant, access_token=text, scopes=scopes, refresh_token=refresh)

    async def _client(self, secret: str | None) -> ApplicationId | None:
        """Return the application that a secret is of: either of its two (R6)."""
        presented = await self._tokens.presented(secret or "")
        if presented is None or not presented.token.is_application:
            return None
        alive = presented.token.alive(self._clock.now())
        return presented.token.application_id if alive else None

    async def _grant(self, text: str) -> Grant | None:
        """Return the grant that the text of a code or a refresh token names."""
        split = split_token(text)
        return None if split is None else await self._store.grant(GrantId(split[0]))

    async def _behind(self, text: str) -> Grant | None:
        """Return what a token or a refresh token came of, if its secret is right."""
        grant, split = await self._grant(text), split_token(text)
        if grant is not None and split is not None:
            return grant if opens(split[1], grant.refresh_digest) else None
        presented = await self._tokens.presented(text)
        if presented is None or presented.token.grant_id is None:
            return None
        return await self._store.grant(presented.token.grant_id)


def _told(error: OAuth2Error) -> SyncdError:
    word = str(error.error)
    description = error.description or WORDS.get(word, word)
    if word == "invalid_client":
        return UnprovenClientError(description)
    return InvalidError(description, code=word)
