"""Google's events put together: a series with its exceptions is one resource (ADR 25, G3, G4)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any

import orjson

from syncd.formats.dates import listed
from syncd.model.errors import MalformedReplyError
from syncd.model.event import Event
from syncd.model.ids import ResourceKey
from syncd.model.resource import Resource
from syncd.model.when import When, moment
from syncd.providers.google.client import Json
from syncd.providers.google.translate import BROKEN, event_of, excluded_line, when_of

_KIND = "calendar#events"  # of a raw body that holds several


def series_id(item: Json) -> ResourceKey:
    """Return the id of the series that an event belongs to, else its own."""
    return ResourceKey(item.get("recurringEventId") or item["id"])


def is_part(item: Json) -> bool:
    """Tell whether an event is a series or belongs to one."""
    return bool(item.get("recurringEventId") or item.get("recurrence"))


def is_cancelled(item: Json) -> bool:
    """Tell whether only a stub of an event is left."""
    return item.get("status") == "cancelled"


def lacks_zone(item: Json) -> bool:
    """Tell whether a time of the event counts in its calendar's zone."""
    times = [item.get(name) or {} for name in ("start", "end", "originalStartTime")]
    return any("dateTime" in one and not one.get("timeZone") for one in times)


def items_of(raw: bytes) -> dict[str, Json]:
    """Return the events of a raw body by their ids."""
    told: Any = orjson.loads(raw)
    items = told["items"] if told.get("kind") == _KIND else [told]
    return {one["id"]: one for one in items}


def merged(key: ResourceKey, held: Mapping[str, Json], new: Iterable[Json]) -> dict[str, Json]:
    """Return what a resource comes to with ``new`` events in place of those that they replace.

    A deleted series takes its exceptions along, and an event that repeats no more its past ones.
    """
    found = {**held, **{one["id"]: one for one in new}}
    master = found.get(key)
    if master is None:
        return found
    if is_cancelled(master):
        return {}
    return found if master.get("recurrence") else {key: master}


def resource_of(
    key: ResourceKey,
    items: Mapping[str, Json],
    calendar_zone: str | None,
    palette: Mapping[str, str],
) -> Resource | None:
    """Return the resource, None if nothing of it lives.

    Raises MalformedReplyError if none of it can be understood.
    """
    master = items.get(key)
    single = master is not None and len(items) == 1  # as most are
    others = [] if single else [items[one] for one in sorted(items) if one != key]
    living = [one for one in ([master] if master else []) + others if not is_cancelled(one)]
    if not living:
        return None
    events: list[Event] = []
    faults: list[str] = []
    for item in living:
        try:
            events.append(event_of(item, calendar_zone, palette))
        except BROKEN as error:
            faults.append(f"event {item['id']} cannot be read: {error!r}")
    if not events:
        raise MalformedReplyError("; ".join(faults))
    if master is not None and events[0].original_start is None:
        gone = [one for one in others if is_cancelled(one)]
        if gone:
            events[0] = _without(events[0], gone, calendar_zone)
    whole = master or living[0]
    return Resource(
        key=key,
        events=tuple(events),
        etag=whole.get("etag", ""),
        raw=_body(master, others),
        faults=tuple(faults),
    )


def _without(series: Event, gone: Iterable[Json], calendar_zone: str | None) -> Event:
    """Return a series without its cancelled instances: EXDATE lines that it does not have yet."""
    starts = dict[object, When]()
    for one in gone:
        try:
            start, _ = when_of(one["originalStartTime"], calendar_zone)
        except BROKEN:
            continue
        starts[moment(start)] = start
    zone = getattr(series.start, "tzinfo", None) or UTC
    try:
        known = {moment(one) for one in listed(series.recurrence, "EXDATE", zone)}
    except ValueError:
        known = set()
    lines = [excluded_line(starts[at], series) for at in sorted(starts.keys() - known, key=str)]
    return replace(series, recurrence=(*series.recurrence, *lines)) if lines else series


def _body(master: Json | None, others: list[Json]) -> bytes:
    if master is not None and not others and not master.get("recurrence"):
        return orjson.dumps(master)
    items = ([] if master is None else [master]) + others
    return orjson.dumps({"kind": _KIND, "items": items})
