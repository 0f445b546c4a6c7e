"""Who sends: a mytoken in the body, else as Bearer, and the one that follows it (M2, M12)."""

import re

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.auth import note_use, unauthorized
from syncd.api.body import read_body
from syncd.api.mytoken.problems import refused
from syncd.api.parts import Json, parts_of
from syncd.engine.tokens import Presented
from syncd.model.access import Token
from syncd.model.ids import UserId

PRESENTED = web.RequestKey("presented", Presented)
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
_BODILESS = frozenset({"GET", "HEAD"})  # theirs are ignored (R3)


async def sender(request: web.Request) -> tuple[Token, ...]:
    """Return the token of the body, else of the header; 401 without one, or if it is dead."""
    text = await _text(request)
    if text is None:
        raise unauthorized("no mytoken found in request")
    parts = parts_of(request)
    presented = await parts.tokens.presented(text)
    if presented is None:
        raise unauthorized("token not valid", sent=True)
    token = presented.token
    if not token.alive(parts.clock.now()):
        raise unauthorized("" if token.revoked_at else "token not valid", sent=True)
    request[PRESENTED] = presented
    await note_use(request, token)
    return (token,)


async def user_of(request: web.Request) -> UserId:
    """Return whose calendars the token is for; 403 for one of an application or administrator."""
    user = await parts_of(request).tokens.user_of(request[PRESENTED].token)
    if user is None:
        raise refused(
            403, "usage_restricted", "this token belongs to no user: make one with --user"
        )
    return user


async def told(
    request: web.Request, body: Json | None, *, status: int = 200, location: str | None = None
) -> web.Response:
    """Return the answer of a call that did what was asked: now a token that rotates is replaced.

    Without a body: 204, or 200 with the new token alone.
    """
    update = await _update(request)
    if body is None and not update:
        return web.Response(status=204)
    headers = {} if location is None else {"Location": location}
    return answer({**(body or {}), **update}, status=status, headers=headers)


async def _update(request: web.Request) -> Json:
    presented, parts = request[PRESENTED], parts_of(request)
    token = presented.token
    text = await parts.tokens.rotated(presented) if token.rotates else None
    if text is None:
        return {}
    update: Json = {
        "mytoken": text,
        "mytoken_type": "token",
        "mom_id": token.lineage,
        "capabilities": sorted(token.scopes),
        "rotation": {"on_other": True},
    }
    if token.expires_at is not None:
        left = (token.expires_at - parts.clock.now()).total_seconds()
        update["expires_in"] = max(0, int(left))
    return {"token_update": update}


async def _text(request: web.Request) -> str | None:
    if request.method not in _BODILESS:
        given = (await read_body(request, form=True)).get("mytoken")
        if given is not None:
            return given if isinstance(given, str) else ""
    headers = request.headers.getall("Authorization", [])
    found = _BEARER.fullmatch(headers[0].strip()) if len(headers) == 1 else None
    return None if found is None else found[1]
