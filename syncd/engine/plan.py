"""How often which profiles are polled, and how long proofs take; made of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Intervals by provider, with a default for those that are not named.

    ``pushed_interval`` is that of calendars whose provider calls when they change (P16).
    ``polls_at_once`` and ``polls_per_second`` bound what one process sends (F39).
    """

    default_interval: timedelta = timedelta(seconds=60)
    intervals: Mapping[str, timedelta] = field(default_factory=dict)
    default_reconcile: timedelta = timedelta(hours=24)
    reconciles: Mapping[str, timedelta] = field(default_factory=dict)
    pushed_interval: timedelta = timedelta(minutes=5)
    disconnect_proof: timedelta = timedelta(minutes=15)
    invalid_grant_gap: timedelta = timedelta(seconds=60)
    polls_at_once: int = 16
    polls_per_second: float = 50

    def interval(self, provider: str) -> timedelta:
        """Return the time between two polls of a healthy profile."""
        return self.intervals.get(provider, self.default_interval)

    def reconcile(self, provider: str) -> timedelta:
        """Return the time between two full reads of a calendar (I9)."""
        return self.reconciles.get(provider, self.default_reconcile)
