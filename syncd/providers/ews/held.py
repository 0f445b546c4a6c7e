"""What the snapshot keeps of Exchange's events: ids with versions, and what an update needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from lxml.etree import _Element as Element

from syncd.model.event import Event
from syncd.model.ids import WHOLE, Slot
from syncd.model.resource import RawResource
from syncd.providers.ews.client import item_id
from syncd.providers.ews.payloads import ItemId
from syncd.providers.ews.xml import attribute, child, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An item; ``line`` is the RRULE of a series, the words are Exchange's own."""

    id: ItemId
    uid: str = ""
    shows: str = ""
    sensitivity: str = ""
    zone: str = ""  # a Windows name
    line: str = ""
    occurrences: Mapping[Slot, "Held"] = field(default_factory=dict)

    def at(self, slot: Slot) -> "Held | None":
        """Return the item, or one of its exceptions."""
        return self if slot == WHOLE else self.occurrences.get(slot)


def held_of(item: Element, event: Event, occurrences: Mapping[Slot, Held] | None = None) -> Held:
    """Return what is to be kept of an item that was read."""
    return Held(
        id=item_id(item),
        uid=event.uid,
        shows=text(item, "LegacyFreeBusyStatus") or "",
        sensitivity=text(item, "Sensitivity") or "",
        zone=attribute(child(item, "StartTimeZone"), "Id") or "",
        line=event.recurrence[0] if event.recurrence else "",
        occurrences=occurrences or {},
    )


def write_held(held: Held) -> bytes:
    """Return the raw body of a resource."""
    return orjson.dumps(_told(held))


def read_held(before: RawResource) -> Held:
    """Read what ``write_held`` wrote."""
    return _held(orjson.loads(before.raw))


def _told(held: Held) -> dict[str, Any]:
    occurrences = {slot: _told(one) for slot, one in held.occurrences.items()}
    return {
        "ItemId": {"Id": held.id.id, "ChangeKey": held.id.changekey},
        "UID": held.uid,
        "LegacyFreeBusyStatus": held.shows,
        "Sensitivity": held.sensitivity,
        "StartTimeZone": held.zone,
        **({"RRULE": held.line} if held.line else {}),
        **({"ModifiedOccurrences": occurrences} if occurrences else {}),
    }


def _held(told: Mapping[str, Any]) -> Held:
    occurrences = told.get("ModifiedOccurrences", {})
    return Held(
        id=ItemId(id=told["ItemId"]["Id"], changekey=told["ItemId"]["ChangeKey"]),
        uid=told["UID"],
        shows=told["LegacyFreeBusyStatus"],
        sensitivity=told["Sensitivity"],
        zone=told["StartTimeZone"],
        line=told.get("RRULE", ""),
        occurrences={Slot(slot): _held(one) for slot, one in occurrences.items()},
    )
