"""What was written a moment ago: what a provider's index still says does not undo it (F5, F6)."""

from dataclasses import dataclass
from datetime import timedelta

from syncd.model.ids import CalendarId, ResourceKey
from syncd.ports.clock import Clock

LASTS = timedelta(minutes=5)  # an index has been seen to be 3 minutes behind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    """``former`` are the etags from before; ``made`` if it was not there before."""

    former: frozenset[str]
    made: bool
    until: float  # monotonic


class Written:
    """Remembers the writes of this process; what a restart forgets, the next poll may undo."""

    def __init__(self, clock: Clock) -> None:
        """Remember nothing yet."""
        self._clock = clock
        self._writes = dict[tuple[CalendarId, ResourceKey], _Write]()  # the oldest first

    def note(
        self, calendar: CalendarId, key: ResourceKey, *, before: str | None, after: str | None
    ) -> None:
        """Keep the etags from before and after a write; None where there was, or is, nothing."""
        now = self._clock.monotonic()
        known = self._at(calendar, key)
        self._writes.pop((calendar, key), None)
        while self._writes:
            oldest = next(iter(self._writes))
            if self._writes[oldest].until > now:
                break
            del self._writes[oldest]
        former = known.former if known else frozenset[str]()
        self._writes[calendar, key] = _Write(
            former=(former | {before or ""}) - {after or "", ""},
            made=after is not None and (before is None or (known is not None and known.made)),
            until=now + LASTS.total_seconds(),
        )

    def outdates(self, calendar: CalendarId, key: ResourceKey, etag: str) -> bool:
        """Tell whether a version is from before a write."""
        known = self._at(calendar, key)
        return known is not None and etag in known.former

    def made(self, calendar: CalendarId, key: ResourceKey) -> bool:
        """Tell whether a resource is so new that a listing may not have it yet."""
        known = self._at(calendar, key)
        return known is not None and known.made

    def _at(self, calendar: CalendarId, key: ResourceKey) -> _Write | None:
        known = self._writes.get((calendar, key))
        return known if known is not None and known.until > self._clock.monotonic() else None
