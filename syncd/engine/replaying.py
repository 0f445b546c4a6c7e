"""Sending again what was asked for, beside a webhook's stream (api.md N20, ADR 56)."""

from datetime import datetime, timedelta

from syncd.engine.ledger import Ledger
from syncd.engine.sending import Sender
from syncd.model.subscription import SCHEDULE, Subscription
from syncd.ports.clock import Clock
from syncd.ports.sink import Receipt
from syncd.ports.store import Store

_CUT_OFF = Receipt(took=timedelta(), error="retention has cut the record off")
_NOT_TOLD = Receipt(took=timedelta(), error="the webhook is no longer told of this profile")
_SHORTEST, _LONGEST = SCHEDULE[:2]


class Replayer:
    """Sends one replay at a time, so that news go between them.

    When each is due is in the store. Kept here is only how long all of a webhook's wait after some
    failed in a row: one that is always refused keeps the others for seconds, and an endpoint that
    is down is not sent each of them at every step of the schedule.
    """

    def __init__(self, store: Store, ledger: Ledger, sender: Sender, clock: Clock) -> None:
        """Begin with none that failed."""
        self._store = store
        self._ledger = ledger
        self._sender = sender
        self._clock = clock
        self._failed = dict[str, tuple[int, datetime]]()  # how many in a row, and until when

    def hurry(self, subscription: str) -> None:
        """Let those of a webhook wait for nothing but their own time."""
        self._failed.pop(subscription, None)

    async def step(self, subscription: Subscription) -> tuple[Subscription, datetime | None]:
        """Send the oldest that is due, if there is one.

        Return the subscription as it stands now, and when to look for the next one; None if none
        waits.
        """
        now = self._clock.now()
        failures, until = self._failed.get(subscription.id, (0, now))
        if until > now:
            return subscription, until
        replay = await self._store.next_replay(subscription.id, now=now)
        if replay is None:
            due = await self._store.replay_due(subscription.id)
            if due is None:
                self._failed.pop(subscription.id, None)
            return subscription, due
        if not subscription.names(replay.profile_id):
            await self._ledger.note_replay(subscription, replay, _NOT_TOLD, again=False)
            return subscription, now
        message = await self._ledger.message_again(subscription, replay)
        if message is None:
            await self._ledger.note_replay(subscription, replay, _CUT_OFF, again=False)
            return subscription, now
        failing = subscription.attempts > 0 or failures > 0
        receipt = await self._sender.one(subscription, message, failing=failing)
        after = await self._ledger.note_replay(subscription, replay, receipt)
        if receipt.error is None:
            self._failed.pop(subscription.id, None)
            return after, now
        pause = max(min(_SHORTEST * 2**failures, _LONGEST), receipt.retry_after or _SHORTEST)
        until = self._clock.now() + pause
        self._failed[subscription.id] = (min(failures + 1, len(SCHEDULE)), until)
        return after, until
