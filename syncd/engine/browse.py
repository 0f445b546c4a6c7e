"""Listing a calendar from its snapshot, series expanded, page by page (K18, K20, K23, R11)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from syncd.formats.expand import Expansion, Recurring
from syncd.model.ids import CalendarId, Cursor, EventId, ResourceKey
from syncd.ports.clock import Clock
from syncd.ports.store import Store

HORIZON = timedelta(days=366)  # of an expansion without an end, from max(start, now)
A_SERIES = 2_000  # occurrences
A_LISTING = 20_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Expand = Callable[
    [Sequence[Recurring], datetime, datetime, int], Awaitable[Sequence[Expansion | None]]
]
"""Expands series within (after, before), at most so many occurrences each.

None stands for a series that is not expanded: refused, or over its time (reliability.md, limits).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events: ending after ``start``, starting before ``end``; ``page`` as it was given."""

    start: datetime = EPOCH
    end: datetime | None = None
    instances: bool = True
    page: str | None = None
    page_size: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedEvent:
    """An event or occurrence; ``document`` is api.md's event object without ``href`` and ``raw``.

    ``content`` changes whenever the document's content does. ``key`` finds the provider's body.
    """

    id: EventId
    calendar_id: CalendarId
    key: ResourceKey
    content: bytes
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventListing:
    """One page. ``cursor`` is the stream's position that the first page reflects (R21)."""

    events: tuple[ListedEvent, ...]
    next_page: str | None
    page_number: int
    total: int | None
    cursor: Cursor
    truncated: bool

    @property
    def objects(self) -> tuple[bytes, ...]:
        """Return the documents."""
        return tuple(one.document for one in self.events)


class Browser:
    """Reads listings and single events; keeps nothing between two pages."""

    def __init__(self, store: Store, expand: Expand, clock: Clock) -> None:
        """Read from ``store``; ``expand`` runs where a costly rule may be ended."""
        self._store = store
        self._expand = expand
        self._clock = clock
