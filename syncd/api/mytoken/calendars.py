"""Calendars of expiring tokens (api.md M3-M8)."""

from aiohttp import web

from syncd.api.address import base_url
from syncd.api.body import read_body
from syncd.api.mytoken.configuration import ROOT
from syncd.api.mytoken.problems import missing, refused
from syncd.api.mytoken.sender import sender, told, user_of
from syncd.api.mytoken.shapes import (
    CalendarChange,
    NewCalendar,
    Subscription,
    TokenCalendar,
    TokenCalendarList,
    Updated,
)
from syncd.api.parts import Json, parts_of
from syncd.api.route import route
from syncd.engine.expiries import Shown
from syncd.model.access import Scope
from syncd.model.errors import NotFoundError

_ALL = f"{ROOT}/notifications/calendars"
_ONE = f"{_ALL}/{{name}}"


@route("GET", _ALL, scope=Scope.READ_NOTIFY, admit=sender, answer=TokenCalendarList)
async def list_token_calendars(request: web.Request) -> web.Response:
    """List the calendars of the token's user, in the order of their making."""
    found = await parts_of(request).expiries.calendars(await user_of(request))
    return await told(request, {"calendars": [_object(request, one) for one in found]})


@route(
    "POST",
    _ALL,
    scope=Scope.NOTIFY,
    admit=sender,
    body=NewCalendar,
    form=True,
    idempotent=True,
    status=201,
    answer=TokenCalendar,
)
async def create_token_calendar(request: web.Request, body: NewCalendar) -> web.Response:
    """Make a calendar.

    Without `name`, but with `description` or `tags`: it is named by its description, if that is
    free and fits, else by its id.
    """
    user = await user_of(request)
    named = bool(body.model_fields_set & {"description", "tags"})
    if not body.name and not named:
        raise missing("name")
    made = await parts_of(request).expiries.create(
        user, body.name or None, description=body.description, labels=body.tags or ()
    )
    place = f"{base_url(request)}{_ALL}/{made.calendar.id}"
    return await told(request, _object(request, made), status=201, location=place)


@route("GET", _ONE, scope=Scope.READ_NOTIFY, admit=sender, status=302)
async def find_token_calendar(request: web.Request) -> web.Response:
    """Lead to the calendar's ICS; the one call that never replaces a token."""
    shown = await _named(request)
    headers = {"Location": base_url(request) + shown.path, "Referrer-Policy": "no-referrer"}
    return web.Response(status=302, headers=headers)


@route(
    "POST",
    _ONE,
    scope=Scope.NOTIFY,
    admit=sender,
    body=Subscription,
    form=True,
    answer=TokenCalendar,
)
async def subscribe_token(request: web.Request, body: Subscription) -> web.Response:
    """Remind of a token's expiry in this calendar; once more only replaces the comment."""
    shown = await _named(request)
    if not body.mom_id:
        raise missing("mom_id")
    try:
        after = await parts_of(request).expiries.watch(shown, body.mom_id, body.comment)
    except NotFoundError:
        raise refused(403, "invalid_grant", "there is no such token of this user") from None
    return await told(request, _object(request, after))


@route(
    "PUT",
    _ONE,
    scope=Scope.NOTIFY,
    admit=sender,
    body=CalendarChange,
    form=True,
    answer=TokenCalendar,
)
async def change_token_calendar(request: web.Request, body: CalendarChange) -> web.Response:
    """Change description and tags; a member that is left out stays, null clears."""
    shown = await _named(request)
    given = body.model_fields_set
    kept = [one.name for one in shown.labels]
    after = await parts_of(request).expiries.change(
        shown,
        description=body.description if "description" in given else shown.calendar.description,
        labels=body.tags or () if "tags" in given else kept,
    )
    return await told(request, _object(request, after))


@route("DELETE", _ONE, scope=Scope.NOTIFY, admit=sender, status=204, more={200: Updated})
async def remove_token_calendar(request: web.Request) -> web.Response:
    """Remove a calendar; with `mom_id` in the body only stop reminding of that token.

    What is not there is as good. A token that rotates is told its successor, with 200.
    """
    expiries, name = parts_of(request).expiries, request.match_info["name"]
    user = await user_of(request)
    given = await read_body(request, form=True)
    if given.get("mom_id"):
        await expiries.unwatch(user, name, str(given["mom_id"]))
    else:
        await expiries.remove(user, name)
    return await told(request, None)


async def _named(request: web.Request) -> Shown:
    user = await user_of(request)
    return await parts_of(request).expiries.calendar(user, request.match_info["name"])


def _object(request: web.Request, shown: Shown) -> Json:
    calendar = shown.calendar
    told: Json = {
        "name": calendar.name,
        "ics_path": base_url(request) + shown.path,
        "id": calendar.id,
        "tags": [{"tag": one.name, "color": one.color} for one in shown.labels],
    }
    if shown.watched:
        told["subscribed_tokens"] = [one.token.lineage for one in shown.watched]
    if calendar.description is not None:
        told["description"] = calendar.description
    return told
