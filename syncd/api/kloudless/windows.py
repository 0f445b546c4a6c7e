"""The window of a listing of events (api.md K18)."""

from datetime import UTC, datetime, tzinfo

from syncd.api.kloudless.shapes import EventsQuery
from syncd.api.params import instant
from syncd.api.problems import invalid
from syncd.engine.browse import EPOCH


def window_of(query: EventsQuery, zone: tzinfo = UTC) -> tuple[datetime, datetime | None]:
    """Return the bounds in UTC; a local time is in ``zone`` (R12)."""
    start = EPOCH if query.start is None else instant(query.start, zone)
    end = None if query.end is None else instant(query.end, zone)
    if end is not None and query.start is not None and start > end:
        raise invalid("start must not be after end", field="start")
    return start.astimezone(UTC), None if end is None else end.astimezone(UTC)
