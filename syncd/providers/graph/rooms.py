"""The rooms of a tenant, as anyone in it may book them (api.md K33, MG18)."""

import orjson

from syncd.formats.outlook import Json
from syncd.model.errors import RelinkRequiredError
from syncd.model.ids import CalendarKey
from syncd.model.room import Room
from syncd.providers.graph.client import Ask, GraphClient
from syncd.providers.graph.refusals import UnknownHereError

_ROOMS = Ask(path=("places", "microsoft.graph.room"), query={"$top": "100"})
_ME = Ask(path=("me",), query={"$select": "id"})


async def rooms(client: GraphClient) -> list[Room]:
    """Return every room that has an address; none where the mailbox is of no tenant (P17).

    Such a mailbox answers 400, or 401 although its sign-in is alive. Raises ForbiddenError
    without the scope.
    """
    found = list[Room]()
    try:
        async for page in client.pages(_ROOMS):
            found += [room_of(one) for one in page["value"] if one.get("emailAddress")]
    except UnknownHereError:
        return []
    except RelinkRequiredError:
        await client.read(_ME)  # or is it the sign-in?
        return []
    return found


def room_of(item: Json) -> Room:
    """Return a room; its calendar is the first one of the mailbox with its address."""
    email = str(item["emailAddress"])
    return Room(
        id=str(item.get("id") or email),
        email=email,
        name=item.get("displayName") or item.get("nickname") or None,
        calendar=CalendarKey(email),
        raw=orjson.dumps(item),
    )
