"""Subscriptions: choices of calendars to read an account's activity through (api.md K43)."""

from collections.abc import Sequence
from dataclasses import replace

import orjson
from aiohttp import web

from syncd.api.address import base_url
from syncd.api.answers import answer
from syncd.api.idempotency import object_name
from syncd.api.keys import profile_of
from syncd.api.kloudless.subscription_shapes import (
    StreamSubscription,
    StreamSubscriptionList,
    SubscriptionBody,
)
from syncd.api.pages import cut, read_page
from syncd.api.params import Paged
from syncd.api.parts import Json, parts_of
from syncd.api.problems import invalid
from syncd.api.route import route
from syncd.api.versions import check_demanded, etag, versioned
from syncd.engine.selections import (
    add_selection,
    change_selection,
    remove_selection,
    selection_named,
    selections_behind,
)
from syncd.model.access import Scope
from syncd.model.ids import PRIMARY, CalendarId
from syncd.model.selection import Selection, selection_id
from syncd.model.when import utc

_ALL = "/v1/accounts/{account_id}/subscriptions"
ONE = f"{_ALL}/{{subscription_id}}"


@route("GET", _ALL, scope=Scope.READ_EVENTS, query=Paged, answer=StreamSubscriptionList)
async def list_subscriptions(request: web.Request, query: Paged) -> web.Response:
    """List the subscriptions of an account: the default one first, then by id."""
    profile = profile_of(request)
    name = f"subscriptions|{profile.id}"
    place = read_page(query.page, of=name)
    after = None if place.behind is None else str(place.behind[0])
    found = await selections_behind(
        parts_of(request).store, profile, after, limit=query.page_size + 1
    )
    shown, around = cut(found, query.page_size, of=name, place=place)
    return answer(
        around
        | {
            "page": str(place.number),
            "objects": [_object(request, one) for one in shown],
            "type": "object_list",
            "api": "events",
        }
    )


@route(
    "POST",
    _ALL,
    scope=Scope.MANAGE_WEBHOOKS,
    body=SubscriptionBody,
    answer=StreamSubscription,
    status=201,
    errors=(409, 422),
    headers=("ETag", "Location"),
    idempotent=True,
)
async def create_subscription(request: web.Request, body: SubscriptionBody) -> web.Response:
    """Make a subscription, of all calendars unless `monitored_resources` names some."""
    parts, profile = parts_of(request), profile_of(request)
    now = parts.clock.now()
    asked = Selection(
        id=selection_id(str(profile.id), object_name(request)),
        profile_id=profile.id,
        created=now,
        modified=now,
        calendars=await _calendars(request, body.monitored_resources or ()),
        active=body.active,
    )
    made = await add_selection(parts.store, profile, asked, most=parts.per_owner)
    return _versioned(request, made, {"Location": _href(request, made)}, status=201)


@route(
    "GET",
    ONE,
    scope=Scope.READ_EVENTS,
    answer=StreamSubscription,
    more={304: None},
    headers=("ETag",),
    takes=("If-None-Match",),
)
async def retrieve_subscription(request: web.Request) -> web.Response:
    """Return one subscription; `default` is the one that every account has."""
    return _versioned(request, await subscription_named(request), {})


@route(
    "PATCH",
    ONE,
    scope=Scope.MANAGE_WEBHOOKS,
    body=SubscriptionBody,
    answer=StreamSubscription,
    errors=(409, 412),
    headers=("ETag",),
    takes=("If-Match",),
)
async def update_subscription(request: web.Request, body: SubscriptionBody) -> web.Response:
    """Change what is given of a subscription; cursors stay good."""
    parts, found = parts_of(request), await _demanded(request)
    given, calendars = body.model_fields_set, found.calendars
    if "monitored_resources" in given:
        calendars = await _calendars(request, body.monitored_resources or (), found.calendars)
    after = replace(
        found, calendars=calendars, active=body.active if "active" in given else found.active
    )
    stored = await change_selection(parts.store, profile_of(request), after, now=parts.clock.now())
    return _versioned(request, stored, {})


@route("DELETE", ONE, scope=Scope.MANAGE_WEBHOOKS, status=204, errors=(412,), takes=("If-Match",))
async def delete_subscription(request: web.Request) -> web.Response:
    """End a subscription; the default one stays."""
    await remove_selection(parts_of(request).store, await _demanded(request))
    return web.Response(status=204)


async def subscription_named(request: web.Request) -> Selection:
    """Return the subscription of the path; raises NotFoundError."""
    name = request.match_info["subscription_id"]
    return await selection_named(parts_of(request).store, profile_of(request), name)


async def _demanded(request: web.Request) -> Selection:
    """Return the subscription of the path; 412 if ``If-Match`` wants another version."""
    found = await subscription_named(request)
    check_demanded(request, _tag(found), "subscription")
    return found


async def _calendars(
    request: web.Request, names: Sequence[str], held: Sequence[CalendarId] = ()
) -> tuple[CalendarId, ...]:
    """Return ids of the account's calendars, each once; what is ``held`` may be gone meanwhile."""
    listed = await parts_of(request).store.calendars(profile_of(request).id)
    known = {str(one.id): one.id for one in listed} | {str(one): one for one in held}
    known.update((PRIMARY, one.id) for one in listed if one.calendar.primary)
    for name in names:
        if name not in known:
            raise invalid(f"this account has no calendar {name}", field="monitored_resources")
    return tuple(dict.fromkeys(known[name] for name in names))


def _versioned(
    request: web.Request, selection: Selection, headers: dict[str, str], *, status: int = 200
) -> web.Response:
    shown = orjson.dumps(_object(request, selection))
    return versioned(request, shown, _tag(selection), headers, status=status)


def _object(request: web.Request, selection: Selection) -> Json:
    return _document(selection) | {"href": _href(request, selection)}


def _document(selection: Selection) -> Json:
    """Return K43's object without its link."""
    return {
        "id": selection.id,
        "account_id": str(selection.profile_id),
        "subscription_type": "changes",
        "active": selection.active,
        "default": selection.default,
        "monitored_resources": selection.calendars,
        "expiry": None,
        "created": utc(selection.created),
        "modified": utc(selection.modified),
        "type": "subscription",
        "api": "events",
    }


def _tag(selection: Selection) -> str:
    return etag(orjson.dumps(_document(selection)))


def _href(request: web.Request, selection: Selection) -> str:
    return f"{base_url(request)}/v1/accounts/{selection.profile_id}/subscriptions/{selection.id}"
