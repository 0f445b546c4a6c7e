"""Counting, for ``/metrics``; labels name providers and outcomes, never ids."""

from typing import Protocol


class Meter(Protocol):
    """Counters and measurements; the names are Prometheus names without the ``syncd_`` prefix."""

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add a measurement, in seconds or bytes as the name says, to a histogram."""
        ...
