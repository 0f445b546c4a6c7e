"""The rooms of an organisation: those of every room list (api.md K33)."""

from lxml.etree import _Element as Element

from syncd.model.room import Room
from syncd.providers.ews import payloads
from syncd.providers.ews.client import EwsClient
from syncd.providers.ews.xml import child, children, text


async def rooms(client: EwsClient) -> list[Room]:
    """Return every room once; without room lists there are none."""
    lists = await client.read(payloads.get_room_lists)
    found = dict[str, Room]()
    for one in children(child(lists, "RoomLists"), "Address"):
        address = text(one, "EmailAddress") or ""
        told = await client.read(lambda address=address: payloads.get_rooms(address))  # type: ignore[misc]  # a default binds
        for room in children(child(told, "Rooms"), "Room"):
            _take(child(room, "Id"), found)
    return list(found.values())


def _take(room: Element | None, found: dict[str, Room]) -> None:
    email = text(room, "EmailAddress")
    if email:
        found.setdefault(email, Room(id=email, email=email, name=text(room, "Name")))
