"""Rooms and other resources (api.md K33, K34)."""

from typing import Literal

import orjson
from aiohttp import web

from syncd.api.answers import answer
from syncd.api.keys import profile_of
from syncd.api.kloudless.objects import RAW, raw_member, wants_raw
from syncd.api.kloudless.shapes import Raw
from syncd.api.pages import cut, read_page
from syncd.api.params import Paged
from syncd.api.parts import Json, parts_of
from syncd.api.route import Shape, route
from syncd.engine.further import Bookable
from syncd.model.access import Scope
from syncd.model.errors import NotFoundError
from syncd.model.profile import Profile

_EXAMPLE = {
    "id": "room-2",
    "name": "Room 2",
    "description": None,
    "email": "room-2@example.org",
    "calendar": "room_aaab_k3f9x2m4ab",
    "category": "room",
    "type": "resource",
    "api": "calendar",
}


class Resource(Shape, json_schema_extra={"examples": [_EXAMPLE]}):
    """Something that is booked by inviting its address.

    `calendar` is an id to list its events with: of the account's own list, or one by which they are
    read from the provider; null where the provider shows them to nobody. `raw` is there only with
    `X-Kloudless-Raw-Data: true`.
    """

    id: str
    name: str | None
    description: str | None
    email: str
    calendar: str | None
    category: Literal["room", "other"]
    raw: Raw | None = None
    type: Literal["resource"]
    api: Literal["calendar"]


class ResourceList(Shape):
    """A page of resources."""

    count: int
    page: str
    next_page: str | None
    objects: tuple[Resource, ...]
    type: Literal["object_list"]
    api: Literal["calendar"]


@route(
    "GET",
    "/v1/accounts/{account_id}/cal/resources",
    scope=Scope.LIST_CALENDARS,
    query=Paged,
    answer=ResourceList,
    takes=(RAW,),
)
async def list_resources(request: web.Request, query: Paged) -> web.Response:
    """List what the account can book, by name; nothing where the provider has no such."""
    profile = profile_of(request)
    name = f"resources|{profile.id}"
    place = read_page(query.page, of=name)
    found = await parts_of(request).further.rooms(profile)
    behind = [one for one in found if place.behind is None or _order(one) > place.behind]
    shown, around = cut(behind, query.page_size, of=name, place=place, key=_order)
    return answer(
        around
        | {
            "page": str(place.number),
            "objects": [_resource(one, profile, raw=wants_raw(request)) for one in shown],
            "type": "object_list",
            "api": "calendar",
        }
    )


@route(
    "GET",
    "/v1/accounts/{account_id}/cal/resources/{resource_id}",
    scope=Scope.LIST_CALENDARS,
    answer=Resource,
    takes=(RAW,),
)
async def retrieve_resource(request: web.Request) -> web.Response:
    """Return one resource."""
    profile, wanted = profile_of(request), request.match_info["resource_id"]
    for one in await parts_of(request).further.rooms(profile):
        if one.room.id == wanted:
            return answer(_resource(one, profile, raw=wants_raw(request)))
    raise NotFoundError(f"there is no resource {wanted}")


def _order(one: Bookable) -> tuple[str, str]:
    return ((one.room.name or "").casefold(), one.room.id)


def _resource(one: Bookable, profile: Profile, *, raw: bool) -> Json:
    room = one.room
    told: Json = {
        "id": room.id,
        "name": room.name,
        "description": room.description,
        "email": room.email,
        "calendar": one.calendar,
        "category": "room" if room.is_room else "other",
        "type": "resource",
        "api": "calendar",
    }
    if raw:
        shown = orjson.loads(room.raw) if room.raw else None
        told["raw"] = raw_member(profile, room.id, shown)
    return told
