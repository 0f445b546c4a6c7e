"""Subscriptions, how far each has come, and what was tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from syncd.model.ids import ApplicationId, Position, ProfileId, UserId
from syncd.model.subscription import (
    Delivery,
    Format,
    Outcome,
    Reason,
    SigningSecret,
    Status,
    Subscription,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """A step of a subscription in one profile's stream."""

    profile_id: ProfileId
    before: Position
    after: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A subscription, and how far it has come in one profile's stream."""

    subscription: Subscription
    profile_id: ProfileId
    at: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What attempts make of a subscription: where it gets to, and what becomes of the rest.

    ``deliveries`` are in order; without any there was nothing to send. ``attempts`` is how many
    failed in a row, None to leave that as it is; ``reason`` disables.
    """

    subscription_id: str
    step: Advance | None = None
    deliveries: tuple[Delivery, ...] = ()
    attempts: int | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Subscriptions of one format and status.

    ``behind`` is the number of records that they have not come past, ``oldest`` when the oldest
    of these was recorded.
    """

    format: Format
    status: Status
    subscriptions: int
    behind: int
    oldest: datetime | None


class Subscriptions(Protocol):
    """Each method is one transaction."""

    async def add_subscription(
        self,
        subscription: Subscription,
        *,
        at: Position | None,
        beginning: bool,
        most: int | None = None,
    ) -> None:
        """Add one, with its place in the stream of every profile that it covers.

        That is the end; the oldest place if from the ``beginning``; or ``at`` in its only profile.
        Raises LimitError if its owner has ``most`` already: a user's are those of its profiles too.
        """
        ...

    async def backlog(self) -> Sequence[Backlog]:
        """Return how all subscriptions are doing, by format and status; only what there is.

        Cheap enough for every scrape: it looks at places, so that a profile of which a
        subscription was sent nothing yet is not counted before its first message.
        """
        ...

    async def subscription(self, subscription: str) -> Subscription:
        """Return one; raises NotFoundError."""
        ...

    async def subscriptions(  # noqa: PLR0913 - what may be asked for
        self,
        *,
        user: UserId | None = None,
        profile: ProfileId | None = None,
        application: ApplicationId | None = None,
        client: ApplicationId | None = None,
        status: Status | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Sequence[Subscription]:
        """Return them by id; of a user, profile, application or client, or in a state, if named."""
        ...

    async def save_subscription(self, subscription: Subscription) -> Subscription:
        """Write what people set, and the reason; return it as stored. Raises StaleStateError.

        One that is enabled again goes on at its places; one that had expired, where retention has
        left the streams.
        """
        ...

    async def remove_subscription(self, subscription: str) -> None:
        """Remove one with all that was kept of it; one that is gone is as good."""
        ...

    async def add_secret(
        self, subscription: str, secret: SigningSecret, *, until: datetime
    ) -> None:
        """Add a secret; those that are there sign until ``until`` at the longest."""
        ...

    async def subscribers(self, profile: ProfileId) -> Sequence[Standing]:
        """Return the enabled subscriptions that cover a profile, a removed one too."""
        ...

    async def undelivered(
        self, subscription: str | None = None
    ) -> Sequence[tuple[str, ProfileId | None]]:
        """Return what enabled subscriptions have before them: profiles, or None for replays."""
        ...

    async def behind_of(self, subscription: str) -> int:
        """Return how many records a subscription has not come past, in all it covers."""
        ...

    async def place(self, subscription: str, profile: ProfileId) -> Position:
        """Return how far it has come in a profile's stream; 0 in a profile that came later."""
        ...

    async def note_deliveries(self, notes: Sequence[Note]) -> frozenset[str]:
        """Write notes, those of a subscription in their order; all of them or none.

        Return the subscriptions whose grant has ended meanwhile: nothing more may be sent there.
        Raises StaleStateError if a subscription stood elsewhere, NotFoundError if one is gone.
        """
        ...

    async def queue_replays(self, replays: Sequence[Delivery]) -> None:
        """Keep replays that are to be sent."""
        ...

    async def next_replay(self, subscription: str, *, now: datetime) -> Delivery | None:
        """Return the oldest replay that is due; one that was never tried always is."""
        ...

    async def replay_due(self, subscription: str) -> datetime | None:
        """Return when the first of the replays that wait is due; None if none waits."""
        ...

    async def hurry_replays(self, subscription: str) -> None:
        """Let all replays that wait be due now."""
        ...

    async def deliveries(
        self,
        subscription: str,
        *,
        outcome: Outcome | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> Sequence[Delivery]:
        """Return attempts, newest first, those older than ``before``."""
        ...

    async def delivery(self, subscription: str, delivery: str) -> Delivery:
        """Return one attempt; raises NotFoundError."""
        ...

    async def failed(
        self, subscription: str, *, after: Delivery | None = None, limit: int = 1000
    ) -> Sequence[Delivery]:
        """Return the last attempt at each record that was never delivered.

        They come by profile, in its order; those behind that of ``after``, if it is given.
        """
        ...

    async def expire_subscriptions(self, found: str | None = None) -> Sequence[str]:
        """Disable those that retention has passed (S9), and the one that was ``found`` to be.

        Return which. It is found out where there is no place yet, in a profile that came later.

        One that was disabled for something else has expired from then on, so that enabling it is
        to know what is lost; what a grant's end has disabled stays so.
        """
        ...

    async def forget_deliveries(self, before: datetime, *, limit: int = 500) -> int:
        """Remove attempts from before a time; return how many."""
        ...
