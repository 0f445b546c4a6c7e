"""OAuth as Cronofy does it: from the question to tokens, and their end (api.md C18-C20)."""

from aiohttp import web

from syncd.api.cronofy.answers import told
from syncd.api.cronofy.oauth_shapes import (
    AuthorizeUserQuery,
    GivenTokens,
    RevokeBody,
    Revoked,
    TokensBody,
)
from syncd.api.oauth import NOT_KEPT
from syncd.api.parts import parts_of
from syncd.api.route import PAGE, route
from syncd.engine.exchanging import LIFETIME
from syncd.model.brands import brand_of_profile
from syncd.model.invitation import Reach


@route(
    "GET",
    "/oauth/authorize",
    scope=None,
    query=AuthorizeUserQuery,
    status=303,
    content_type=PAGE,
    headers=("Location",),
    errors=(400,),
)
async def authorize_user(request: web.Request, query: AuthorizeUserQuery) -> web.StreamResponse:
    """Send a person here to connect a profile: on to the connect page, then back to you.

    `provider_name` selects a provider. What the person has connected for you in this browser
    before gets the new profile too, unless `avoid_linking` is true. Back come `code` and
    `state`; on failure `error`, `error_description` and `state`. A wrong `client_id` or
    `redirect_uri` is a page, never a redirect.
    """
    del query  # read by the page, with all that is in it twice
    return await parts_of(request).pages.cronofy(request)


@route(
    "POST",
    "/oauth/token",
    scope=None,
    body=TokensBody,
    answer=GivenTokens,
    form=True,
    oauth=True,
    errors=(401,),
)
async def give_tokens(request: web.Request, body: TokensBody) -> web.Response:
    """Return an access token of a user, for a code or for a refresh token.

    It lives for three hours. The refresh token does not change, and older access tokens live on
    until they expire. A code is good once, for ten minutes; used again, it ends all that it gave.
    `Authorization` is not looked at.
    """
    exchanging = parts_of(request).exchanging
    given = await exchanging.give(body.given(), reach=Reach.USER)
    profile = await exchanging.linked(given.grant)
    linked = profile and {
        "provider_name": brand_of_profile(profile).provider_name,
        "profile_id": profile.public_name,
        "profile_name": profile.login,
    }
    tokens = {
        "token_type": "bearer",
        "access_token": given.access_token,
        "expires_in": int(LIFETIME.total_seconds()),
        "refresh_token": given.refresh_token,
        "scope": " ".join(sorted(given.scopes)),
        "account_id": given.grant.user_id,
        "sub": given.grant.user_id,
        "linking_profile": linked,
    }
    return told(tokens, headers=NOT_KEPT)


@route(
    "POST",
    "/oauth/token/revoke",
    scope=None,
    body=RevokeBody,
    answer=Revoked,
    form=True,
    oauth=True,
    errors=(401,),
)
async def revoke_tokens(request: web.Request, body: RevokeBody) -> web.Response:
    """End a grant with all its tokens, or all that a user (`sub`) allowed you.

    What is unknown is as good as ended. The profiles stay connected.
    """
    await parts_of(request).exchanging.end(body.given())
    return told({}, headers=NOT_KEPT)
