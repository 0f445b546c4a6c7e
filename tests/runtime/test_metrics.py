"""Counting, and the lag of the event loop (F42)."""

import asyncio
import time
from datetime import timedelta

from syncd.runtime.metrics import LoopLag, Metrics


def test_counters_and_histograms_appear_with_their_labels() -> None:
    metrics = Metrics()
    metrics.count("polls_total", provider="caldav", outcome="ok")
    metrics.count("polls_total", 2, provider="caldav", outcome="ok")
    metrics.observe("poll_seconds", 0.2, provider="caldav")
    metrics.observe("body_bytes", 2000)
    metrics.show({"store_wal_bytes": 17})
    text = metrics.text().decode()
    assert 'syncd_polls_total{outcome="ok",provider="caldav"} 3.0' in text
    assert 'syncd_poll_seconds_bucket{le="0.25",provider="caldav"} 1.0' in text
    assert 'syncd_body_bytes_bucket{le="10000.0"} 1.0' in text
    assert "syncd_store_wal_bytes 17.0" in text


def test_two_registries_do_not_meet() -> None:
    one, other = Metrics(), Metrics()
    one.count("polls_total")
    other.count("polls_total")
    assert b"syncd_polls_total 1.0" in one.text()


async def test_a_blocked_loop_shows_as_lag() -> None:
    metrics = Metrics()
    lag = LoopLag(metrics)
    task = asyncio.create_task(lag.run())
    await asyncio.sleep(0.25)
    time.sleep(0.3)  # noqa: ASYNC251 - the fault that is to be found
    await asyncio.sleep(0.15)
    task.cancel()
    samples = {
        (sample.name, sample.labels.get("le")): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
    }
    late = (
        samples["syncd_loop_lag_seconds_count", None]
        - samples["syncd_loop_lag_seconds_bucket", "0.1"]
    )
    assert late == 1
    assert lag.beat_at is not None


async def test_the_last_minutes_lag_is_told_by_its_middle_and_its_end() -> None:
    lag = LoopLag(Metrics())
    assert lag.recent() is None
    lag._recent.extend([0.0] * 500 + [0.2] * 10 + [0.001] * 490)
    assert lag.recent() == (timedelta(seconds=0.001), timedelta(seconds=0.2))
