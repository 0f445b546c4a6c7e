"""The subscription that feeds the operator's NATS server, kept by the settings (N24, ADR 46)."""

from contextlib import suppress
from dataclasses import replace

from syncd.model.errors import ConflictError, NotFoundError, StaleStateError
from syncd.model.subscription import Format, Reason, Subscription
from syncd.ports.clock import Clock
from syncd.ports.store.subscriptions import Subscriptions

NATS = "nats"  # its id


async def settle_fanout(store: Subscriptions, clock: Clock, url: str) -> None:
    """Make the subscription what the settings say, before anything is delivered.

    It begins at the oldest records that are retained. Without a ``url`` it is paused and keeps its
    places; one whose address is empty was paused so, and goes on once there is a ``url`` again.
    """
    try:
        found = await store.subscription(NATS)
    except NotFoundError:
        if url:
            with suppress(ConflictError):  # another process has just made it
                await store.add_subscription(_fanout(clock, url), at=None, beginning=True)
        return
    if found.url == url:
        return
    changed = replace(found, url=url, attempts=0, retry_at=None)
    if not url:
        changed = replace(changed, reason=found.reason or Reason.OPERATOR)
    elif not found.url and found.reason is Reason.OPERATOR:
        changed = replace(changed, reason=None)
    with suppress(StaleStateError):  # another process has just done it
        await store.save_subscription(changed)


def check_by_hand(before: Subscription, after: Subscription | None) -> None:
    """Refuse what only the settings can do; ``after`` is None for removing. Raises ConflictError.

    Everybody may pause it and let it go on while the settings name a server.
    """
    if before.format is not Format.NATS:
        return
    if after is None:
        if before.url:
            raise ConflictError("the settings keep it: remove [nats] url, then it can be removed")
    elif after.url != before.url or after.format is not before.format:
        raise ConflictError("the settings say where it leads: change [nats] url")
    elif after.enabled and not before.url:
        raise ConflictError("the settings name no server: set [nats] url")


def _fanout(clock: Clock, url: str) -> Subscription:
    return Subscription(
        id=NATS,
        url=url,
        created=clock.now(),
        secrets=(),
        format=Format.NATS,
        description="kept by [nats] of the settings",
        admin=True,
    )
