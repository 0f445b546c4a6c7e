"""Prometheus counters behind the port ``Meter``, and the lag of the event loop (F42)."""

import asyncio
from collections import deque
from collections.abc import Mapping
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LAG_EVERY = 0.1  # seconds
A_MINUTE = 600  # of these
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_BYTES = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8)


class Metrics:
    """Obeys ``ports.meter.Meter``; the first use of a name fixes its labels."""

    def __init__(self) -> None:
        """Begin with a registry of its own."""
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        self._gauges: dict[str, Gauge] = {}
        self._children = dict[tuple[object, ...], Counter | Histogram]()  # by name and labels

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        key = (name, *labels.items())
        child = self._children.get(key)
        if not isinstance(child, Counter):
            if name not in self._counters:
                self._counters[name] = Counter(
                    f"syncd_{name}", _words(name), sorted(labels), registry=self.registry
                )
            counter = self._counters[name]
            child = self._children[key] = counter.labels(**labels) if labels else counter
        child.inc(amount)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Add a measurement, in seconds or bytes as the name says, to a histogram."""
        key = (name, *labels.items())
        child = self._children.get(key)
        if not isinstance(child, Histogram):
            if name not in self._histograms:
                buckets = _BYTES if name.endswith("_bytes") else _SECONDS
                self._histograms[name] = Histogram(
                    f"syncd_{name}",
                    _words(name),
                    sorted(labels),
                    buckets=buckets,
                    registry=self.registry,
                )
            histogram = self._histograms[name]
            child = self._children[key] = histogram.labels(**labels) if labels else histogram
        child.observe(value)

    def show(self, values: Mapping[str, float], **labels: str) -> None:
        """Set gauges to what they are now."""
        for name, value in values.items():
            if name not in self._gauges:
                self._gauges[name] = Gauge(
                    f"syncd_{name}", _words(name), sorted(labels), registry=self.registry
                )
            gauge = self._gauges[name]
            (gauge.labels(**labels) if labels else gauge).set(value)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)


class LoopLag:
    """Measures how late the event loop is; ``beat_at`` is when it last answered."""

    def __init__(self, metrics: Metrics) -> None:
        """Count into ``loop_lag_seconds``."""
        self._metrics = metrics
        self.beat_at: float | None = None
        self._recent = deque[float](maxlen=A_MINUTE)

    def recent(self) -> tuple[timedelta, timedelta] | None:
        """Return the median and the 99th percentile of the last minute."""
        if not self._recent:
            return None
        late = sorted(self._recent)
        return (
            timedelta(seconds=late[len(late) // 2]),
            timedelta(seconds=late[len(late) * 99 // 100]),
        )

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            self.beat_at = loop.time()
            self._recent.append(max(0.0, self.beat_at - due))
            self._metrics.observe("loop_lag_seconds", self._recent[-1])


def _words(name: str) -> str:
    return name.replace("_", " ")
