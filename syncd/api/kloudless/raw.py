"""Requests passed through to the provider as they are (api.md K29)."""

import re

from aiohttp import web

from syncd.api.body import read_bytes
from syncd.api.keys import profile_of
from syncd.api.parts import parts_of
from syncd.api.problems import invalid
from syncd.api.route import route
from syncd.model.access import Scope
from syncd.ports.passing import Passed

METHOD = "X-Kloudless-Raw-Method"
URI = "X-Kloudless-Raw-URI"
_METHOD = re.compile(r"[A-Z][A-Z-]{0,31}")
_NEVER = frozenset({"CONNECT", "TRACE"})
_URI = re.compile(r"(/(?!/)|https?://)[\x21-\x5b\x5d-\x7e]*")
_INERT = {  # a page of somebody else's does nothing here
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@route(
    "POST",
    "/v1/accounts/{account_id}/raw",
    scope=Scope.RAW,
    content_type="*/*",
    takes=(METHOD, URI),
    errors=(400, 423, 502, 504),
)
async def pass_through(request: web.Request) -> web.Response:
    """Send a request of your own to the account's provider, with the account's credentials.

    The body is sent on as it is; status, type and body of the answer come back, up to 16 MiB.
    """
    method = request.headers.get(METHOD, "")
    uri = request.headers.get(URI, "")
    if not _METHOD.fullmatch(method) or method in _NEVER:
        raise invalid(f"{METHOD} must name a method, such as GET", field=METHOD)
    if not _URI.fullmatch(uri):
        raise invalid(f"{URI} must be a path or an address", field=URI)
    asked = Passed(
        method=method,
        uri=uri,
        body=await read_bytes(request),
        content_type=request.headers.get("Content-Type"),
    )
    told = await parts_of(request).further.passed(profile_of(request), asked)
    headers = _INERT | ({} if told.content_type is None else {"Content-Type": told.content_type})
    return web.Response(status=told.status, body=told.body, headers=headers)
