"""The rooms of a Workspace domain, which only its administrators may list (api.md K33)."""

import orjson

from syncd.model.errors import MalformedReplyError
from syncd.model.ids import CalendarKey
from syncd.model.room import Room
from syncd.providers.google import paging
from syncd.providers.google.client import GoogleClient, Json

_PATH = ("customer", "my_customer", "resources", "calendars")
_MOST = {"maxResults": "500"}


async def rooms(client: GoogleClient) -> list[Room]:
    """Return every resource that can be booked; raises ForbiddenError for who is no administrator.

    ``client`` asks the Directory's own host (G14).
    """
    found = list[Room]()
    async for page in paging.pages(client, _PATH, _MOST, _check):
        found += [room_of(one) for one in page["items"] if one.get("resourceEmail")]
    return found


def _check(page: Json) -> None:
    items = page.setdefault("items", [])  # a page without any is a page, too
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise MalformedReplyError("Google answered with a page that has no resources")


def room_of(item: Json) -> Room:
    """Return a resource; its address is the id of its calendar."""
    email = str(item["resourceEmail"])
    return Room(
        id=str(item.get("resourceId") or email),
        email=email,
        name=_text(item, "resourceName") or _text(item, "generatedResourceName"),
        description=_text(item, "userVisibleDescription"),
        calendar=CalendarKey(email),
        is_room=item.get("resourceCategory") == "CONFERENCE_ROOM",
        raw=orjson.dumps(item),
    )


def _text(item: Json, name: str) -> str | None:
    told = item.get(name)
    return told if isinstance(told, str) and told else None
