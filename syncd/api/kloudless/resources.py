"""Rooms and other resources (api.md K33, K34)."""

from typing import Any, Literal

from aiohttp import web

from syncd.api.answers import answer
from syncd.api.keys import profile_of
from syncd.api.pages import page_token, read_page
from syncd.api.params import Paged
from syncd.api.parts import parts_of
from syncd.api.route import Shape, route
from syncd.model.access import Scope
from syncd.model.errors import NotFoundError
from syncd.model.room import Room

_EXAMPLE = {
    "id": "room-2",
    "name": "Room 2",
    "description": None,
    "email": "room-2@example.org",
    "calendar": None,
    "category": "room",
    "type": "resource",
    "api": "calendar",
}


class Resource(Shape, json_schema_extra={"examples": [_EXAMPLE]}):
    """Something that is booked by inviting its address."""

    id: str
    name: str | None
    description: str | None
    email: str
    calendar: str | None
    category: Literal["room", "other"]
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
)
async def list_resources(request: web.Request, query: Paged) -> web.Response:
    """List what the account can book, by name; nothing where the provider has no such."""
    profile = profile_of(request)
    name = f"resources|{profile.id}"
    place = read_page(query.page, of=name)
    found = await parts_of(request).further.rooms(profile)
    behind = [one for one in found if place.behind is None or _order(one) > place.behind]
    shown, more = behind[: query.page_size], behind[query.page_size :]
    following = None
    if more:
        number, last = place.number + 1, _order(shown[-1])
        following = page_token(of=name, number=number, behind=last, cursor=None)
    body = {
        "count": len(shown),
        "page": str(place.number),
        "next_page": following,
        "objects": [_resource(one) for one in shown],
        "type": "object_list",
        "api": "calendar",
    }
    return answer(body)


@route(
    "GET",
    "/v1/accounts/{account_id}/cal/resources/{resource_id}",
    scope=Scope.LIST_CALENDARS,
    answer=Resource,
)
async def retrieve_resource(request: web.Request) -> web.Response:
    """Return one resource."""
    wanted = request.match_info["resource_id"]
    for one in await parts_of(request).further.rooms(profile_of(request)):
        if one.id == wanted:
            return answer(_resource(one))
    raise NotFoundError(f"there is no resource {wanted}")


def _order(room: Room) -> tuple[str, str]:
    return ((room.name or "").casefold(), room.id)


def _resource(room: Room) -> dict[str, Any]:
    return {
        "id": room.id,
        "name": room.name,
        "description": room.description,
        "email": room.email,
        "calendar": room.calendar,
        "category": "room" if room.is_room else "other",
        "type": "resource",
        "api": "calendar",
    }
