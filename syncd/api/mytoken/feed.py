"""The ICS of a calendar of tokens: its path is all that it takes (api.md M9)."""

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.parts import parts_of
from syncd.api.published import HEADERS, count, file_headers, is_fresh
from syncd.api.route import route


@route(
    "GET",
    "/calendars/{secret}",
    scope=None,
    content_type="text/calendar",
    more={304: None},
    headers=HEADERS,
    takes=("If-None-Match", "If-Modified-Since"),
)
async def read_token_calendar(request: web.Request) -> web.Response:
    """Return the expiries of a calendar's tokens as ICS, with reminders; no token is needed."""
    secret, issuer = request.match_info["secret"], base_url(request)
    count(request, secret)
    file = await parts_of(request).expiries.file(secret)
    version = f"{file.version} {issuer}"
    headers = file_headers(file.calendar.name, version, file.modified, request)
    if is_fresh(request, headers, file.modified):
        return web.Response(status=304, headers=headers)
    return web.Response(body=file.write(issuer), headers=headers)
