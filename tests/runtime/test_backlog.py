"""What ``/metrics`` tells of pushing (ADR 47): by format and status, and zero where nothing is."""

from datetime import timedelta
from pathlib import Path

import pytest

from syncd.model.errors import TransientError
from syncd.model.ids import Position
from syncd.model.subscription import Format
from syncd.runtime.backlog import show_backlog
from syncd.runtime.metrics import Metrics
from tests.contract.test_subscriptions import a_subscription
from tests.fakes.clock import FakeClock
from tests.store.opening import NOON, opened
from tests.store.samples import a_record, with_profile


def shown(metrics: Metrics, name: str) -> dict[tuple[str, str], float]:
    return {
        (sample.labels["format"], sample.labels["status"]): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == f"syncd_{name}"
    }


async def test_gauges_tell_how_many_how_far_behind_and_since_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, metrics = FakeClock(NOON), Metrics()
    async with opened(tmp_path, clock=clock) as store:
        profile = await with_profile(store)
        failing = a_subscription("whk_b", attempts=2)
        nats = a_subscription("nats", format=Format.NATS, secrets=(), admin=True, user_id=None)
        for one in (a_subscription("whk_a"), failing, nats):
            await store.add_subscription(one, at=None, beginning=False)
        await store.save_profile(profile, records=[a_record()] * 3)
        clock.advance(timedelta(minutes=2))
        await show_backlog(store, clock, metrics)
        counts, behind = (
            shown(metrics, "subscriptions"),
            shown(metrics, "subscriptions_behind_records"),
        )
        late = shown(metrics, "subscriptions_oldest_undelivered_seconds")
        assert len(counts) == len(behind) == len(late) == 15  # every format in every status
        assert {where: count for where, count in counts.items() if count} == {
            ("standard", "active"): 1,
            ("standard", "failing"): 1,
            ("nats", "active"): 1,
        }
        assert (behind["nats", "active"], late["nats", "active"]) == (3, 120)
        for name in ("whk_a", "whk_b", "nats"):
            await store.remove_subscription(name)
        await store.add_subscription(failing, at=Position(2), beginning=False)
        await show_backlog(store, clock, metrics)
        assert shown(metrics, "subscriptions_behind_records")["standard", "failing"] == 1
        assert not any(
            count for where, count in shown(metrics, "subscriptions").items() if where[0] == "nats"
        )

        async def silent() -> None:
            raise TransientError("the database does not answer")

        monkeypatch.setattr(store, "backlog", silent)
        await show_backlog(store, clock, metrics)  # a scrape still tells the rest
        assert shown(metrics, "subscriptions")["standard", "failing"] == 1
