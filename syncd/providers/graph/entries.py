"""What a round of the change feed comes to, entry by entry (MG4, MG5, P4): pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from syncd.formats.outlook import Json
from syncd.model.ids import ResourceKey
from syncd.providers.graph.client import DELTA
from syncd.providers.graph.properties import extension_of
from syncd.providers.graph.series import (
    ETAG,
    Whole,
    is_exception,
    is_occurrence,
    is_series,
    newest,
    series_id,
)

_REMOVED = "@removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Events by what they are; ``exceptions`` by their series, ``touched`` all series named."""

    alone: Mapping[ResourceKey, Whole]
    masters: Mapping[ResourceKey, Json]
    exceptions: Mapping[ResourceKey, Mapping[str, Json]]
    touched: frozenset[ResourceKey]


@dataclass(slots=True)
class Entries:
    """One round: ``events`` by id, ``removed`` ids in order, ``series`` of which something came.

    ``gone`` are ids that were looked up and not found; ``link`` is the deltaLink.
    """

    events: dict[str, Json] = field(default_factory=dict)
    removed: dict[str, None] = field(default_factory=dict)
    series: set[ResourceKey] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    link: str = ""

    def take(self, page: Json) -> None:
        """Add a page; of two versions the newer counts."""
        for entry in page["value"]:
            key = entry["id"]
            if _REMOVED in entry:
                self.removed[key] = None
            elif is_occurrence(entry):
                self.series.add(series_id(entry))
            else:
                before = self.events.get(key)
                self.events[key] = entry if before is None else newest(before, entry)
        self.link = str(page.get(DELTA) or "")

    def forget(self, keys: Iterable[str]) -> None:
        """Drop what the round said of these."""
        for key in keys:
            self.events.pop(key, None)

    def replace(self, told: Mapping[str, Json | None]) -> None:
        """Put what was looked up in place of what the round said."""
        self.forget(told)
        for key, item in told.items():
            if item is None:
                self.gone.add(key)
            elif is_occurrence(item):
                self.series.add(series_id(item))
            else:
                self.events[key] = item

    @property
    def partial(self) -> list[str]:
        """Return the ids of events that came without what makes them whole (MG4)."""
        return [key for key, one in self.events.items() if not (one.get(ETAG) and one.get("type"))]

    @property
    def unlike_exceptions(self) -> list[str]:
        """Return the ids of events that are, or may be, no exceptions."""
        return [
            key for key, one in self.events.items() if not (one.get(ETAG) and is_exception(one))
        ]

    def sorted_out(self) -> Sorted:
        """Return the events that came whole, by what they are."""
        alone, masters = dict[ResourceKey, Whole](), dict[ResourceKey, Json]()
        exceptions = dict[ResourceKey, dict[str, Json]]()
        for key, item in self.events.items():
            if is_exception(item):
                exceptions.setdefault(series_id(item), {})[key] = item
            elif is_series(item):
                masters[ResourceKey(key)] = item
            else:
                alone[ResourceKey(key)] = Whole(master=item)
        touched = frozenset(self.series | masters.keys() | exceptions.keys())
        return Sorted(alone=alone, masters=masters, exceptions=exceptions, touched=touched)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Exceptions of one series: those at hand, and the ids of those to look up."""

    kept: Mapping[str, Json]
    ask: frozenset[str]


def chosen(
    fresh: Mapping[str, Json], held: Whole | None, named: Iterable[Json], *, expand: bool
) -> Choice:
    """Return which exceptions can be taken as they came, or as we had them.

    ``fresh`` came by the change feed. ``named`` are the entries that ``/instances`` has; it has
    been seen to leave exceptions out, so that absence from it proves nothing (MG7). Whoever had
    custom properties is read with them, and to ``expand`` all that are not known yet (MG19).
    """
    etags = {one["id"]: one.get(ETAG) for one in named if is_exception(one)}
    former: Mapping[str, Json] = {} if held is None else held.exceptions
    kept, ask = dict[str, Json](), set[str]()
    for key in (*etags, *fresh, *former):
        new, old = fresh.get(key), former.get(key)
        etag = etags.get(key) or (new or {}).get(ETAG)
        if old is not None and etag is not None and etag == old.get(ETAG):
            kept[key] = old
        elif new is not None and etag == new.get(ETAG) and not (expand or _extended(old)):
            kept[key] = new
        else:
            ask.add(key)
    return Choice(kept=kept, ask=frozenset(ask))


def extended(held: Mapping[ResourceKey, Whole]) -> Iterator[str]:
    """Yield the ids of events that had custom properties (MG19)."""
    return (key for key, one in held.items() if _extended(one.master))


def _extended(item: Json | None) -> bool:
    return item is not None and extension_of(item) is not None
