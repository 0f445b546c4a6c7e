"""OAuth as Kloudless does it: from the question to a token, and what that is good for (K6-K9)."""

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.auth import authenticate, covered
from syncd.api.kloudless.oauth_shapes import (
    AuthorizeAccountQuery,
    ExchangeBody,
    GivenToken,
    VerifiedToken,
)
from syncd.api.oauth import NOT_KEPT, client_of
from syncd.api.parts import parts_of
from syncd.api.problems import Problem, ProblemError
from syncd.api.route import PAGE, route
from syncd.model.access import Token
from syncd.model.invitation import Reach
from syncd.model.profile import Profile

UNAUTHORIZED = 401


@route(
    "GET",
    "/v1/oauth",
    scope=None,
    query=AuthorizeAccountQuery,
    status=303,
    content_type=PAGE,
    headers=("Location",),
    more={200: None},
    errors=(400,),
)
async def authorize_account(
    request: web.Request, query: AuthorizeAccountQuery
) -> web.StreamResponse:
    """Send a person here to connect an account: on to the connect page, then back to you.

    Back comes `code` and `state` in the query of `redirect_uri`, with `response_type=token` the
    token and `state` in its fragment; on failure `error`, `error_description` and `state`. A
    wrong `client_id` or `redirect_uri` is a page, never a redirect. With
    `urn:ietf:wg:oauth:2.0:oob` this is a popup, which tells the window that opened it, if its
    `origin` is registered: `kloudless:` and an object in JSON.
    """
    del query  # read by the page, with all that is in it twice
    return await parts_of(request).pages.kloudless(request)


@route(
    "POST",
    "/v1/oauth/token",
    scope=None,
    body=ExchangeBody,
    answer=GivenToken,
    form=True,
    oauth=True,
    errors=(401,),
)
async def exchange_code(request: web.Request, body: ExchangeBody) -> web.Response:
    """Return the token that a code stands for; it does not expire.

    `client_secret` may be the API key, or come as `Authorization: APIKey`. A code is good once,
    for ten minutes; used again, it ends the token that it gave.
    """
    asked = {**client_of(request), **body.given()}
    given = await parts_of(request).exchanging.give(asked, reach=Reach.PROFILE)
    told = {
        "access_token": given.access_token,
        "token_type": "Bearer",
        "scope": " ".join(sorted(given.scopes)),
        "account_id": int(given.grant.profile_id),
    }
    return answer(told, headers=NOT_KEPT)


@route("GET", "/v1/oauth/token", scope=None, answer=VerifiedToken, errors=(400, 401))
async def verify_token(request: web.Request) -> web.Response:
    """Tell what the token in `Authorization` covers; 400 `invalid_token` if it is dead.

    Takes any token, whatever its scopes. Only a request without one is answered 401.
    """
    if "Authorization" not in request.headers:
        await authenticate(request)  # refuses, in its own words
    token, *_ = await _live(request)
    account = await _only_account(request, token)
    return answer(
        {
            "client_id": token.application_id,
            "account_id": None if account is None else int(account.id),
            "scope": " ".join(sorted(token.scopes)),
            "token_type": "Bearer",
        }
    )


@route("GET", "/static/iexd.html", scope=None, content_type=PAGE)
async def show_frame(request: web.Request) -> web.Response:
    """Return an empty page: Kloudless' authenticator keeps it in a hidden frame."""
    del request
    policy = {"Content-Security-Policy": "default-src 'none'"}  # any page may frame it
    return web.Response(text="<!doctype html>", content_type=PAGE, headers=policy)


async def _live(request: web.Request) -> tuple[Token, ...]:
    try:
        return await authenticate(request)
    except ProblemError as error:
        if error.problem.status != UNAUTHORIZED:
            raise
        problem = Problem(status=400, code="invalid_token", message=error.problem.message)
        raise ProblemError(problem) from None


async def _only_account(request: web.Request, token: Token) -> Profile | None:
    found = list[Profile]()
    async for profile in covered(parts_of(request).store, token):
        found.append(profile)
        if len(found) > 1:
            return None
    return found[0] if found else None
