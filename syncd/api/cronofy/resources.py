"""Rooms and other resources over all profiles (api.md C17)."""

from contextlib import suppress

from aiohttp import web

from syncd.api.auth import all_covered
from syncd.api.cronofy.answers import told
from syncd.api.keys import PROFILE, tokens_of
from syncd.api.parts import parts_of
from syncd.api.route import Shape, route
from syncd.model.access import Scope
from syncd.model.errors import ForbiddenError
from syncd.model.room import Room

_EXAMPLE = {"email": "room-2@example.org", "name": "Room 2"}


class BookableResource(Shape):
    """Something that is booked by inviting its address."""

    email: str
    name: str | None


class ResourcesOfUser(Shape, json_schema_extra={"examples": [{"resources": [_EXAMPLE]}]}):
    """What the user can book."""

    resources: tuple[BookableResource, ...]


@route(
    "GET",
    "/v1/resources",
    scope=Scope.LIST_CALENDARS,
    answer=ResourcesOfUser,
    errors=(423, 502, 503, 504),
)
async def list_bookable_resources(request: web.Request) -> web.Response:
    """List what any of the profiles can book, by name; profiles that may not look are passed by."""
    parts, found = parts_of(request), dict[str, Room]()
    for profile in await all_covered(parts.store, tokens_of(request)):
        request[PROFILE] = profile  # whose it is if the provider refuses its login
        with suppress(ForbiddenError):
            found |= {one.room.email: one.room for one in await parts.further.rooms(profile)}
    rooms = sorted(found.values(), key=lambda one: ((one.name or "").casefold(), one.email))
    return told({"resources": [{"email": one.email, "name": one.name} for one in rooms]})
