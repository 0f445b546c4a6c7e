"""Subscriptions and their secrets: row ⇄ value."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import orjson

from syncd.model.ids import CalendarId, ProfileId
from syncd.model.subscription import Format, Reason, SigningSecret, Subscription, Word
from syncd.model.when import from_milliseconds, milliseconds
from syncd.store.rows import AnyRow, Values, instant_of, stamp
from syncd.store.subscription_tables import subscriptions

_NEVER = datetime.max.replace(tzinfo=UTC)
_COLUMNS = len(subscriptions.columns)


def values_of(subscription: Subscription) -> Values:
    """Return a subscription's columns."""
    wanted = {
        "words": sorted(subscription.words),
        "profiles": sorted(subscription.profiles),
        "calendars": sorted(subscription.calendars),
        "only_managed": subscription.only_managed,
        "asked": orjson.Fragment(subscription.asked),
    }
    return {
        "subscription_id": subscription.id,
        "url": subscription.url,
        "format": subscription.format,
        "description": subscription.description,
        "wanted": orjson.dumps(wanted),
        "profile_id": subscription.profile_id,
        "user_id": subscription.user_id,
        "application_id": subscription.application_id,
        "admin": subscription.admin,
        "client_id": subscription.client,
        "grant_id": subscription.grant_id,
        "reason": subscription.reason,
        "attempts": subscription.attempts,
        "retry_at": stamp(subscription.retry_at),
        "delivered_at": stamp(subscription.delivered_at),
        "created_at": milliseconds(subscription.created),
        "revision": subscription.revision,
    }


def secret_values(subscription: str, secret: SigningSecret) -> Values:
    """Return a signing secret's columns."""
    return {
        "secret_id": secret.id,
        "subscription_id": subscription,
        "sealed": secret.sealed,
        "until_at": stamp(secret.until),
    }


def secret_of(identity: str, sealed: bytes, until: int | None) -> SigningSecret:
    """Return the signing secret of its columns."""
    return SigningSecret(id=identity, sealed=sealed, until=instant_of(until))


def subscription_of(row: AnyRow, secrets: Sequence[SigningSecret]) -> Subscription:
    """Return the subscription of a row that begins with all columns, in the table's order.

    Attributes of a row cost several times what places in it do, and a wake reads many.
    """
    identity, url, form, description, wanted, profile, user, application, admin = row[:9]
    reason, attempts, retry_at, delivered_at, created_at, revision, client, grant = row[9:_COLUMNS]
    newest = sorted(secrets, key=lambda one: one.until or _NEVER, reverse=True)
    return Subscription(
        id=identity,
        url=url,
        created=from_milliseconds(created_at),
        secrets=tuple(newest),
        format=Format(form),
        description=description,
        profile_id=profile,
        user_id=user,
        application_id=application,
        admin=admin,
        client=client,
        grant_id=grant,
        reason=None if reason is None else Reason(reason),
        attempts=attempts,
        retry_at=instant_of(retry_at),
        delivered_at=instant_of(delivered_at),
        revision=revision,
        **_wanted(wanted),
    )


@lru_cache(maxsize=1024)
def _wanted(stored: bytes) -> Values:
    """Return what is kept as one document; the same for many."""
    wanted = orjson.loads(stored)
    return {
        "words": frozenset(map(Word, wanted["words"])),
        "profiles": frozenset(map(ProfileId, wanted["profiles"])),
        "calendars": frozenset(map(CalendarId, wanted["calendars"])),
        "only_managed": wanted.get("only_managed", False),
        "asked": orjson.dumps(wanted.get("asked", {})),
    }
