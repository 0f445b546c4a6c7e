"""Subscriptions as people set them up (api.md N14, N15, N19, N20)."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import orjson

from syncd.engine.deliver import Deliverer
from syncd.engine.endpoints import Admits, check_url
from syncd.engine.fanout import check_by_hand
from syncd.engine.ledger import Ledger
from syncd.engine.outbox import ahead
from syncd.model.errors import ConflictError, InvalidError, ProbeError
from syncd.model.ids import Cursor, Position, ProfileId, short
from syncd.model.subscription import (
    SIGNED_FORMATS,
    Delivery,
    Format,
    Outcome,
    Reason,
    SigningSecret,
    Subscription,
    delivery_id,
)
from syncd.ports.clock import Clock
from syncd.ports.store import Store
from syncd.ports.vault import Secret, Vault, signing_place

NOW, BEGINNING = "now", "beginning"
OVERLAP = timedelta(days=1)
_SECRET_BYTES = 32
_ENDED = "the grant or the application that it was made through has ended: make another one"
_SIGNED_OTHERWISE = {
    Format.KLOUDLESS: "the application's API key signs these: rotate the application's secrets",
    Format.CRONOFY: "the application's secret signs these: rotate the application's secrets",
    Format.NATS: "nothing signs these: who may read them is up to the NATS server",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt with what was sent and answered; no body if the record is gone."""

    delivery: Delivery
    body: bytes | None


