"""What a complete listing no longer names is not yet deleted: the brake on mass deletes (I7)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.model.ids import ResourceKey
from syncd.model.resource import Absence

AGREEING = 3  # complete observations, at least one interval apart, until absence is believed
FEW = 20
SHARE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Which absent resources are deleted, and which are held until more listings agree."""

    gone: frozenset[ResourceKey]
    held: tuple[Absence, ...]


def judge(
    absent: Collection[ResourceKey],
    total: int,
    held: Iterable[Absence],
    *,
    now: datetime,
    interval: timedelta,
) -> Verdict:
    """Judge what a complete listing of a calendar of ``total`` resources did not name.

    More than max(20, 30 %) of them, or all, are suspect: each is deleted only when three complete
    listings, at least ``interval`` apart, have missed it. What is named again is forgotten.
    """
    if not is_mass(len(absent), total):
        return Verdict(gone=frozenset(absent), held=())
    before = {one.key: one for one in held}
    gone, kept = set[ResourceKey](), list[Absence]()
    for key in sorted(absent):
        counted = _again(before.get(key), key, now, interval)
        if counted.count >= AGREEING:
            gone.add(key)
        else:
            kept.append(counted)
    return Verdict(gone=frozenset(gone), held=tuple(kept))


def is_mass(absent: int, total: int) -> bool:
    """Tell whether so many absences are suspect."""
    return absent > max(FEW, SHARE * total) or (absent > 0 and absent >= total)


def observed(count: int, at: datetime | None, now: datetime, interval: timedelta) -> bool:
    """Tell whether one more absence counts: the first, or one an interval after the last."""
    return count == 0 or at is None or now - at >= interval


def _again(before: Absence | None, key: ResourceKey, now: datetime, interval: timedelta) -> Absence:
    if before is None:
        return Absence(key=key, count=1, counted_at=now)
    if observed(before.count, before.counted_at, now, interval):
        return Absence(key=key, count=before.count + 1, counted_at=now)
    return before
