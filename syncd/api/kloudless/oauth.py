"""What a token is good for, as clients verify it (api.md K8)."""

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.auth import authenticate, covered
from syncd.api.parts import parts_of
from syncd.api.problems import Problem, ProblemError
from syncd.api.route import Shape, route
from syncd.model.access import Token
from syncd.model.profile import Profile

_EXAMPLE = {
    "client_id": None,
    "account_id": 7,
    "scope": "list_calendars read_events",
    "token_type": "Bearer",
}
UNAUTHORIZED = 401


class VerifiedToken(Shape, json_schema_extra={"examples": [_EXAMPLE]}):
    """A live token; `scope` separates its scopes by blanks.

    `client_id` is null for one made on the command line, `account_id` null unless it covers
    exactly one account.
    """

    client_id: str | None
    account_id: int | None
    scope: str
    token_type: str


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