class Subscriptions:
    """Makes and changes subscriptions, and tells the deliverer."""

    def __init__(  # noqa: PLR0913 - what setting one up touches
        self,
        store: Store,
        vault: Vault,
        clock: Clock,
        deliverer: Deliverer,
        ledger: Ledger,
        *,
        admits: Admits,
        most: int,
    ) -> None:
        """Seal signing secrets by ``vault``; ``admits`` tells what may be reached (O1).

        One owner may have ``most``.
        """
        self._store = store
        self._vault = vault
        self._clock = clock
        self._deliverer = deliverer
        self._ledger = ledger
        self._admits = admits
        self._most = most

    async def add(self, asked: Subscription, *, start: str = NOW) -> tuple[Subscription, Secret]:
        """Keep a new subscription, and return it with its signing secret, shown this once.

        One without an id gets one; ConflictError if there is one of its id. It begins ``now``, at
        the ``beginning``, or at a cursor of its one profile. One in Kloudless's format must answer
        a probe (K46). Raises InvalidError, LimitError, MalformedCursorError and CursorExpiredError.
        """
        check_url(asked.url, self._admits)
        identity = asked.id or f"whk_{short(secrets.token_hex(16))}"
        key, secret = self._new_secret(identity)
        made = replace(asked, id=identity, created=self._clock.now(), secrets=(key,))
        at = await self._start(made, start)
        await self._probe(made)
        await self._store.add_subscription(
            made, at=at, beginning=start == BEGINNING, most=self._most
        )
        await self._deliverer.changed(made.id)
        return made, secret

    async def change(
        self, before: Subscription, after: Subscription, *, resume: bool = False
    ) -> Subscription:
        """Write what was changed; ``enabled`` again goes on at its places at once (N15).

        So does one that fails if ``resume`` is asked for: its schedule begins anew. What is told
        elsewhere or in another format is tried at once too, in Kloudless's after a probe (K46).
        What deliveries did to it since ``before`` was read stays: one that was disabled meanwhile
        is not enabled by the way. Raises InvalidError, and ConflictError for what only the settings
        can change and for one whose grant has ended.
        """
        check_by_hand(before, after)
        if after.enabled and before.reason is Reason.REVOKED:
            raise ConflictError(_ENDED)
        if after.url != before.url:
            check_url(after.url, self._admits)
        moved = (after.url, after.format) != (before.url, before.format)
        if moved:
            await self._probe(after)
        await self._deliverer.stop(before.id)
        try:
            now = await self._store.subscription(before.id)
            anew = moved or resume or (after.enabled and not before.enabled)
            if anew:
                await self._store.hurry_replays(before.id)
            return await self._store.save_subscription(
                replace(
                    after,
                    reason=after.reason if now.reason is before.reason else now.reason,
                    attempts=0 if anew else now.attempts,
                    retry_at=None if anew else now.retry_at,
                    delivered_at=now.delivered_at,
                )
            )
        finally:  # refused or not, what was broken off goes on
            await self._deliverer.changed(before.id)

    async def enable(self, identity: str, *, enabled: bool) -> Subscription:
        """Resume a subscription, also one that fails, or pause it; else it is left alone."""
        found = await self._store.subscription(identity)
        if found.enabled is enabled and not (enabled and found.attempts):
            if enabled and await self._store.replay_due(identity) is not None:
                await self._store.hurry_replays(identity)
                self._deliverer.replay(identity)
            return found
        after = replace(found, reason=None if enabled else Reason.OPERATOR)
        return await self.change(found, after, resume=enabled)

    async def remove(self, subscription: str) -> None:
        """Remove it; what is being sent is broken off. Raises NotFoundError."""
        check_by_hand(await self._store.subscription(subscription), None)
        await self._deliverer.stop(subscription)
        try:
            await self._store.remove_subscription(subscription)
        finally:
            await self._deliverer.changed(subscription)

    async def rotate(self, subscription: Subscription, *, overlap: timedelta) -> Secret:
        """Give it a new signing secret; the old ones sign too for ``overlap``.

        Raises ConflictError for one whose messages no secret of its own signs.
        """
        if subscription.format not in SIGNED_FORMATS:
            raise ConflictError(_SIGNED_OTHERWISE[subscription.format])
        key, secret = self._new_secret(subscription.id)
        until = self._clock.now() + overlap
        await self._store.add_secret(subscription.id, key, until=until)
        await self._deliverer.changed(subscription.id)
        return secret

    async def tried(self, subscription: Subscription, delivery: str) -> Tried:
        """Return an attempt; raises NotFoundError."""
        found = await self._store.delivery(subscription.id, delivery)
        message = await self._ledger.message_again(subscription, found)
        body = None if message is None else self._deliverer.body(subscription, message)
        return Tried(delivery=found, body=body)

    async def replay(self, subscription: Subscription, delivery: str) -> int:
        """Send what an attempt was about once more.

        Raises CursorExpiredError if retention has cut its record off, and InvalidError for one of a
        profile that it is not told of any more.
        """
        self._check_enabled(subscription)
        found = await self._store.delivery(subscription.id, delivery)
        _check_named(subscription, found.profile_id)
        stream = await self._store.stream(found.profile_id)
        stream.check(Cursor(stream.epoch, Position(found.position - 1)))
        return await self._queue(subscription, [found])

    async def replay_failed(self, subscription: Subscription) -> int:
        """Send once more whatever was never delivered, is still there, and to be told."""
        self._check_enabled(subscription)
        count, after, floors = 0, None, dict[ProfileId, Position]()
        while found := await self._store.failed(subscription.id, after=after):
            for profile in {one.profile_id for one in found} - floors.keys():
                floors[profile] = (await self._store.stream(profile)).floor
            left = [
                one
                for one in found
                if one.position > floors[one.profile_id] and subscription.names(one.profile_id)
            ]
            count, after = count + await self._queue(subscription, left), found[-1]
        return count

    async def replay_from(
        self, subscription: Subscription, profile: ProfileId, cursor: str, until: str | None
    ) -> int:
        """Send once more what lies behind a cursor, up to where the subscription has come.

        Raises MalformedCursorError, CursorExpiredError, and InvalidError for a profile that it is
        not told of.
        """
        self._check_enabled(subscription)
        _check_named(subscription, profile)
        stream = await self._store.stream(profile)
        at = stream.check(Cursor.parse(cursor))
        end = await self._store.place(subscription.id, profile)
        if until is not None:
            end = min(end, stream.check(Cursor.parse(until)))
        count, more = 0, True
        while more and at < end:
            found = await ahead(self._store, subscription, profile, at, now=self._clock.now())
            runs = [run for run in found.runs if run.first.position <= end]
            count += await self._queue(
                subscription,
                [
                    Delivery(
                        id="",
                        subscription_id=subscription.id,
                        profile_id=profile,
                        position=run.first.position,
                        record_id=orjson.loads(run.first.body)["id"],
                        attempt=0,
                        at=self._clock.now(),
                        outcome=Outcome.PENDING,
                        since=run.since,
                    )
                    for run in runs
                ],
            )
            at, more = found.end, found.more
        return count

    async def _queue(self, subscription: Subscription, again: Sequence[Delivery]) -> int:
        self._check_enabled(subscription)
        now = self._clock.now()
        replays = [
            Delivery(
                # ids of one moment are in order
                id=f"{delivery_id(now, b'')}{number:06x}{secrets.token_hex(3)}",
                subscription_id=one.subscription_id,
                profile_id=one.profile_id,
                position=one.position,
                record_id=one.record_id,
                attempt=1,
                at=now,
                outcome=Outcome.PENDING,
                since=one.since,
            )
            for number, one in enumerate(again)
        ]
        await self._store.queue_replays(replays)
        self._deliverer.replay(subscription.id)
        return len(replays)

    async def _start(self, made: Subscription, start: str) -> Position | None:
        if start in {NOW, BEGINNING}:
            return None
        if made.profile_id is None:
            message = (
                "a cursor is a place in one profile: use a token of that profile, or --profile"
            )
            raise InvalidError(message, field="start")
        stream = await self._store.stream(made.profile_id)
        return stream.check(Cursor.parse(start))

    async def _probe(self, asked: Subscription) -> None:
        """Refuse an endpoint that does not answer as the application would (K46)."""
        if asked.format is not Format.KLOUDLESS:
            return
        receipt = await self._deliverer.test(asked)
        if receipt.error is not None:
            raise ProbeError(
                f"the probe was not answered with 200 and the application's id: {receipt.error}",
                field="url",
            )

    def _check_enabled(self, subscription: Subscription) -> None:
        if subscription.reason is Reason.REVOKED:
            raise ConflictError(_ENDED)
        if not subscription.enabled:
            raise ConflictError(
                f"the webhook is disabled ({subscription.reason}): enable it, then replay"
            )

    def _new_secret(self, subscription: str) -> tuple[SigningSecret, Secret]:
        text = base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        secret, identity = Secret(f"whsec_{text}"), secrets.token_hex(8)
        sealed = self._vault.seal(secret, place=signing_place(subscription, identity))
        return SigningSecret(id=identity, sealed=sealed), secret


def _check_named(subscription: Subscription, profile: ProfileId) -> None:
    if not subscription.names(profile):
        raise InvalidError("the webhook is not told of this profile", field="profile_id")
