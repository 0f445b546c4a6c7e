"""How far subscriptions are behind, as gauges (api.md N23)."""

from itertools import product

from syncd.model.errors import SyncdError
from syncd.model.subscription import Format, Status
from syncd.ports.clock import Clock
from syncd.ports.store.subscriptions import Subscriptions
from syncd.runtime.metrics import Metrics


async def show_backlog(store: Subscriptions, clock: Clock, metrics: Metrics) -> None:
    """Set the gauges by format and status; those that there are none of are 0.

    A store that does not answer leaves them as they were: the scrape tells of the rest.
    """
    try:
        found = {(one.format, one.status): one for one in await store.backlog()}
    except SyncdError:
        return
    now = clock.now()
    for form, status in product(Format, Status):
        one = found.get((form, status))
        oldest = None if one is None else one.oldest
        metrics.show(
            {
                "subscriptions": 0 if one is None else one.subscriptions,
                "subscriptions_behind_records": 0 if one is None else one.behind,
                "subscriptions_oldest_undelivered_seconds": 0.0
                if oldest is None
                else max(0.0, (now - oldest).total_seconds()),
            },
            format=form,
            status=status,
        )
