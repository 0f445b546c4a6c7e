"""From a Route to a handler of aiohttp: who asks, for what, with which parameters."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from syncd.api.address import base_url
from syncd.api.auth import (
    account_named,
    accounts_named,
    authenticate,
    calendar_covered,
    check_scope,
    profile_named,
)
from syncd.api.body import read_body
from syncd.api.heard import heard
from syncd.api.idempotency import once
from syncd.api.keys import CALENDAR, DIALECT, PROFILE, PROFILES, TOKENS, profile_of
from syncd.api.kloudless.objects import RAW, wants_raw
from syncd.api.limits import GATE
from syncd.api.oauth import worded
from syncd.api.params import parse_body, parse_query
from syncd.api.parts import parts_of
from syncd.api.problems import Problem, ProblemError, problem_of
from syncd.api.route import NoQuery, Route
from syncd.model.access import Scope, Token
from syncd.model.errors import RelinkRequiredError


def serving(route: Route) -> Handler:
    """Return the handler that serves a route."""

    async def serve(request: web.Request) -> web.StreamResponse:
        if route.oauth:
            request[DIALECT] = worded(request[DIALECT])
        with ExitStack() as places:
            if route.guarded:
                if route.admit is not None:
                    tokens = await route.admit(request)
                else:
                    tokens = await authenticate(request, client_secret=route.client_secret)
                gate = request.config_dict[GATE]
                for token in tokens:
                    gate.spend(token.id)
                places.enter_context(gate.running([token.id for token in tokens]))
                await _admit(request, route.scope, tokens)
            places.enter_context(heard(request))
            given = await _given(request, route)

            async def run() -> web.StreamResponse:
                try:
                    return await route.handler(request, **given)
                except RelinkRequiredError as error:
                    raise ProblemError(await _disconnected(request, error)) from error

            if route.idempotent and TOKENS in request:
                return await once(request, request[TOKENS][0], f"{route.method} {route.path}", run)
            return await run()

    return serve


async def _admit(request: web.Request, scope: Scope | None, tokens: Sequence[Token]) -> None:
    store = parts_of(request).store
    name = request.match_info
    if "account_id" in name:
        token, request[PROFILE] = await account_named(store, tokens, name["account_id"])
        request[TOKENS] = check_scope([token], scope)
    elif "account_ids" in name:
        named = await accounts_named(store, tokens, name["account_ids"])
        request[TOKENS] = tuple(one for token, _ in named for one in check_scope([token], scope))
        request[PROFILES] = tuple(profile for _, profile in named)
    elif "profile_id" in name:
        token, request[PROFILE] = await profile_named(store, tokens, name["profile_id"])
        request[TOKENS] = check_scope([token], scope)
    elif "calendar_id" in name:
        request[TOKENS] = check_scope(tokens, scope)
        found = await calendar_covered(store, tokens, name["calendar_id"])
        token, request[PROFILE], request[CALENDAR] = found
        request[TOKENS] = check_scope([token], scope)
    else:
        request[TOKENS] = check_scope(tokens, scope)


async def _given(request: web.Request, route: Route) -> dict[str, Any]:
    given = dict[str, Any]()
    if RAW in route.takes:
        wants_raw(request)  # what is no flag is refused before anything is done
    if route.query is not NoQuery:
        given["query"] = parse_query(route.query, request.query)
    if route.body is not None:
        given["body"] = parse_body(route.body, await read_body(request, form=route.form))
    return given


async def _disconnected(request: web.Request, error: RelinkRequiredError) -> Problem:
    """Return 423 with the URL where a person can mend it (R15)."""
    path = await parts_of(request).linking.relink_path(profile_of(request))
    problem = problem_of(error)
    members = {"relink_url": None if path is None else base_url(request) + path}
    return Problem(
        status=problem.status, code=problem.code, message=problem.message, members=members
    )
