"""Events as they were before something happened to them: the stream tells it (K42)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from syncd.formats.expand import bounds, recurring_of
from syncd.model.activity import Type
from syncd.model.claim import Claim
from syncd.model.ids import CalendarId, EventId, ResourceKey, split_event_id
from syncd.model.resource import StoredEvent

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An event as it was; ``document`` as in StoredEvent."""

    event: EventId
    calendar: CalendarId
    document: Json


def before(event: str, type_: Type, record: Json) -> Version | None:
    """Return the event before a record of it: None before it was added.

    When an updated one had been modified the stream does not tell.
    """
    document = dict(record["metadata"])
    if type_ is Type.ADD:
        return None
    if type_ is Type.UPDATE:
        document |= {name: change["old"] for name, change in record["changes"].items()}
        document["modified"] = None
    calendar = CalendarId(document["calendar_id"])
    return Version(event=EventId(event), calendar=calendar, document=document)


def stored_as(version: Version, calendar_zone: str | None) -> StoredEvent:
    """Return a version as the snapshot would hold it; its provider's body is not known."""
    document = version.document
    _, slot = split_event_id(version.event)
    starts_at, ends_at = bounds(recurring_of(document, calendar_zone))
    return StoredEvent(
        id=version.event,
        calendar_id=version.calendar,
        key=ResourceKey(""),
        slot=slot,
        content=b"",
        document=orjson.dumps(document),
        starts_at=starts_at,
        ends_at=ends_at,
        series=bool(document["recurrence"]) and not slot,
        claim=Claim.ASK,
    )
