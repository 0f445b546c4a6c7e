"""Inviting a person to connect a profile (api.md N7)."""

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.answers import answer
from syncd.api.keys import tokens_of
from syncd.api.native.connect_shapes import ConnectBody, Invited
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.model.access import Scope
from syncd.model.when import utc


@route(
    "POST",
    "/v1/connect",
    scope=Scope.MANAGE_PROFILES,
    body=ConnectBody,
    status=201,
    answer=Invited,
    headers=("Location",),
)
async def invite_person(request: web.Request, body: ConnectBody) -> web.Response:
    """Return a link where a person connects a profile, good once, for an hour.

    Asked by an application, or for its own user by a user's token. The person comes back to
    `return_to` with `profile_id`, `account_id` and `state`, or with `error` and
    `error_description`.
    """
    token, *_ = tokens_of(request)
    path, invitation = await parts_of(request).asking.native(
        token,
        user=body.user,
        provider=body.provider,
        return_to=body.return_to,
        state=body.state,
    )
    url = base_url(request) + path
    told = {"url": url, "expires_at": utc(invitation.expires_at)}
    return answer(told, status=201, headers={"Location": url})
