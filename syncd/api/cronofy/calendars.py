"""Calendars of all profiles, and making one (api.md C2, C5)."""

from aiohttp import web

from syncd.api.auth import profile_named
from syncd.api.cronofy.answers import told
from syncd.api.cronofy.asking import Place, reach
from syncd.api.cronofy.bodies import NewCalendarBody
from syncd.api.cronofy.objects import calendar_object, made_calendar
from syncd.api.cronofy.refusals import calendar_refusals, ignored, refused
from syncd.api.cronofy.shapes import CalendarsOfUser, CreatedCalendar
from syncd.api.freshness import HEADERS, IGNORED
from syncd.api.idempotency import object_name
from syncd.api.keys import PROFILE, tokens_of
from syncd.api.parts import parts_of
from syncd.api.route import route
from syncd.model.access import Scope
from syncd.model.edit import UNSET, CalendarEdit
from syncd.model.errors import NotFoundError


@route("GET", "/v1/calendars", scope=Scope.LIST_CALENDARS, answer=CalendarsOfUser, headers=HEADERS)
async def list_all_calendars(request: web.Request) -> web.Response:
    """List the calendars of all profiles; deleted ones stay for the retention time, marked."""
    whole = await reach(request, deleted=True)
    body = {"calendars": [calendar_object(place) for place in whole.places]}
    return told(body, headers=whole.headers())


@route(
    "POST",
    "/v1/calendars",
    scope=Scope.CREATE_CALENDAR,
    body=NewCalendarBody,
    answer=CreatedCalendar,
    errors=(409, 423, 502, 503, 504),
    headers=(IGNORED,),
    idempotent=True,
)
async def create_calendar_in_profile(request: web.Request, body: NewCalendarBody) -> web.Response:
    """Make a calendar in a profile; a color that the provider has no room for is dropped."""
    parts = parts_of(request)
    try:
        _, profile = await profile_named(parts.store, tokens_of(request), body.profile_id)
    except NotFoundError as error:
        raise refused("profile_id", "unknown", "there is no such profile") from error
    request[PROFILE] = profile
    edit = CalendarEdit(name=body.name, color=body.color or UNSET)
    with calendar_refusals():
        made = await parts.writer.create_calendar(profile, edit, name=object_name(request))
    place = Place(profile=profile, calendar=made.calendar)
    return told({"calendar": made_calendar(place)}, headers=ignored(made.ignored))
