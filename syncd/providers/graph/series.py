"""Graph's events put together: a series with its exceptions is one resource (ADR 26): pure."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

import orjson

from syncd.formats.outlook import Json
from syncd.formats.stamps import stamp
from syncd.model.errors import MalformedReplyError
from syncd.model.ids import ResourceKey, Slot, short
from syncd.model.resource import Resource
from syncd.model.when import When
from syncd.providers.graph.translate import (
    BROKEN,
    event_of,
    exception_of,
    start_of,
)

ETAG = "@odata.etag"
_EXCLUDED, _SLOTS = "syncd.excluded", "syncd.originals"  # in a raw body, beside Graph's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A resource: a single event, or a series with what differs from its pattern.

    ``exceptions`` are by their ids; ``slots`` say which start each replaces, as it was found
    first (MG8); ``excluded`` are starts that the series does without (MG7).
    """

    master: Json
    exceptions: Mapping[str, Json] = field(default_factory=dict)
    slots: Mapping[str, Slot] = field(default_factory=dict)
    excluded: frozenset[Slot] = frozenset()

    @property
    def items(self) -> tuple[Json, ...]:
        """Return every event of it."""
        return (self.master, *self.exceptions.values())


def is_series(item: Mapping[str, Any]) -> bool:
    """Tell whether an event repeats."""
    return item.get("type") == "seriesMaster" or bool(item.get("recurrence"))


def is_exception(item: Mapping[str, Any]) -> bool:
    """Tell whether an event stands in place of an occurrence."""
    return item.get("type") == "exception"


def is_occurrence(item: Mapping[str, Any]) -> bool:
    """Tell whether an event is no more than its series says."""
    return item.get("type") == "occurrence"


def series_id(item: Mapping[str, Any]) -> ResourceKey:
    """Return the id of the series that an event belongs to, else its own."""
    return ResourceKey(item.get("seriesMasterId") or item["id"])


def newest(one: Json, other: Json) -> Json:
    """Return the newer version of an event, ``other`` where they do not compare (P4)."""
    was, now = _modified_at(one), _modified_at(other)
    return one if was is not None and now is not None and was > now else other


def whole_of(raw: bytes) -> Whole:
    """Read what ``body_of`` wrote."""
    told: Any = orjson.loads(raw)
    if "value" not in told:
        return Whole(master=told)
    master, *exceptions = told["value"]
    return Whole(
        master=master,
        exceptions={one["id"]: one for one in exceptions},
        slots=told[_SLOTS],
        excluded=frozenset(told[_EXCLUDED]),
    )


def body_of(whole: Whole) -> bytes:
    """Return a raw body: the event as it came, or the events of a series and what we found out."""
    if not is_series(whole.master):
        return orjson.dumps(whole.master)
    told = {
        "value": [whole.master, *(whole.exceptions[key] for key in sorted(whole.exceptions))],
        _SLOTS: dict(sorted(whole.slots.items())),
        _EXCLUDED: sorted(whole.excluded),
    }
    return orjson.dumps(told)


def etag_of(whole: Whole) -> str:
    """Return the version of a resource; of a series it changes with each of its parts."""
    own = str(whole.master.get(ETAG) or "")
    if not is_series(whole.master):
        return own
    parts = [f"{key} {one.get(ETAG)}" for key, one in sorted(whole.exceptions.items())]
    return f"{own} {short(*parts, *sorted(whole.excluded), length=8)}"


def is_series_etag(etag: str) -> bool:
    """Tell whether a version is that of a series."""
    return " " in etag


def zone_of(master: Mapping[str, Any]) -> tzinfo | None:
    """Return where a series repeats, None if its events are all-day or have no start."""
    try:
        start = start_of(master)
    except BROKEN:
        return None
    return start.tzinfo if isinstance(start, datetime) else None


def start_at(slot: str, zone: tzinfo | None) -> When:
    """Return the start that a slot names, in the zone of its series."""
    start = stamp(slot)
    return start.astimezone(zone) if isinstance(start, datetime) and zone else start


def resource_of(
    key: ResourceKey, whole: Whole, palette: Mapping[str, str], *, own: AbstractSet[str]
) -> Resource:
    """Return the resource; raises MalformedReplyError if its first event cannot be understood."""
    zone = zone_of(whole.master)
    excluded = [start_at(one, zone) for one in whole.excluded]
    first = event_of(whole.master, palette, own=own, excluded=excluded)
    events, faults = [first], list[str]()
    for name in sorted(whole.exceptions):
        item = whole.exceptions[name]
        try:
            original = start_at(whole.slots[name], zone)
            events.append(exception_of(item, first, original, palette, own=own))
        except KeyError:
            faults.append(f"event {name} does not say which start it replaces")
        except MalformedReplyError as error:
            faults.append(str(error))
    return Resource(
        key=key,
        events=tuple(events),
        etag=etag_of(whole),
        raw=body_of(whole),
        faults=tuple(faults),
    )


def _modified_at(item: Json) -> datetime | None:
    try:
        at = datetime.fromisoformat(item["lastModifiedDateTime"])
    except (KeyError, TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
