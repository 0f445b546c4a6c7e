"""A page of what a provider says of a calendar (design §4, providers.md P1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from syncd.model.calendar import Mode
from syncd.model.ids import ResourceKey, SyncToken
from syncd.model.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One page of what the provider says of a calendar; a key stands in at most one of the sets.

    A page with ``complete`` ends a proven listing (2xx, every page read and parsed, P1): what no
    page named is absent (I7). A change feed never sets it.
    """

    upserts: tuple[Resource, ...] = ()
    deleted: frozenset[ResourceKey] = frozenset()  # tombstones
    unread: Mapping[ResourceKey, str] = field(default_factory=dict)  # why; stays as it was (I10)
    present: frozenset[ResourceKey] = frozenset()  # named, unchanged since ``known``
    complete: bool = False  # last page of a proven listing
    token: SyncToken | None = None  # with the last page only (I1)
    mode: Mode | None = None  # how the next changes will be found; with the last page
    reconcile: bool = False  # the feed looked wrong: list everything soon (D12)

    @property
    def quiet(self) -> bool:
        """Tell whether it says that nothing has changed, and nothing more than where it ends."""
        spoken = self.upserts or self.deleted or self.unread or self.present
        return not (spoken or self.complete or self.reconcile)

    @property
    def named(self) -> frozenset[ResourceKey]:
        """Return every key that this page names as being there."""
        return frozenset(one.key for one in self.upserts) | self.unread.keys() | self.present
