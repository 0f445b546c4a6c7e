"""Calendars of all profiles (api.md C2)."""

from aiohttp import web

from syncd.api.cronofy.answers import told
from syncd.api.cronofy.asking import reach
from syncd.api.cronofy.objects import calendar_object
from syncd.api.cronofy.shapes import CalendarsOfUser
from syncd.api.freshness import HEADERS
from syncd.api.route import route
from syncd.model.access import Scope


@route("GET", "/v1/calendars", scope=Scope.LIST_CALENDARS, answer=CalendarsOfUser, headers=HEADERS)
async def list_all_calendars(request: web.Request) -> web.Response:
    """List the calendars of all profiles; deleted ones stay for the retention time, marked."""
    whole = await reach(request, deleted=True)
    body = {"calendars": [calendar_object(place) for place in whole.places]}
    return told(body, headers=whole.headers())
